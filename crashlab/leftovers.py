"""What killed commands and deleted state folders left on this machine: containers, networks, volumes, images, processes.

A command that was killed can be run again and then leaves nothing; this finds what nobody will run again.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from crashlab import incident as incidents
from crashlab import stand, starting, store
from crashlab.errors import CrashlabError, MissingPrerequisite
from crashlab.model import Frozen
from crashlab.records import Paths, Record
from crashlab.settings import Settings
from crashlab.stack import compose, embedded, engine, processes


class Leftover(Frozen):
    """What is left of one system: `name` is its Compose project, or the mark of its processes."""

    name: str
    what: str


def find(settings: Settings) -> list[Leftover]:
    """Return what is left of systems that no incident and no running command of this state folder needs.

    A system of another state folder is left alone as long as that folder is there.
    """
    homes = set(alive(settings))
    return [*_projects(homes), *_processes(settings, homes)]


def sweep(settings: Settings) -> list[Leftover]:
    """Remove what `find` finds, and return it. Raises StackError where something cannot be removed."""
    starting.clean_up(settings)
    stand.clean_up(settings)
    found = find(settings)
    for item in found:
        if compose.PROJECT.fullmatch(item.name):
            project = engine.Engine(item.name)
            project.end_clients()
            project.remove(project.containers(one_off=True))
            project.sweep(Path(os.sep))
        else:
            processes.end_all(item.name)
    return found


def alive(settings: Settings) -> Iterator[Path]:
    """Yield the folders of systems that are in use: of incidents that are not over, and of commands that are at work."""
    for identifier in incidents.running(settings):
        yield Paths(settings.home, identifier).system.resolve()
    for folder in (settings.home / "stands").glob("[0-9]*/*/system"):
        if _held(folder.parents[1].with_suffix(".lock")):
            yield folder.resolve()
    for folder in settings.snapshots.glob(".*.*.*"):
        if _held(settings.snapshots / f"{folder.name[1:].split('.', 1)[0]}.lock"):
            yield folder.resolve()


def _held(lock: Path) -> bool:
    """Say whether a process that is alive holds a lock; the kernel releases it when the process dies."""
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def _projects(homes: set[Path]) -> Iterator[Leftover]:
    needed = {compose.project_name(home) for home in homes}
    try:
        found = engine.projects()
    except MissingPrerequisite:
        return
    for name, project in sorted(found.items()):
        elsewhere = any(folder.is_dir() for folder in project.folders if not _over(folder))
        if compose.PROJECT.fullmatch(name) and name not in needed and not elsewhere:
            yield Leftover(name=name, what=str(project))


def _over(system: Path) -> bool:
    """Say whether a system's folder is that of an incident that is over."""
    record = system.parent / "incident.json"
    with suppress(CrashlabError, OSError):
        return record.is_file() and store.read(record, Record).phase == "stopped"
    return False


def _processes(settings: Settings, homes: set[Path]) -> Iterator[Leftover]:
    needed = {embedded.mark_of(home) for home in homes}
    environments = str(settings.home / "envs")
    for mark, number in sorted(processes.marks(environments).items()):
        if mark not in needed:
            yield Leftover(name=mark, what=f"{number} processes")
