"""The catalogue as plain rows, read without the validation that takes longer than the reading.

`crashlab list` is to answer at once. Whatever is odd about a file is left to `crashlab.scenario`, which says what.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

LEVELS = range(1, 6)


class Row(NamedTuple):
    """What a list shows of one scenario."""

    level: int
    name: str
    workload: str
    minutes: int
    practises: str
    status: str


def rows(folder: Path) -> list[Row] | None:
    """Return the catalogue, drafts included, by level and name; None where a file does not say what a list shows."""
    found = []
    for path in folder.glob("[!_]*/scenario.toml"):
        try:
            said = {"status": "draft"} | tomllib.loads(path.read_text(encoding="utf-8"))
            row = Row(*(said[name] for name in Row._fields))
        except (OSError, ValueError, KeyError):
            return None
        if row.name != path.parent.name or row.level not in LEVELS or not isinstance(row.minutes, int):
            return None
        found.append(row)
    return sorted(found)
