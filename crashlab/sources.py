"""Where a workload's deployable code is: in the project, or in a copy of it with a person's own workload added.

Everything that brings up a stack is given one folder with featurelib/, training/, serving/ and docker-compose.yml. For
a workload of the project that is the project itself. For one that was made from a table it is a copy, named by a hash
of all it is made of, so that it follows the project and an incident keeps the code it began with.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from crashlab.settings import Settings

FOLDERS = ("featurelib", "training", "serving")
HIDDEN = "hidden.jsonl"
"""Rows that a repaired system is held to, one a line: payload without key and time, and outcome. In no workspace."""
SKIPPED = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def own(settings: Settings, workload: str) -> Path:
    """Folder of a workload that was made from a table, whether it is there or not."""
    return settings.workloads / workload


def own_names(settings: Settings) -> list[str]:
    """Workloads that were made from tables."""
    return sorted(path.name for path in settings.workloads.glob("*") if _is_one(path))


def _is_one(folder: Path) -> bool:
    return (folder / "training" / folder.name / "workload.toml").is_file()


def root(settings: Settings, workload: str) -> Path:
    """Return the folder that holds a workload's code, making the copy where it is needed."""
    folder = own(settings, workload)
    if not _is_one(folder):
        return settings.root
    files = {**dict(_files(settings.root)), **dict(_files(folder))}
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    target = settings.sources / f"{workload}-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return target
    settings.sources.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.sources / f".{target.name}.lock"):
        if not target.is_dir():
            draft = target.with_name(f".{target.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            for name, path in files.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, draft / name)
            draft.rename(target)
    return target


def _files(top: Path) -> Iterator[tuple[str, Path]]:
    """Yield what a stack is brought up from, by its path below `top`."""
    for name in ("docker-compose.yml", HIDDEN):
        if (top / name).is_file():
            yield name, top / name
    for folder in FOLDERS:
        for path in (top / folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc" and not set(path.parts) & set(SKIPPED):
                yield path.relative_to(top).as_posix(), path
