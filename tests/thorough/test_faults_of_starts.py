"""What takes long or a small disk: starts that are ended, two incidents side by side, a full disk."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import Shell
from tests.kit import HOSTILE, Live, begun, end, kill, processes, refused, serves, write

pytestmark = pytest.mark.thorough

# A full disk


def test_a_full_disk_loses_no_submission_and_a_retry_completes(live: Live, tmp_path: Path) -> None:
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount the small disk")
    text = HOSTILE + "The distance was in miles.\n" * 1200
    file = write(tmp_path / "postmortem.md", text)
    before = live.attempts()
    folder = live.root / "submissions"
    folder.mkdir(exist_ok=True)
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    # Memory pages of 4 kB are what the small disk counts: the first size holds no text of 30 kB, the second no bundle.
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        refused(live("submit", str(file)), 1, "the disk is full")
        assert live.attempts() == before
        subprocess.run(["mount", "-o", "remount,size=100k", str(folder)], check=True)
        refused(live("submit", str(file)), 1, "the disk is full")
        received = live.attempts()
        assert [a["graded"] for a in received[len(before) :]] == [False]
        assert (folder / f"{len(received):03d}" / "postmortem.md").read_text(encoding="utf-8") == text
        assert "received" in live("status").out
        subprocess.run(["mount", "-o", "remount,size=20m", str(folder)], check=True)
        ran = live("submit", str(file), "--author", "<script>alert('author')</script>")
        assert ran.code == 1
        assert "NOT PASSED" in ran.out
        assert [a["graded"] for a in live.attempts()[len(before) :]] == [True]
        hostile_text_is_harmless(ran.out, (folder / f"{len(received):03d}" / "verdict.html").read_text("utf-8"))
    finally:
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    assert serves(live)


def hostile_text_is_harmless(terminal: str, page: str) -> None:
    """Nothing that was written is run, followed or obeyed: by a browser, by Rich or by a terminal."""
    assert "alert(" in page
    for tag in ("<script", "<img", "<iframe", "<svg", "<b ", 'onclick="', 'javascript:"'):
        assert tag not in page.lower(), tag
    assert "&lt;script&gt;" in page or "&lt;img" in page
    assert "\x1b" not in page
    assert "\x1b" not in terminal
    assert "\x07" not in terminal


@pytest.fixture
def starts(crashlab: Shell, live: Live) -> Callable[[str, signal.Signals], None]:
    """Begins a start beside the live incident and ends it at a phase."""

    def run(phase: str, number: signal.Signals) -> None:
        with begun(crashlab, phase, "start", "wrong-alias", "--runtime", "embedded") as running:
            end(running, number)

    return run


def test_ended_starts_leave_nothing_and_a_second_incident_lives_beside_the_first(
    crashlab: Shell,
    live: Live,
    begin: Callable[..., Live],
    starts: Callable[[str, signal.Signals], None],
    tmp_path: Path,
) -> None:
    if not live.attempts():
        live("submit", str(write(tmp_path / "first.md", HOSTILE)))
    mine = {p.pid for p in live.processes()}
    known = {path.name for path in (crashlab.home / "incidents").iterdir()}

    # Asked to end, a start cleans up after itself.
    for phase, number in (
        ("starting the serving API", signal.SIGINT),
        ("replaying production traffic", signal.SIGTERM),
    ):
        starts(phase, number)
        assert {path.name for path in (crashlab.home / "incidents").iterdir()} == known, phase
        assert {p.pid for p in processes(crashlab.home)} - mine - {p.pid for p in live.processes()} == set()

    # After a crash, the next stop does, and stops nothing else.
    starts("replaying production traffic", signal.SIGKILL)
    assert len(list((crashlab.home / "incidents").iterdir())) == len(known) + 1
    stopped = crashlab("stop", "--json").json["stopped"]
    assert len(stopped) == 1
    assert live.id not in stopped
    assert {path.name for path in (crashlab.home / "incidents").iterdir()} == known
    assert {p.pid for p in processes(crashlab.home)} <= {p.pid for p in live.processes()}

    # So does the next start, and then it comes up beside the first incident.
    starts("starting the model registry", signal.SIGKILL)
    second = begin("wrong-alias", "--seed", "1", "--runtime", "embedded")
    assert {path.name for path in (crashlab.home / "incidents").iterdir()} == {*known, second.id}
    assert {path.name for path in (crashlab.home / "sealed").iterdir()} == {*known, second.id}
    assert (
        not {p.pid for p in processes(crashlab.home)}
        - {p.pid for p in live.processes()}
        - {p.pid for p in second.processes()}
    )
    first_places, second_places = live.started["places"], second.started["places"]
    assert not set(first_places.values()) & set(second_places.values())
    assert second.json("measure", "registry alias=champion version")["value"] != 5
    assert live.json("measure", "registry alias=champion version")["value"] == 5
    assert serves(live)
    assert serves(second)
    # Commands without an id are for the one that was started last.
    assert crashlab("status", "--json").json["record"]["id"] == second.id

    stop_ends_one_and_then_all(crashlab, live, second)


def stop_ends_one_and_then_all(crashlab: Shell, live: Live, second: Live) -> None:
    """A stopped incident keeps what was written, runs nothing, and refuses what needs a system."""
    plain = crashlab("stop")
    assert plain.code == 0
    assert f"Stopped {second.id}." in plain.out
    assert "What was wrong: wrong-alias" in plain.out
    assert re.search(rf"^Still running: .*{live.id}", plain.out, re.MULTILINE)
    assert serves(live)
    again = second("stop", "--json")
    assert (again.code, again.json) == (0, {"stopped": [second.id]})
    for argv in (
        "measure parity mismatch", "deploy", "promote 1", "retrain", "hint", "submit", "report", "shell -c true",
    ):  # fmt: skip
        refused(second(*argv.split()), 5, f"Incident {second.id} is stopped.")
    assert second.json("status")["record"]["phase"] == "stopped"
    assert second.json("status")["record"]["scenario"] == "wrong-alias"
    assert second.json("brief")["incident"] == second.id
    assert second.json("notebook")
    places = second.json("open")
    assert "api" not in places
    assert Path(places["post-mortem"]).is_file()
    refused(second("verdict"), 5, "Nothing has been graded yet.")
    refused(second("open", "api"), 2, "There is no place 'api'.")

    found = crashlab("stop", "--all", "--json")
    assert (found.code, found.json) == (0, {"stopped": [live.id]})
    assert not processes(crashlab.home)
    assert crashlab("stop", "--all", "--json").json == {"stopped": []}
    after = live("verdict")
    assert after.code == 1
    assert "What was wrong: unit-mismatch" in after.out
    assert live.json("status")["record"]["phase"] == "stopped"


def test_a_killed_making_of_the_history_is_ended_by_stop(crashlab: Shell) -> None:
    other = {"CRASHLAB_DATA_SEED": "8"}
    argv = ("start", "wrong-alias", "--runtime", "embedded")
    with begun(crashlab, "training the history of models", *argv, env=other) as running:
        kill(running)
    drafts = crashlab.home / "snapshots"
    assert len(list(drafts.glob(".*.embedded.*"))) == 1
    assert processes(crashlab.home)
    assert crashlab("stop").code == 0
    assert not list(drafts.glob(".*.embedded.*"))
    assert not processes(crashlab.home)


def test_a_host_restarted_before_the_evidence_was_frozen(crashlab: Shell, begin: Callable[..., Live]) -> None:
    """Nothing runs any more, not even the process that a start leaves behind to freeze the evidence."""
    one = begin("unit-mismatch", "--seed", "4", "--runtime", "embedded")
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "crashlab.freezing" in process.cmdline() and one.id in process.cmdline():
                process.kill()
    for process in one.processes():
        process.kill()
    frozen = crashlab.home / "sealed" / one.id / "broken.json"
    assert not frozen.exists(), "the evidence was frozen before the host went down"
    refused(one("measure", "registry", "alias=champion", "version"), 4, "MLflow does not answer.")
    assert one("deploy").code == 0
    assert frozen.is_file()
    assert serves(one)
    assert one.json("measure", "registry", "alias=champion", "version")["value"] == 5
    one("stop")
