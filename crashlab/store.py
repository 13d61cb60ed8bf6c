"""Files that survive a kill: written beside their place, flushed to disk and moved there in one step."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from crashlab.errors import CrashlabError, StateError

Model = TypeVar("Model", bound=BaseModel)


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file so that a reader sees the old or the new content and never half of one.

    Raises CrashlabError where the disk is full or the folder cannot be written; the old file is then untouched.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.chmod(0o600 if private else 0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error))
        raise CrashlabError(
            f"Could not write {path.name}: {reason}.",
            f"Make room or give write permission in {path.parent}, then run the command again; nothing was lost.",
        ) from error


def write(path: Path, value: BaseModel, *, private: bool = False) -> None:
    """Write a model as JSON."""
    write_text(path, value.model_dump_json(indent=1) + "\n", private=private)


def read(path: Path, kind: type[Model]) -> Model:
    """Read a model written by `write`. Raises StateError where the file is missing or not valid."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(f"{path.name} is not there yet.", "Let the command that writes it finish first.") from error
    except ValidationError as error:
        raise StateError(f"{path.name} is damaged: {error.error_count()} errors.", f"Look at {path}.") from error
