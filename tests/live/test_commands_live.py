"""Every command on one live incident, in plain form and as JSON, with right and with wrong input."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from crashlab.distractors import LOUD_RULES
from tests.conftest import Shell
from tests.kit import Live, refused, refused_by_log, refused_in_json, release, write


def test_start_tells_what_fired_and_where_things_are(live: Live) -> None:
    brief = live.started["brief"]
    own = {"prediction-quality", "prediction-shift"}
    assert own <= {alert["rule"] for alert in brief["alerts"]} <= own | LOUD_RULES
    assert live.json("brief") == brief
    plain = live("brief").out
    assert all(alert["rule"] in plain for alert in brief["alerts"])
    places = live.json("open")
    assert httpx.get(places["mlflow"] + "/health", timeout=10).status_code == 200
    assert httpx.get(places["api"] + "/health", timeout=10).status_code == 200
    assert "# HELP" in httpx.get(places["metrics"], timeout=10).text
    assert Path(places["workspace"], ".git").is_dir()
    assert Path(places["prediction-log"]).is_file()
    assert Path(places["post-mortem"]).read_text(encoding="utf-8").startswith("---\n")
    assert live("open", "mlflow").out.strip() == places["mlflow"]
    assert places["workspace"] in live("open").out.replace("\n", "")


def test_what_happened_is_a_week_old_at_most(live: Live) -> None:
    """The alert, the release and the models' training lie in the past of the day on which the incident was started."""
    started = datetime.fromisoformat(live.json("status")["record"]["created_at"])
    for alert in live.started["brief"]["alerts"]:
        assert timedelta() < started - datetime.fromisoformat(alert["since"]) < timedelta(days=10)
    url = live.json("open")["mlflow"] + "/api/2.0/mlflow/model-versions/search"
    found = httpx.get(url, params={"filter": "name='eta'", "max_results": 50}, timeout=10).json()["model_versions"]
    made = {int(entry["version"]): datetime.fromtimestamp(entry["creation_timestamp"] / 1000, UTC) for entry in found}
    assert [made[version] for version in range(1, 7)] == sorted(made[version] for version in range(1, 7))
    assert timedelta(days=12) < started - made[5] < timedelta(days=22)


def test_status_shows_phase_and_services(live: Live) -> None:
    # Traffic trickles on when the evidence is frozen, which goes on for some seconds after the start.
    deadline = time.monotonic() + 60
    while not all(service["healthy"] for service in live.json("status")["services"]):
        assert time.monotonic() < deadline, live.json("status")["services"]
        time.sleep(0.5)
    found = live.json("status")
    assert found["record"]["phase"] in ("live", "submitted")
    assert {s["name"]: s["healthy"] for s in found["services"]} == dict.fromkeys(
        ("mlflow", "training", "serving", "traffic"), True
    )
    plain = live("status").out
    assert live.id in plain
    assert plain.count("healthy") == 4


def test_logs_and_shell(live: Live) -> None:
    lines = live.json("logs", "serving", "-n", "3")["lines"]
    assert 0 < len(lines) <= 3
    assert lines[-1] in live("logs", "serving").out
    assert live.json("shell", "serving", "-c", "pwd")["out"].strip().startswith(str(live.root / "system"))
    plain = live("shell", "-c", "echo out; echo err >&2; exit 7")
    assert (plain.code, plain.out, plain.err) == (7, "out\n", "err\n")


def test_measure_fills_the_notebook(live: Live) -> None:
    one = live.json("measure", "registry", "alias=champion", "version")
    assert one["citation"] == f"[registry alias=champion version={one['value']}]"
    assert live("measure", "registry alias=champion version").out.strip() == one["citation"]
    assert [entry["citation"] for entry in live.json("notebook")][-2:] == [one["citation"]] * 2
    assert one["citation"] in live("notebook").out


def test_report_compares_with_the_training_reference(live: Live) -> None:
    found = live.json("report", "--window", "now", "--side", "features")
    assert "courier_speed_kmh" in {column["name"] for column in found["columns"] if column["drifted"]}
    assert "<html" in Path(found["html"]).read_text(encoding="utf-8")
    assert json.loads(Path(found["json_file"]).read_text(encoding="utf-8"))["metrics"]
    assert "courier_speed_kmh" in live("report").out


def test_promote_moves_an_alias_and_back(live: Live) -> None:
    before = live.json("measure", "registry", "alias=challenger", "version")["value"]
    assert live.json("promote", "1", "--alias", "challenger") == {"alias": "challenger", "from": before, "to": 1}
    assert f"challenger: 1 -> {before}" in live("promote", str(before), "--alias", "challenger").out


def test_retrain_registers_a_version(live: Live) -> None:
    found = live.json("retrain")
    assert live.json("measure", "registry", "latest", "version")["value"] == found["version"]
    ran = live("retrain", "--", "--no-such-option")
    refused_by_log(ran, 4, "The training job failed.")


def test_hints_are_told_one_by_one(live: Live) -> None:
    first = live.json("hint")
    assert first["cost"] > 0
    assert first["text"] in " ".join(live("status").out.split())
    assert "points)" in live("hint").out
    assert live("hint").code == 0
    refused(live("hint"), 5, "There are no more hints.")


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ("open nowhere", 2, "There is no place 'nowhere'."),
        ("open verdicts", 2, "There is no place 'verdicts'."),
        ("logs nginx", 2, "There is no service 'nginx'."),
        ("shell nginx -c true", 2, "There is no service 'nginx'."),
        ("shell --json", 2, "An interactive shell has no JSON."),
        ("measure weather", 2, "There is no family of facts called 'weather'."),
        ("measure registry alias=nobody version", 2, "There is no fact"),
        ("measure feature", 2, "There is no fact"),
        ("measure []", 2, "The selector is empty."),
        ("promote 99", 2, "There is no version 99."),
        ("promote 1 --alias a/b", 2, "a/b"),
        ("submit /no/such/file.md", 2, "No such file or directory"),
        ("submit /tmp", 2, "Is a directory"),
        ("submit /bin/sh", 2, "is not a text in UTF-8"),
        ("submit /dev/zero", 2, "is larger than 50 MB"),
    ],
)
def test_wrong_input_is_one_sentence_and_a_hint(live: Live, argv: str, code: int, message: str) -> None:
    if "--json" in argv:
        refused_in_json(live(*argv.split()), code, message)
    else:
        refused(live(*argv.split()), code, message)


def test_a_wrong_selector_is_answered_with_the_facts_that_are_like_it(live: Live) -> None:
    ran = live("measure", "feature", "distance_km", "null_shares")
    refused(ran, 2, "There is no fact `feature distance_km null_shares`.")
    assert "Did you mean `feature distance_km null_share` or " in ran.err
    assert ran.err.count("feature distance_km,") == 1


def test_a_deployment_that_fails_leaves_the_old_version_serving(live: Live) -> None:
    before = release(live)
    folder = Path(live.json("open", "workspace")["workspace"]) / "serving"
    entry, pins, locked = folder / "__main__.py", folder / "internal.txt", folder / "requirements.txt"
    good = {file: file.read_text(encoding="utf-8") for file in (entry, pins, locked)}

    write(entry, "raise SystemExit('no luck today')\n" + good[entry])
    ran = live("deploy", "-m", "Leave at once")
    refused_by_log(ran, 4, "ended before it was ready")
    assert "no luck today" in ran.err
    assert release(live) == before
    write(entry, good[entry])

    write(pins, "featurelib==99.0.0\n")
    ran = live("deploy", "--json", "-m", "Pin a release that is not there")
    refused_in_json(ran, 4, "environment of serving could not be made")
    assert "99.0.0" in ran.json["error"]["hint"]
    assert release(live) == before
    write(pins, good[pins])

    write(locked, good[locked] + "not a requirement !\n")
    refused_by_log(live("deploy"), 4, "could not be made")
    assert release(live) == before
    write(locked, good[locked])

    found = live.json("deploy", "-m", "Back to what worked")
    assert found["commit"].startswith(release(live))
    assert found["commit"][:7] != before


def test_open_names_the_verdict_once_there_is_one(live: Live, crashlab: Shell, tmp_path: Path) -> None:
    malformed = write(tmp_path / "notes.md", "It was the network. It is always the network.\n")
    ran = live("submit", str(malformed))
    assert ran.code == 1
    assert "Not graded" in ran.out
    assert "does not start with front matter" in ran.out.replace("\n", " ")
    assert "not graded" in live("status").out
    assert live.attempts()[-1]["score"] is None
    page = Path(live.json("open", "verdict")["verdict"])
    assert "does not start with front matter" in page.read_text(encoding="utf-8")
    again = live("verdict", "--json")
    assert (again.code, again.json["graded"]) == (1, False)
    assert "Not graded" in live("verdict").out
