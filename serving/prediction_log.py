"""The prediction log: what came in, what the model saw, what it answered. Written in the background."""

import json
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("serving.prediction_log")

CAPACITY = 10_000
"""Rows that wait at most; further ones are dropped and counted, so that a slow disk slows no request."""
BATCH = 500
INTERVAL = 0.1
"""Seconds between two writes while rows come in."""
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS predictions (id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, entity TEXT NOT NULL, "
    "event_time TEXT NOT NULL, logged_at TEXT NOT NULL, raw TEXT NOT NULL, features TEXT NOT NULL, "
    "prediction REAL NOT NULL, model_version INTEGER NOT NULL, release TEXT NOT NULL, latency_ms REAL NOT NULL, "
    "decision TEXT, process INTEGER, rows INTEGER)"
)
INDEX = "CREATE INDEX IF NOT EXISTS predictions_entity ON predictions (entity)"


def _widen(connection: sqlite3.Connection) -> None:
    """Add the columns that a log of an earlier release lacks. Of several processes that start at once, one adds them."""
    connection.execute("BEGIN IMMEDIATE")
    there = {row[1] for row in connection.execute("PRAGMA table_info(predictions)")}
    for name in ("process", "rows"):
        if name not in there:
            connection.execute(f"ALTER TABLE predictions ADD COLUMN {name} INTEGER")


@dataclass(frozen=True)
class Row:
    """One prediction. Times are UTC in ISO 8601, `latency_ms` is the time from arrival to the answer.

    `decision` is None where the workload decides nothing; `process` is the id of the process that answered, and `rows`
    how many rows its request had.
    """

    request_id: str
    entity: str
    event_time: str
    logged_at: str
    raw: Mapping[str, Any]
    features: Mapping[str, float | None]
    prediction: float
    model_version: int
    release: str
    latency_ms: float
    decision: str | None = None
    process: int | None = None
    rows: int = 1

    def values(self) -> tuple[Any, ...]:
        """Columns in the order of the table, without the id."""
        return (
            self.request_id,
            self.entity,
            self.event_time,
            self.logged_at,
            json.dumps(self.raw),
            json.dumps(self.features),
            self.prediction,
            self.model_version,
            self.release,
            self.latency_ms,
            self.decision,
            self.process,
            self.rows,
        )


class PredictionLog:
    """A bounded queue in front of a SQLite file in WAL mode, with one thread that writes."""

    def __init__(self, path: Path, dropped: Callable[[int], None], capacity: int = CAPACITY) -> None:
        self.path = path
        self.dropped = dropped
        self.rows: queue.Queue[Row] = queue.Queue(capacity)
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Make the table and begin to write."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(SCHEMA)
            _widen(connection)
            connection.execute(INDEX)
        self.thread.start()

    def add(self, row: Row) -> None:
        """Queue a row. Never waits: when the queue is full the row is dropped and counted."""
        try:
            self.rows.put_nowait(row)
        except queue.Full:
            self.dropped(1)

    def flush(self) -> None:
        """Return when every row queued so far is on disk."""
        self.rows.join()

    def close(self) -> None:
        """Write what is queued and stop."""
        self.closing.set()
        self.thread.join(timeout=10)

    def _run(self) -> None:
        while not (self.closing.is_set() and self.rows.empty()):
            batch = self._batch()
            if batch:
                try:
                    self._write(batch)
                except sqlite3.Error:
                    # A full disk must not end the service: these rows are lost, and counted.
                    log.exception("%d predictions could not be logged", len(batch))
                    self.dropped(len(batch))
                for _ in batch:
                    self.rows.task_done()
            self.closing.wait(INTERVAL)

    def _batch(self) -> list[Row]:
        batch: list[Row] = []
        while len(batch) < BATCH:
            try:
                batch.append(self.rows.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write(self, batch: list[Row]) -> None:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executemany(
                "INSERT INTO predictions (request_id, entity, event_time, logged_at, raw, features, prediction, "
                "model_version, release, latency_ms, decision, process, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [row.values() for row in batch],
            )
