"""Memory of the serving API while requests are answered: sampled during a replay, and read back as growth.

The samples are what a metrics scraper would have kept. They lie beside the other records of production, one JSON object
a line: wall-clock time, event time of the newest request, rows answered since the replay began, and megabytes.
"""

import json
import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from crashlab import production
from crashlab.errors import CrashlabError, StackError
from crashlab.stack.base import Stack, usage
from crashlab.workload import Workload

FILE = "usage.jsonl"
PAUSE = 0.25
"""Seconds between two samples."""
WARM = 50
"""Rows after which a process has loaded what it loads lazily, and its memory speaks of what it keeps."""
FEWEST = 200
"""Rows over which growth is measured at least."""
SOAK, STEP = 600, 50
"""Rows that a soak sends, and rows between two of its readings."""
GROUP, ALONE = 10, 2
"""Of ten rows in a row, two are sent as single requests and the others as one batch, as clients do."""


@dataclass(frozen=True)
class Sample:
    """One reading: when, at which event time, after how many rows since the replay began, and resident megabytes."""

    at: datetime
    event_time: datetime
    begun: str
    answered: int
    memory_mb: float


@contextmanager
def watched(stack: Stack) -> Iterator[None]:
    """Sample the serving API while the body sends requests to it. A service that does not answer leaves a gap."""
    path = stack.home / "data" / FILE
    begun = datetime.now(UTC)
    stop = threading.Event()

    def read() -> None:
        newest = production.last_event(stack.home / "data")
        answered = production.logged(stack.home / "data", begun)
        if newest is None or not answered:
            return
        line = {
            "at": datetime.now(UTC).isoformat(),
            "event_time": newest.isoformat(),
            "begun": begun.isoformat(),
            "answered": answered,
            "memory_mb": usage(stack, "serving").memory_mb,
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def watch() -> None:
        ended = False
        while not ended:
            ended = stop.wait(PAUSE)
            # A monitor must never be what fails: neither a service that is down nor a folder that goes away.
            with suppress(CrashlabError, OSError):
                read()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(timeout=10)


def samples(data: Path, start: datetime, end: datetime, since: datetime | None = None) -> list[Sample]:
    """Samples with event time in [start, end) taken at `since` (wall clock) or later, oldest first."""
    path = data / FILE
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        at, event_time = datetime.fromisoformat(row["at"]), datetime.fromisoformat(row["event_time"])
        if start <= event_time < end and (since is None or at >= since):
            found.append(Sample(at, event_time, row["begun"], int(row["answered"]), float(row["memory_mb"])))
    return found


def growth(found: Iterable[Sample]) -> float | None:
    """Megabytes by which memory grows with each 1,000 rows, in the longest replay; None where too few were answered.

    Method: the median of the slopes between all pairs of samples (Theil, 1950; Sen, 1968), which a single step of an
    allocator does not move.
    """
    replays: dict[str, list[tuple[int, float]]] = {}
    for sample in found:
        if sample.answered >= WARM:
            replays.setdefault(sample.begun, []).append((sample.answered, sample.memory_mb))
    points = max(replays.values(), key=_span, default=[])
    return slope(points) if points and _span(points) >= FEWEST else None


def _span(points: Sequence[tuple[int, float]]) -> int:
    return max(rows for rows, _ in points) - min(rows for rows, _ in points)


def slope(points: Sequence[tuple[int, float]]) -> float | None:
    """Median slope between all pairs of (rows, megabytes), in megabytes for 1,000 rows; None without two row counts."""
    slopes = [
        1000 * (right[1] - left[1]) / (right[0] - left[0])
        for index, left in enumerate(points)
        for right in points[index + 1 :]
        if right[0] != left[0]
    ]
    return float(median(slopes)) if slopes else None


def soak(stack: Stack, workload: Workload, orders: Sequence[dict[str, Any]]) -> float | None:
    """Send SOAK rows, no two under one key, and return the growth of memory meanwhile, in megabytes for 1,000 rows.

    The rows are drawn from `orders`, and their keys keep them out of every window. Raises StackError where a request
    is not answered.
    """
    rng = random.Random("soak")
    points: list[tuple[int, float]] = []
    with httpx.Client(base_url=stack.url("serving"), timeout=60) as client:
        for done in range(0, SOAK, STEP):
            rows = [
                {**rng.choice(orders), workload.entity: f"{production.MONITOR_PREFIX}soak-{done + number}"}
                for number in range(STEP)
            ]
            try:
                for first in range(0, STEP, GROUP):
                    for row in rows[first : first + ALONE]:
                        client.post("/predict", json=row).raise_for_status()
                    batch = {workload.batch_key: rows[first + ALONE : first + GROUP]}
                    client.post("/predict/batch", json=batch).raise_for_status()
            except httpx.HTTPError as error:
                raise StackError("The serving API does not bear a load.", "See its log.") from error
            if done + STEP >= WARM:
                points.append((done + STEP, usage(stack, "serving").memory_mb))
    return slope(points)
