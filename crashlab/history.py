"""The believable past of a workspace: the workload's code taken back step by step, and replayed as commits.

`training/<workload>/history.toml` lists ordinary changes, oldest first, each as passages before and after. Undoing
all of them on today's code gives the first tree; committing them one by one leads back to today's code.
"""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crashlab.errors import UsageError
from crashlab.stack.base import Edit

FOLDERS = ("featurelib", "training", "serving")
"""What is deployable, and so what a workspace holds."""
ENGINE_FILES = ("workload.toml", "history.toml", "distractors.toml")
"""Files beside a workload's code that the engine reads and production does not need."""
SKIPPED = ("__pycache__", "tests", "build", "dist", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache")
IGNORE = "__pycache__/\n*.pyc\n*.egg-info/\n.venv/\nbuild/\n"
"""The workspace's .gitignore."""

Tree = dict[str, bytes]
"""Content by path from the top of the workspace."""


def tree(root: Path) -> Tree:
    """Read today's deployable code below `root`."""
    found: Tree = {".gitignore": IGNORE.encode()}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if not path.is_file() or set(relative.parts) & set(SKIPPED) or path.suffix == ".pyc":
                continue
            if relative.parts[0] == "training" and path.name in ENGINE_FILES:
                continue
            if any(part.endswith(".egg-info") for part in relative.parts):
                continue
            found[relative.as_posix()] = path.read_bytes()
    return found


def _replace(files: Tree, edit: Edit, where: str) -> None:
    """Apply an edit to a tree; empty `old` creates a file, empty `new` removes one that holds `old` alone."""
    present = files.get(edit.path)
    if not edit.old:
        if present is not None:
            raise UsageError(f"{where}: {edit.path} is there already.", "Give the passage before the change.")
        files[edit.path] = edit.new.encode()
        return
    text = "" if present is None else present.decode()
    if not edit.new:
        if text != edit.old:
            raise UsageError(f"{where}: {edit.path} is not what the change created.", "Give its whole content.")
        del files[edit.path]
        return
    if text.count(edit.old) != 1:
        raise UsageError(
            f"{where}: a passage occurs {text.count(edit.old)} times in {edit.path}; it must occur exactly once.",
            f"The passage begins with {edit.old[:60]!r}.",
        )
    files[edit.path] = text.replace(edit.old, edit.new).encode()


def _edits(entry: dict[str, Any]) -> list[Edit]:
    return [Edit(str(e["path"]), str(e["before"]), str(e["after"])) for e in entry.get("edit", [])]


def trees(root: Path, workload: str) -> list[tuple[dict[str, Any], Tree]]:
    """Return every commit's heading (message, author, when) with its full tree, oldest first.

    Raises UsageError where the history does not fit the code. Without a history there is one commit.
    """
    path = root / "training" / workload / "history.toml"
    found: dict[str, Any] = {}
    if path.is_file():
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"The history of {workload} is not valid: {error}.", f"Mend {path.name}.") from error
    first = {
        "message": "Import the service",
        "author": "Release <release@example.com>",
        "when": "2026-01-05T09:00:00+00:00",
        **found.get("first", {}),
    }
    today = tree(root)
    files = dict(today)
    commits: list[dict[str, Any]] = list(found.get("commit", []))
    try:
        for entry in reversed(commits):
            for edit in reversed(_edits(entry)):
                _replace(files, Edit(edit.path, edit.new, edit.old), f"Undoing {entry['message'].splitlines()[0]!r}")
        result = [(first, dict(files))]
        for entry in commits:
            for edit in _edits(entry):
                _replace(files, edit, f"Replaying {entry['message'].splitlines()[0]!r}")
            result.append((entry, dict(files)))
    except KeyError as error:
        raise UsageError(f"An entry in the history of {workload} has no {error}.", f"Mend {path.name}.") from error
    if files != today:
        raise UsageError(f"The history of {workload} does not lead to today's code.", f"Mend {path.name}.")
    return result


def stream(root: Path, workload: str, weeks: int = 0) -> bytes:
    """Return the whole history in the format of `git fast-import`, on branch main, its dates moved by `weeks`."""
    from crashlab.workspace import git_date, split_author

    out = bytearray()
    previous: Tree = {}
    for number, (entry, files) in enumerate(trees(root, workload), 1):
        name, address = split_author(str(entry["author"]))
        date = git_date(datetime.fromisoformat(str(entry["when"])) + timedelta(weeks=weeks))
        message = str(entry["message"]).strip().encode() + b"\n"
        out += b"commit refs/heads/main\n"
        out += f"mark :{number}\nauthor {name} <{address}> {date}\ncommitter {name} <{address}> {date}\n".encode()
        out += b"data %d\n%s\n" % (len(message), message)
        if number > 1:
            out += b"from :%d\n" % (number - 1)
        for path in sorted(set(previous) - set(files)):
            out += f'D "{path}"\n'.encode()
        for path, content in sorted(files.items()):
            if previous.get(path) != content:
                out += f'M 100644 inline "{path}"\n'.encode() + b"data %d\n%s\n" % (len(content), content)
        previous = files
    return bytes(out)
