"""The images of a Compose stack, built from copies of the workspace's code."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from crashlab.errors import BuildFailed, UsageError
from crashlab.stack import manifest
from crashlab.stack.base import Finished, Report
from crashlab.stack.engine import Engine
from crashlab.stack.envs import TAIL, folder_hash
from crashlab.stack.manifest import Manifest
from crashlab.stack.refusals import known
from crashlab.workspace import GitWorkspace


def readable(folder: Path) -> None:
    """Let everybody read a folder: in an image, its files belong to root and are run by another user.

    What somebody wrote under a strict umask has a mode that shuts that user out.
    """
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


class Compose(Protocol):
    """Runs `docker compose` for a stack, with the images built from the folder `context`."""

    def __call__(self, *argv: str, context: Path | None = None) -> Finished:
        """Return how the command ended."""
        ...


class Images:
    """Builds the serving side as committed, and the training side as it is in the working tree."""

    def __init__(self, home: Path, workspace: Callable[[], GitWorkspace], engine: Engine, compose: Compose) -> None:
        self.home = home
        self.folder = home / "context"
        self.workspace = workspace
        self.engine = engine
        self.compose = compose

    def build(self, services: Sequence[str], report: Report) -> None:
        """Build the images of the services, those of either side at the same time. Raises BuildFailed."""
        report("building the images")
        with ThreadPoolExecutor(1) as pool:
            serving = pool.submit(self.serving) if "serving" in services else None
            if {"mlflow", "training", "traffic"} & set(services):
                self.training(registry="mlflow" in services)
            if serving is not None:
                serving.result()

    def serving(self) -> str:
        """Build the last commit's serving image, and return the builder's log. Raises BuildFailed."""
        with self._lock("serving"):
            context = self.folder / "serving"
            shutil.rmtree(context, ignore_errors=True)
            try:
                self.workspace().export(context, "serving", "featurelib")
            except UsageError as error:
                raise BuildFailed(error.message, error.hint) from error
            manifest.read(context)
            return self._image(context, "serving")

    def manifest(self) -> tuple[Manifest, str]:
        """Return the manifest of what was built last, and the file that Compose takes its variables from.

        One that cannot be read is as good as none: taking a stack down must not need a workspace that is whole.
        """
        path = self.folder / "serving" / manifest.FILE
        try:
            return manifest.read(self.folder / "serving"), str(path) if path.is_file() else os.devnull
        except BuildFailed:
            return Manifest(), os.devnull

    def training(self, *, registry: bool = False) -> None:
        """Build the training image, unless it was built from the same files already. Raises BuildFailed."""
        with self._lock("training"):
            workspace = self.workspace()
            parts = [workspace.path / name for name in ("training", "featurelib")]
            for part in parts:
                if not part.is_dir():
                    raise BuildFailed(f"The workspace has no folder {part.name}.", "Restore it with git.")
            digest = " ".join([*(folder_hash(part) for part in parts), workspace.head()])
            stamp = self.folder / "training.built"
            built = stamp.is_file() and stamp.read_text(encoding="utf-8") == digest and self.engine.images("training")
            names = [*(["mlflow"] if registry else []), *([] if built else ["training"])]
            if not names:
                return
            context = self.folder / "training"
            shutil.rmtree(context, ignore_errors=True)
            for part in parts:
                shutil.copytree(part, context / part.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            self._image(context, *names)
            stamp.write_text(digest, encoding="utf-8")

    def _image(self, context: Path, *services: str) -> str:
        readable(context)
        done = self.compose("build", *services, context=context)
        # What a step of the build printed, and so the reason, is on standard output; only the summary is an error.
        log = f"{done.out}\n{done.err}".strip()
        if done.code != 0:
            title = f"The image of {' and '.join(services)} does not build"
            if reason := known(log):
                raise BuildFailed(f"{title}: {reason.message[0].lower()}{reason.message[1:]}", reason.hint)
            raise BuildFailed(f"{title}.", log[-TAIL:])
        return log[-4000:]

    def _lock(self, name: str) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.home / f".{name}-image.lock")
