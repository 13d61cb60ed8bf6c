"""What is known of a table: its columns, its target, and how its rows are split between past and production."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

Task = Literal["regression", "classification"]
Part = Literal["history", "stream"]


@dataclass(frozen=True)
class Column:
    """One column of the table. `levels` are the values of a category in the order of their codes, empty for a number."""

    name: str
    source: str
    levels: tuple[str, ...] = ()
    optional: bool = False

    def value(self, text: str) -> float | str | None:
        """Return a cell as the API receives it; an empty cell is unknown."""
        if text == "":
            return None
        return text if self.levels else float(text)


@dataclass(frozen=True)
class Schema:
    """A table's description, as `schema.json` beside its rows holds it.

    `positive` is the class whose probability is predicted, empty for a regression; `threshold` is the probability from
    which on the answer is `yes`. `kind` is the model that was chosen for the champion.
    """

    workload: str
    target: str
    task: Task
    entity: str
    event_time: str
    columns: tuple[Column, ...]
    kind: str
    positive: str = ""
    threshold: float = 0.5

    @cached_property
    def rows(self) -> dict[Part, list[dict[str, Any]]]:
        """Payload without key and time, and outcome, of every stored row by part: `{"payload": ..., "actual": ...}`."""
        found: dict[Part, list[dict[str, Any]]] = {"history": [], "stream": []}
        for part, row in self._stored():
            found[part].append(row)
        return found

    def _stored(self) -> Iterator[tuple[Part, dict[str, Any]]]:
        with (folder(self.workload) / "table.csv").open(encoding="utf-8", newline="") as handle:
            for line in csv.DictReader(handle):
                payload = {column.name: column.value(line[column.name]) for column in self.columns}
                part: Any = line["part"]
                yield part, {"payload": payload, "actual": float(line["outcome"])}


def folder(workload: str) -> Path:
    """Folder of a workload's own files."""
    return Path(__file__).parents[1] / workload


def is_table(workload: str) -> bool:
    """Say whether a workload was made from a table."""
    return (folder(workload) / "schema.json").is_file()


def load(workload: str) -> Schema:
    """Read a workload's schema."""
    found = json.loads((folder(workload) / "schema.json").read_text(encoding="utf-8"))
    columns = tuple(Column(**{**entry, "levels": tuple(entry["levels"])}) for entry in found.pop("columns"))
    return Schema(columns=columns, **found)
