"""Data files that ship with the grader."""

from pathlib import Path


def read(name: str) -> str:
    """Return the text of a data file beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
