"""A new scenario from the template: one folder, which works before its author has changed a line."""

import re
import shutil
from pathlib import Path

from crashlab import scenario
from crashlab.errors import CrashlabError, UsageError

TEMPLATE = "_template"
PLACEHOLDER = "my-scenario"
"""Name that stands for the new one in the template's files."""


def new(folder: Path, name: str) -> Path:
    """Copy the template into the catalogue `folder` under a name and return the new folder.

    Raises UsageError where the name is taken or is no name. A copy that fails half way leaves nothing behind.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > 40:  # noqa: PLR2004 it becomes part of paths
        raise UsageError(f"{name!r} is not a name.", "Use lower-case words joined by hyphens, 40 letters at most.")
    target = folder / name
    if target.exists():
        raise UsageError(f"{name} is there already.", f"Choose another name than: {', '.join(scenario.names(folder))}.")
    draft = folder / f"_{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(folder / TEMPLATE, draft, ignore=shutil.ignore_patterns("__pycache__"))
        for path in sorted(draft.rglob("*")):
            if path.is_file():
                path.write_text(path.read_text(encoding="utf-8").replace(PLACEHOLDER, name), encoding="utf-8")
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise CrashlabError(
            f"{target} could not be made: {error.strerror or error}.", "Make room or give write permission there."
        ) from error
    return target
