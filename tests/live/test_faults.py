"""What may go wrong around an incident: kills, signals, a full disk, services that are down, two commands at once."""

import signal
import socket
from pathlib import Path

import httpx

from tests.kit import HOSTILE, Live, api, end, record, refused, serves, write

BOMB = "---\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{right}: &{right} [{','.join(['*' + left] * 9)}]\n" for left, right in zip("abcdefgh", "bcdefghi", strict=True)
) + "cause: *i\n---\n\n## Summary\nBoom.\n"  # fmt: skip


# Post-mortems that are none


def test_an_expanding_document_is_not_graded_and_costs_nothing(live: Live, tmp_path: Path) -> None:
    ran = live("submit", str(write(tmp_path / "bomb.md", BOMB)), "--json")
    assert (ran.code, ran.json["graded"]) == (1, False)
    assert "anchors or aliases" in ran.json["reason"]


def test_ten_megabytes_are_refused_before_anything_is_stored(live: Live, tmp_path: Path) -> None:
    before = live.attempts()
    refused(live("submit", str(write(tmp_path / "long.md", "word " * 2_000_000))), 2, "10.0 MB")
    assert live.attempts() == before


# A service that is down


def test_a_service_that_is_down_fails_the_fix_and_a_deployment_brings_it_back(live: Live, tmp_path: Path) -> None:
    for service in ("serving", "mlflow"):
        for process in live.processes(service):
            process.kill()
        ran = live("submit", str(write(tmp_path / "down.md", f"{HOSTILE}\n{service}\n")), "--json")
        assert (ran.code, ran.json["graded"]) == (1, True)
        items = {item["id"]: item for item in ran.json["items"]}
        assert items["fix-ready"]["observed"] == f"Not running: {service}."
        assert {item["status"] for name, item in items.items() if name.startswith("fix-")} == {"failed"}
        assert items["cause"]["points"] is not None
        if service == "mlflow":
            a_port_in_use_is_named(live)
        assert live("deploy").code == 0
        assert serves(live)
    assert live.json("measure", "registry", "alias=champion", "version")["value"] == 5


def a_port_in_use_is_named(live: Live) -> None:
    """Another program has taken the address of a service that ended."""
    port = int(live.json("open", "mlflow")["mlflow"].rsplit(":", 1)[1])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        refused(live("deploy"), 4, f"Port {port} of mlflow is in use.")


# Two at once


def test_one_command_at_a_time_works_on_an_incident(live: Live, tmp_path: Path) -> None:
    file = write(tmp_path / "first.md", HOSTILE + "\nTwo at once.\n")
    with live.until("redeploying the workspace", "submit", str(file)) as running:
        busy = f"Another command is working on {live.id}."
        others = [live.shell.begin(name, "-i", live.id) for name in ("stop", "hint", "deploy")]
        for other in others:
            out, err = other.communicate(timeout=60)
            assert (other.returncode, out) == (5, "")
            assert busy in err
        assert live("status").code == 0
        out, _ = running.communicate(timeout=120)
        assert running.returncode == 1
    assert "NOT PASSED" in out
    assert live.attempts()[-1]["graded"]
    assert serves(live)


# Kills


def test_an_ended_submission_is_taken_up_again(live: Live, tmp_path: Path) -> None:
    file = write(tmp_path / "again.md", HOSTILE + "\nTaken up again.\n")
    before = live.attempts()
    stored = live.root / "submissions" / f"{len(before) + 1:03d}" / "postmortem.md"
    for phase, number in (
        ("asking the system as it was left", signal.SIGKILL),
        ("starting the new version", signal.SIGINT),
        ("measuring latency", signal.SIGTERM),
        ("grading", signal.SIGKILL),
    ):
        with live.until(phase, "submit", str(file)) as running:
            end(running, number)
        assert [a["graded"] for a in live.attempts()[len(before) :]] == [False], phase
        assert stored.read_text(encoding="utf-8") == file.read_text(encoding="utf-8")
    # The last one had measured everything, so that nothing needs to be measured again.
    ran = live("verdict", "--json")
    assert ran.json["graded"]
    assert [a["graded"] for a in live.attempts()[len(before) :]] == [True]
    assert serves(live)
    assert not live.processes("job")


def test_an_ended_deployment_leaves_a_version_serving_and_can_be_run_again(live: Live) -> None:
    for phase, number in (
        ("building the release", signal.SIGKILL),
        ("starting the new version", signal.SIGKILL),
        ("starting the new version", signal.SIGINT),
        ("stopping the old version", signal.SIGKILL),
        ("sending the next orders", signal.SIGTERM),
    ):
        with live.until(phase, "deploy") as running:
            end(running, number)
        assert httpx.get(api(live) + "/ready", timeout=10).status_code == 200, (phase, number)
    deployed = live.json("deploy")["commit"]
    assert httpx.get(api(live) + "/info", timeout=10).json()["release"] == deployed[:7]
    assert serves(live)
    assert record(live)["deployments"][-1]["commit"] == deployed
