"""Which process serves which service on which port: `<home>/embedded.json` of the embedded runtime.

The file is a convenience, not the truth: processes are found by their mark where it is missing or behind.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from crashlab import store
from crashlab.stack import processes
from crashlab.stack.processes import Started


@dataclass(frozen=True)
class Prepared:
    """Code folder, environment and short hash of what is ready to run."""

    code: Path
    env: Path
    release: str


@dataclass(frozen=True)
class Slot:
    """What is known of one service: its port, and the process, code folder and environment that run, if any."""

    port: int = 0
    pid: int = 0
    created: float = 0.0
    release: str = ""
    code: str = ""
    env: str = ""

    @classmethod
    def of(cls, port: int, started: Started, prepared: Prepared) -> "Slot":
        """Describe a process that was just started."""
        return cls(port, started.pid, started.created, prepared.release, str(prepared.code), str(prepared.env))

    @property
    def started(self) -> Started | None:
        """The process, if one was started."""
        return Started(self.pid, self.created) if self.pid else None

    @property
    def running(self) -> psutil.Process | None:
        """The process, if it still runs."""
        return processes.find(self.started) if self.started else None

    @property
    def prepared(self) -> Prepared | None:
        """What was run last, if it is still there."""
        there = self.code and Path(self.code).is_dir() and Path(self.env, "bin").is_dir()
        return Prepared(Path(self.code), Path(self.env), self.release) if there else None

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"


Slots = dict[str, Slot]


def with_port(slots: Slots, name: str) -> Slot:
    """Return the slot of a service, with a free port chosen for it if it has none yet."""
    slot = slots.get(name, Slot())
    if not slot.port:
        slot = replace(slot, port=processes.free_port(other.port for other in slots.values()))
        slots[name] = slot
    return slot


class SlotFile:
    """The file of the stack in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "embedded.json"

    def read(self) -> Slots:
        """Return what is written; nothing where the file is missing or damaged."""
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            return {name: Slot(**entry) for name, entry in found.items()}
        except (OSError, ValueError, TypeError):
            return {}

    @contextmanager
    def hold(self) -> Iterator[Slots]:
        """Hold the file and write it back if it changed; short, as every command of the stack waits for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        with FileLock(self.home / ".embedded.lock"):
            slots = self.read()
            before = dict(slots)
            yield slots
            if slots != before:
                text = json.dumps({name: asdict(slot) for name, slot in slots.items()}, indent=1)
                store.write_text(self.path, text + "\n")

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
