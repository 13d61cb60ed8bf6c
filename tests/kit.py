"""Helpers of the tests of the command line: one incident, commands that are killed, and what runs on this machine."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.conftest import CRASHLAB, ROOT, Ran, Shell

HOSTILE = """---
cause: unit-mismatch
contributing: []
component: serving-code
object: "<img src=x onerror=alert(1)>"
ruled_out: [covariate-shift]
---

## Summary
<script>alert('summary')</script> The distance was wrong & nobody "noticed" it. \x1b[31mred\x1b[0m \x1b]0;title\x07

## Impact
From 2026-09-05 06:58 UTC on, [bold red]each[/] estimate <b onclick="alert(2)">was</b> off by [link=http://x.y]14[/link] minutes.

## Root cause
Serving hands {{ distance_km }} in miles to <iframe src="javascript:alert(3)"></iframe> the model [/] which was trained in km.

## Evidence
- <svg onload=alert(4)> [registry alias=champion version=999] {% raw %} [quality mae=<script>alert(5)</script>].
"""


def refused(ran: Ran, code: int, message: str) -> None:
    """Hold a command to what every failure is: an exit code, one sentence, a hint, and no traceback."""
    assert (ran.code, ran.out) == (code, ""), ran
    assert "Traceback" not in ran.err
    said = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1, ran.err
    assert message in said[0]
    assert said[0].endswith((".", "?")), said[0]
    assert ran.err.splitlines()[-1].startswith("  "), f"no hint: {ran.err}"


def refused_by_log(ran: Ran, code: int, message: str) -> None:
    """Hold a failure to one sentence; its hint is the end of a log."""
    assert (ran.code, ran.out) == (code, ""), ran
    said = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1, ran.err
    assert message in said[0]


def refused_in_json(ran: Ran, code: int, message: str) -> None:
    """The same, where one JSON document is asked for."""
    assert ran.code == code, ran
    error = ran.json["error"]
    assert error["code"] == code
    assert message in error["message"]
    assert error["hint"]
    assert "Traceback" not in ran.err


def processes(home: Path) -> list[psutil.Process]:
    """Every process that any stack below the state folder has started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            if "CRASHLAB_STACK" in environment and environment.get("VIRTUAL_ENV", "").startswith(str(home)):
                found.append(process)
    return found


class Live:
    """One incident and the command line that works on it."""

    def __init__(self, shell: Shell, started: dict[str, Any]) -> None:
        self.shell = shell
        self.started = started
        self.id: str = started["incident"]
        self.root = shell.home / "incidents" / self.id

    def __call__(self, *argv: str) -> Ran:
        """Run one command on this incident."""
        name, *rest = argv
        return self.shell(name, "-i", self.id, *rest)

    def json(self, *argv: str) -> Any:
        """Run one command that succeeds, and return its document."""
        ran = self(argv[0], "--json", *argv[1:])
        assert ran.code == 0, ran
        return ran.json

    def processes(self, slot: str | None = None) -> list[psutil.Process]:
        """Processes of this incident's embedded stack, or of one slot of it."""
        mark = hashlib.sha256(str((self.root / "system").resolve()).encode()).hexdigest()[:16]
        found = []
        for process in processes(self.shell.home):
            with suppress(psutil.Error):
                environment = process.environ()
                if environment["CRASHLAB_STACK"] == mark and slot in (None, environment["CRASHLAB_SLOT"]):
                    found.append(process)
        return found

    def attempts(self) -> list[dict[str, Any]]:
        """Submissions as the incident knows them."""
        return list(self.json("status")["record"]["attempts"])

    @contextmanager
    def until(self, phase: str, *argv: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """Begin a command on this incident and wait until it says that it has come to `phase`."""
        name, *rest = argv
        with begun(self.shell, phase, name, "-i", self.id, *rest, env=env) as running:
            yield running


@contextmanager
def begun(shell: Shell, phase: str, *argv: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Begin a command and wait until it says that it has come to `phase`; it ends with the context at the latest."""
    running = subprocess.Popen(
        [*CRASHLAB, *argv],
        cwd=ROOT,
        env={**shell.env, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A test run that was put into the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no thread runs here
    )
    assert running.stderr is not None
    try:
        said = []
        for line in running.stderr:
            said.append(line)
            if phase in line:
                break
        else:
            raise AssertionError(f"{argv[0]} never said {phase!r}: {''.join(said)}")
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def kill(running: "subprocess.Popen[str]") -> None:
    """End a command as a crash would, without its knowing."""
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL


def write(path: Path, text: str) -> Path:
    """Write a text and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def record(one: Live) -> dict[str, Any]:
    """The incident's public record as it is on disk."""
    return dict(json.loads((one.root / "incident.json").read_text(encoding="utf-8")))


def release(live: Live) -> str:
    """Release that answers now."""
    return str(httpx.get(live.json("open", "api")["api"] + "/info", timeout=10).json()["release"])


def end(running: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """End a command by a signal and hold it to what it says then."""
    if number is signal.SIGKILL:
        kill(running)
        return
    os.kill(running.pid, number)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, ""), err
    assert "Interrupted; nothing was lost." in err
    assert "Traceback" not in err


def api(live: Live) -> str:
    return str(live.json("open", "api")["api"])


def serves(live: Live) -> bool:
    """Whether the API answers, with exactly one process family behind it."""
    assert len([p for p in live.processes("serving") if os.getsid(p.pid) == p.pid]) == 1
    return httpx.get(api(live) + "/ready", timeout=10).status_code == 200
