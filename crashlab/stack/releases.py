"""What is shipped: copies of the workspace's code that services run from, apart from what is edited meanwhile."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from crashlab.errors import BuildFailed, UsageError
from crashlab.stack.envs import folder_hash
from crashlab.workspace import GitWorkspace

KEPT = 3
"""Releases of the serving side that are kept on disk."""


@dataclass(frozen=True)
class Release:
    """A commit's serving side on disk: `code` holds the package, `sources` the in-house library's releases."""

    code: Path
    sources: Path
    commit: str

    @property
    def short(self) -> str:
        """The commit's short hash."""
        return self.commit[:7]


def export_serving(home: Path, workspace: GitWorkspace) -> Release:
    """Write the last commit's serving side to a new folder below `home`. Raises BuildFailed where it is not there."""
    commit = workspace.head()
    folder = home / "releases"
    with FileLock(home / ".releases.lock"):
        number = 1 + max((_number(path) for path in folder.glob("serving-*-*")), default=0)
        code = folder / f"serving-{commit[:7]}-{number}"
        # The library is installed as a wheel; its sources stay out of the service's reach.
        sources = folder / f"featurelib-{commit[:7]}-{number}"
        try:
            workspace.export(code, "serving", commit=commit)
            workspace.export(sources, "featurelib", commit=commit)
        except UsageError as error:
            shutil.rmtree(code, ignore_errors=True)
            shutil.rmtree(sources, ignore_errors=True)
            raise BuildFailed(error.message, error.hint) from error
    return Release(code, sources / "featurelib" / "releases", commit)


def export_training(home: Path, workspace: GitWorkspace) -> Path:
    """Copy the training code of the working tree, committed or not, to a folder named by what is in it."""
    source = workspace.path / "training"
    if not source.is_dir():
        raise BuildFailed("The workspace has no folder training.", "Restore it with git, then run the command again.")
    target = home / "releases" / f"training-{folder_hash(source)}"
    with FileLock(home / ".releases.lock"):
        if not target.is_dir():
            draft = target.with_name(f".{target.name}")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(source, draft / "training", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            draft.rename(target)
    return target


def discard(release: Release) -> None:
    """Remove a release that is not going to run."""
    shutil.rmtree(release.code, ignore_errors=True)
    shutil.rmtree(release.sources.parents[1], ignore_errors=True)


def prune(home: Path, used: set[str], keep: int = KEPT) -> None:
    """Remove all but the newest `keep` releases, sparing the code folders in `used`."""
    for kind in ("serving", "featurelib"):
        found = sorted((home / "releases").glob(f"{kind}-*-*"), key=_number, reverse=True)
        for path in found[keep:]:
            if str(path) not in used:
                shutil.rmtree(path, ignore_errors=True)


def _number(path: Path) -> int:
    last = path.name.rsplit("-", 1)[1]
    return int(last) if last.isdigit() else 0
