"""Whether the pins that a person edits and the locked file that is installed say the same."""

import re
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Exact pins in the text of a requirements file: version by normal name."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def locked(folder: Path) -> bool:
    """Say whether every pin of `requirements.in` stands in `requirements.txt`. A missing `.in` asks for nothing."""
    source, lock = folder / "requirements.in", folder / "requirements.txt"
    if not source.is_file() or not lock.is_file():
        return True
    there = pins(lock.read_text(encoding="utf-8"))
    wanted = pins(source.read_text(encoding="utf-8"))
    return all(there.get(name) == version for name, version in wanted.items())


def minor(version: str) -> tuple[str, ...]:
    """Return a version's first two parts, within which Python's bytecode is the same."""
    return tuple(version.split(".")[:2])
