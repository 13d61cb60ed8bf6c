"""A table as it was given: read from CSV, its columns understood, its rows split. Standard library alone."""

import csv
import io
import keyword
import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from crashlab.errors import UsageError

Task = Literal["regression", "classification"]
UNKNOWN = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "nil", "-"})
"""Cells that say that nothing is known, in lower case."""
LEAST_ROWS = 100
MOST_ROWS = 20_000
"""Rows that are kept; a larger table is sampled."""
MOST_BYTES = 200_000_000
MOST_COLUMNS = 200
MOST_LEVELS = 50
"""Values of a category; a text column with more of them is left out."""
LEAST_OF_A_CLASS = 10
FEW_VALUES = 10
"""Whole numbers with at most so many values are classes where they are the target."""
STREAM_SHARE, MOST_STREAM = 0.3, 150
HIDDEN_SHARE, MOST_HIDDEN = 0.2, 240
RESERVED = frozenset(
    {"request_id", "model_version", "decision", "probability", "schema", "json", "dict", "copy", "fields"}
)
"""Names that a column cannot have beside the API's own, or in a pydantic model."""


@dataclass(frozen=True)
class Column:
    """A column that is a feature: its name in the API, its heading in the file, its levels if it is a category."""

    name: str
    source: str
    levels: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class Row:
    """One row: cells by column name, empty where unknown, and the outcome as a number."""

    cells: dict[str, str]
    outcome: float


@dataclass(frozen=True)
class Table:
    """A table that can become a workload."""

    target: str
    task: Task
    positive: str
    entity: str
    event_time: str
    columns: tuple[Column, ...]
    left_out: dict[str, str]
    """Headings of columns that are no features, with the reason."""
    dropped: int
    """Rows without a target."""
    history: tuple[Row, ...]
    stream: tuple[Row, ...]
    hidden: tuple[Row, ...]


def identifier(heading: str, taken: set[str]) -> str:
    """Return a name for the API that no other column has: lower case, words joined by underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")[:40].strip("_") or "column"
    if not name[0].isalpha() or keyword.iskeyword(name) or name in RESERVED or name.startswith("model_"):
        name = f"c_{name}"
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    taken.add(unique)
    return unique


def cell(text: str | None) -> str:
    """Return a cell without spaces around it, and nothing where nothing is known."""
    found = (text or "").strip()
    return "" if found.lower() in UNKNOWN else found


def number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read headings and rows of a CSV file. Raises UsageError where it is none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path.name} is larger than {MOST_BYTES // 10**6} MB.", "Give a sample of its rows.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}.", "Give the path of a CSV file in UTF-8.") from error
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    reader = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    headings = [heading for heading in reader.fieldnames or [] if heading and heading.strip()]
    twice = sorted(name for name, count in Counter(headings).items() if count > 1)
    if len(headings) < 2 or twice:  # noqa: PLR2004 a target and one feature
        problem = f"has the heading {twice[0]!r} twice" if twice else "has fewer than two columns with a heading"
        raise UsageError(f"{path.name} {problem}.", "The first line holds one name for each column.")
    return headings, [{name: cell(row.get(name)) for name in headings} for row in reader]


def column(heading: str, name: str, values: Sequence[str]) -> Column | str:
    """Understand one column. Returns the reason where it is no feature."""
    known = [value for value in values if value]
    distinct = set(known)
    if len(distinct) < 2:  # noqa: PLR2004 a column that never changes says nothing
        return "it has one value only"
    if all(number(value) is not None for value in distinct):
        return Column(name, heading, (), len(known) < len(values))
    if len(distinct) > MOST_LEVELS or len(distinct) > len(known) / 2:
        return f"it is text with {len(distinct)} different values"
    # Codes are given by frequency, which is no order that anything else would come upon by itself.
    levels = tuple(level for level, _ in sorted(Counter(known).items(), key=lambda item: (-item[1], item[0])))
    return Column(name, heading, levels, len(known) < len(values))


def task_of(values: Sequence[str]) -> Task:
    """Say what a target asks for: a number with many values is a regression, all else is a classification."""
    distinct = {value for value in values if value}
    return (
        "regression"
        if len(distinct) > FEW_VALUES and all(number(v) is not None for v in distinct)
        else "classification"
    )


def read(
    path: Path, target: str, *, time: str | None, entity: str | None, task: Task | None, positive: str | None
) -> Table:
    """Read a table and split its rows. Raises UsageError with the reason where no workload can be made of it."""
    headings, rows = read_rows(path)
    for name in (target, time, entity):
        if name is not None and name not in headings:
            raise UsageError(f"{path.name} has no column {name!r}.", f"Columns: {', '.join(headings[:20])}.")
    kept = [row for row in rows if row[target]]
    if len(kept) < LEAST_ROWS:
        raise UsageError(
            f"{path.name} has {len(kept)} rows with a value of {target}.", f"It takes {LEAST_ROWS} of them."
        )
    chosen = task or task_of([row[target] for row in kept])
    outcomes, positive = _outcomes(target, [row[target] for row in kept], chosen, positive)
    taken = {"probability"}
    event_time, key = identifier(time or "event_time", taken), identifier(entity or "row_id", taken)
    columns, left_out = [], {}
    for heading in headings:
        if heading in (target, time, entity):
            continue
        found = column(heading, identifier(heading, taken), [row[heading] for row in kept])
        if isinstance(found, Column):
            columns.append(found)
        else:
            left_out[heading] = found
    if not columns or len(columns) > MOST_COLUMNS:
        raise UsageError(f"{path.name} has {len(columns)} columns to learn from.", f"It takes 1 to {MOST_COLUMNS}.")
    made = [
        Row({column.name: row[column.source] for column in columns}, outcome)
        for row, outcome in zip(kept, outcomes, strict=True)
    ]
    when = [row[time] for row in kept] if time else None
    history, stream, hidden = split(made, when, classes=chosen == "classification", time=time or "")
    return Table(
        target=target, task=chosen, positive=positive, entity=key, event_time=event_time, columns=tuple(columns),
        left_out=left_out, dropped=len(rows) - len(kept), history=tuple(history), stream=tuple(stream),
        hidden=tuple(hidden),
    )  # fmt: skip


def _outcomes(target: str, values: list[str], task: Task, positive: str | None) -> tuple[list[float], str]:
    """Return outcomes as numbers, and the class that 1 stands for."""
    if task == "regression":
        numbers = [number(value) for value in values]
        bad = next((text for text, found in zip(values, numbers, strict=True) if found is None), None)
        if bad is not None:
            raise UsageError(f"{target} has the value {bad!r}, which is no number.", "Use --task classification.")
        return [value for value in numbers if value is not None], ""
    counts = Counter(values)
    if positive is not None and positive not in counts:
        raise UsageError(f"{target} has no value {positive!r}.", f"Values: {', '.join(sorted(counts)[:12])}.")
    chosen = positive if positive is not None else min(counts, key=lambda name: (counts[name], name))
    for count, what in (
        (counts[chosen], f"with {target} = {chosen}"),
        (len(values) - counts[chosen], "of other classes"),
    ):
        if count < LEAST_OF_A_CLASS:
            raise UsageError(f"There are {count} rows {what}.", f"It takes {LEAST_OF_A_CLASS}; see --positive.")
    return [float(value == chosen) for value in values], chosen


def split(
    rows: Sequence[Row], when: Sequence[str] | None, *, classes: bool, time: str
) -> tuple[list[Row], list[Row], list[Row]]:
    """Split rows into the past, what production sends, and what a repaired system is held to.

    With times, the latest rows are those of production. Without, the order is drawn once and for all, with the classes
    spread evenly. Large parts are cut, the past to its latest rows.
    """
    rng = random.Random("table")
    order = list(range(len(rows)))
    if when is not None:
        moments = [moment(text, time) for text in when]
        order.sort(key=lambda index: moments[index])
    else:
        rng.shuffle(order)
        if classes:
            order = _spread(order, [rows[index].outcome for index in order])
    later = min(int(len(rows) * STREAM_SHARE), MOST_STREAM) + min(int(len(rows) * HIDDEN_SHARE), MOST_HIDDEN)
    n_stream = min(int(len(rows) * STREAM_SHARE), MOST_STREAM)
    past, fresh = order[: len(rows) - later][-MOST_ROWS:], order[len(rows) - later :]
    # Both fresh parts come from the same days.
    drawn = {fresh[int(k * len(fresh) / n_stream)] for k in range(n_stream)}
    stream = [index for index in fresh if index in drawn]
    hidden = [index for index in fresh if index not in drawn]
    return [rows[i] for i in past], [rows[i] for i in stream], [rows[i] for i in hidden]


def _spread(order: Sequence[int], outcomes: Sequence[float]) -> list[int]:
    """Reorder so that every stretch has about the same share of each outcome."""
    totals, seen = Counter(outcomes), Counter[float]()
    places = []
    for index, outcome in zip(order, outcomes, strict=True):
        places.append(((seen[outcome] + 0.5) / totals[outcome], index))
        seen[outcome] += 1
    return [index for _, index in sorted(places)]


def moment(text: str, heading: str) -> float:
    """Return what a time sorts by: an ISO 8601 date or time, or a number. Raises UsageError for anything else."""
    if (plain := number(text)) is not None:
        return plain
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{heading} has the value {text!r}, which is no time.", "Write times as 2026-03-31 or 2026-03-31T09:00:00."
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
