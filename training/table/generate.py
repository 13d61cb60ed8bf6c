"""A past and a production made of a table's rows.

The rows are real and their times are made up: those of the past are spread over the training history in their order,
and every day production sends the same held-out rows in another order. Whatever moves from one day to the next is
therefore no chance of the draw.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from training.launch import LAUNCH, before
from training.table import schema as schemas
from training.table import stream as streams

ROWS_PER_DAY = 150
"""Requests of a day, about: every held-out row as often as fits."""


class Part:
    """The generator of one workload."""

    HISTORY = (before(26), LAUNCH)
    STREAM = (LAUNCH, before(-5))

    def __init__(self, workload: str) -> None:
        self.schema = schemas.load(workload)
        self.names = streams.Part(workload).NAMES
        self.TIME_FIELD = self.schema.event_time

    def _row(self, key: str, at: datetime, row: dict[str, Any]) -> dict[str, Any]:
        payload = {self.schema.entity: key, self.schema.event_time: at.strftime("%Y-%m-%dT%H:%M:%SZ"), **row["payload"]}
        return {"order": payload, "actual": row["actual"]}

    def history(self, seed: int) -> list[dict[str, Any]]:
        """Rows of the past with their outcomes. The table decides; `seed` is not needed."""
        del seed
        rows, days = self.schema.rows["history"], (self.HISTORY[1] - self.HISTORY[0]).days
        begin = datetime.combine(self.HISTORY[0], datetime.min.time(), UTC)
        step = timedelta(days=days) / max(len(rows), 1)
        return [self._row(f"h{number:07d}", begin + number * step, row) for number, row in enumerate(rows)]

    def _day(self, rng: np.random.Generator, day: date, rows: list[dict[str, Any]], first: int) -> list[dict[str, Any]]:
        times = max(1, round(ROWS_PER_DAY / len(rows)))
        order = np.concatenate([rng.permutation(len(rows)) for _ in range(times)])
        seconds = np.sort(rng.uniform(6 * 3600, 23 * 3600, len(order))).astype(int)
        begin = datetime.combine(day, datetime.min.time(), UTC)
        return [
            self._row(f"r{first + number:07d}", begin + timedelta(seconds=int(second)), rows[int(index)])
            for number, (second, index) in enumerate(zip(seconds, order, strict=True))
        ]

    def stream(self, seed: int) -> Iterator[dict[str, Any]]:
        """Rows that production receives, with their outcomes, in the order of their times."""
        rng = np.random.default_rng([seed, 3])
        day, number = self.STREAM[0], 1
        while day < self.STREAM[1]:
            found = self._day(rng, day, self.schema.rows["stream"], number)
            yield from found
            day, number = day + timedelta(days=1), number + len(found)

    def sample(
        self, n: int, name: str, seed: int, days: tuple[date, date], rows: list[dict[str, Any]] | None = None
    ) -> list[dict[str, Any]]:
        """Return `n` requests made of the given rows, or of those that production sends, spread over the days."""
        stream_id = int.from_bytes(name.encode()[:6], "big")
        rng = np.random.default_rng([seed, 4, stream_id])
        rows = rows or self.schema.rows["stream"]
        cycles = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-n // len(rows)))])[:n]
        begin = datetime.combine(days[0], datetime.min.time(), UTC)
        span = (days[1] - days[0]).total_seconds()
        moments = np.sort(rng.uniform(0, span, n))
        return [
            self._row(f"r{number + 1:07d}", begin + timedelta(seconds=int(moment)), rows[int(index)])
            for number, (moment, index) in enumerate(zip(moments, cycles, strict=True))
        ]

    def write_tables(self, seed: int, data: Path) -> None:
        """Do nothing: a table brings no online features."""

    def write_stream(self, seed: int, data: Path) -> None:
        """Write the stream of production in event-time order."""
        temporary = data / f".{self.names.file}"
        with temporary.open("w", encoding="utf-8") as handle:
            for row in self.stream(seed):
                handle.write(json.dumps(row, separators=(",", ":")) + "\n")
        temporary.replace(data / self.names.file)
