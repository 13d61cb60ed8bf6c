"""A stack that many scenarios are proved on, one after the other, brought back to its first state in between.

Starting a registry takes longer than anything else in a proof, and no scenario needs another one than the next. So the
registry goes on running while everything that a scenario may have touched is put back: the workspace with its history,
the data folder, the registry's database and artifacts, and the services of the workload. `state` says what is there, all
of it, so that a leftover is found and not hoped to be absent.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from crashlab import past, snapshot, sources, workload
from crashlab.errors import StackError
from crashlab.incident import open_stack
from crashlab.model import RuntimeName
from crashlab.settings import Settings
from crashlab.stack.base import Report, Stack, states
from crashlab.stack.services import LAUNCH_FILE
from crashlab.workload import Workload
from crashlab.workspace import GitWorkspace

DATABASE: Final = "mlflow/mlflow.db"
"""The registry's database, which is compared by content: a running server writes pages in another order."""
ALIVE: Final = ("mlflow",)
"""Services that run while no scenario does."""
PASSING: Final = ("embedded.json", "logs/mlflow.log", "context/", "mlflow/mlflow.db")
"""Files that tell nothing of a scenario: the table of processes, the running registry's log, and Compose's build
contexts, which every build writes anew. The database is looked at by content."""
KEPT: Final = ("workspace", "data", "mlflow", "logs", "context", "embedded.json", "serving.port", LAUNCH_FILE)
"""What a stack's folder may hold between two scenarios, its locks apart."""
LOGS: Final = ("mlflow.log",)
SERVED: Final = ("traffic", "serving")
"""Services that are started from the workspace, in the order in which they are ended."""


class Stand:
    """One running registry with the pristine state of a workload. Made by `open_stand`.

    Every scenario on it has one calendar, `weeks` after the canonical one, whatever day it has become meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        runtime: RuntimeName,
        folder: Path,
        snap: snapshot.Snapshot,
        load: Workload,
        root: Path,
    ) -> None:
        name = load.name
        self.settings = settings
        self.runtime = runtime
        self.workload = name
        self.root = root
        self.load = load
        self.weeks = load.calendar.weeks_to(datetime.now(UTC))
        self.snapshot = snap
        self.folder = folder
        self.system = folder / f"{name}-{runtime}" / "system"
        self.pristine = folder / "pristine"
        self.stack: Stack = open_stack(settings, runtime, self.system, name, root)
        self.first: dict[str, str] = {}

    def make(self, report: Report) -> None:
        """Fill the stack's folder from the snapshot and start the registry."""
        report("making the stand")
        self.system.mkdir(parents=True)
        GitWorkspace.create(self.system / "workspace", self.root, self.workload, self.weeks)
        past.copy(self.snapshot.folder, self.system, self.load, self.weeks)
        for part in ("workspace", "data"):
            shutil.copytree(self.system / part, self.pristine / part, symlinks=True)
        self.stack.up(ALIVE, report)
        # The server changes its own tables when it first opens them; what it has made of them is the first state.
        shutil.copytree(self.system / "mlflow", self.pristine / "mlflow")
        self.reset(report)
        self.first = self.state()

    def reset(self, report: Report) -> None:
        """Put everything back that a scenario may have touched. The registry runs afterwards, and nothing else."""
        report("putting the stand back")
        self.stack.down(SERVED, forget=True)
        self.stack.up(ALIVE)
        for part in ("workspace", "data"):
            shutil.rmtree(self.system / part, ignore_errors=True)
            shutil.copytree(self.pristine / part, self.system / part, symlinks=True)
        _restore_database(self.pristine / DATABASE, self.system / DATABASE)
        mirror(self.pristine / "mlflow", self.system / "mlflow", "mlflow.db")
        for path in [*self.system.iterdir(), *(self.system / "logs").glob("*")]:
            if path.name not in KEPT and path.name not in LOGS and path.suffix != ".lock":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def state(self) -> dict[str, str]:
        """Everything that is there, by name: a hash of each file, the database's content, and what runs."""
        found = {
            name: hashlib.sha256((self.system / name).read_bytes()).hexdigest()
            for name in sorted(_files(self.system))
            if not name.startswith(PASSING) and not _is_lock(name)
        }
        found["registry's database"] = _content(self.system / DATABASE)
        running = sorted(state.name for state in states(self.stack) if state.running)
        return found | {"running services": ", ".join(running)}

    def leftovers(self) -> list[str]:
        """Name what differs from the first state: nothing, right after `reset`."""
        now = self.state()
        return sorted(name for name in {*now, *self.first} if now.get(name) != self.first.get(name))

    def close(self) -> None:
        """Tear the stack down. Raises StackError where something goes on running."""
        self.stack.down()
        left = [state.name for state in states(self.stack) if state.running]
        if left:
            raise StackError(f"{', '.join(left)} still runs after the proof.", "End it by hand.")


@contextmanager
def open_stand(settings: Settings, runtime: RuntimeName, name: str, report: Report) -> Iterator[Stand]:
    """Make a stand for a workload and tear it down at the end. What a killed proof left behind is torn down first."""
    root = sources.root(settings, name)
    load = workload.load(root, name)
    snap = snapshot.ensure(
        root, settings.snapshots, load, settings.data_seed, runtime,
        lambda home: open_stack(settings, runtime, home, name, root), report,
    )  # fmt: skip
    stands = settings.home / "stands"
    stands.mkdir(parents=True, exist_ok=True)
    clean_up(settings)
    with _free_place(stands) as folder:
        stand = Stand(settings, runtime, folder, snap, load, root)
        try:
            stand.make(report)
            yield stand
        finally:
            stand.close()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _free_place(stands: Path) -> Iterator[Path]:
    """Make a folder that was not there, and hold its lock: whoever is proving beside this one takes another."""
    for number in range(1, 1000):
        folder = stands / f"{number:03d}"
        lock = FileLock(stands / f"{folder.name}.lock", timeout=0)
        with suppress(Timeout):
            lock.acquire()
            if not folder.exists():
                break
            lock.release()
    else:
        raise StackError("Every place for a stand is taken.", f"Delete what is left in {stands}.")
    try:
        folder.mkdir()
        yield folder
    finally:
        lock.release()


def clean_up(settings: Settings) -> list[str]:
    """Tear down the stands of proofs that were killed. Returns their names."""
    stands = settings.home / "stands"
    cleaned = []
    for folder in sorted(path for path in stands.glob("*") if path.is_dir()):
        # A proof that is alive holds this lock; the kernel releases it when the process dies.
        with suppress(Timeout), FileLock(stands / f"{folder.name}.lock", timeout=0):
            for home in folder.glob("*/system"):
                name, _, runtime = home.parent.name.rpartition("-")
                open_stack(settings, "compose" if runtime == "compose" else "embedded", home, name).down()
            shutil.rmtree(folder, ignore_errors=True)
            cleaned.append(folder.name)
    return cleaned


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def _is_lock(name: str) -> bool:
    return name.endswith(".lock") and name.count("/") == 0


def _restore_database(source: Path, target: Path) -> None:
    """Put the content of one database into another that a server has open, as SQLite's own backup does."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=30)) as live:
        old.backup(live)


def _content(database: Path) -> str:
    digest = hashlib.sha256()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        for line in connection.iterdump():
            digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def mirror(source: Path, target: Path, *apart: str) -> None:
    """Make the files below `target` those below `source`, apart from those whose name begins as one of `apart` does."""
    wanted = {name for name in _files(source) if not name.startswith(apart)}
    for name in _files(target) - wanted:
        if not name.startswith(apart):
            (target / name).unlink(missing_ok=True)
    for name in wanted:
        old, new = source / name, target / name
        if not new.is_file() or old.read_bytes() != new.read_bytes():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new)
