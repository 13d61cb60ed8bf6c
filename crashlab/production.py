"""What production recorded: the prediction log, the gateway's access log and the delayed labels, in the data folder."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crashlab.errors import StackError

MONITOR_PREFIX = "monitor-"
"""Entity prefix of the engine's own open latency checks; they are left out of every window."""
PATIENCE = 10.0
"""Seconds to wait for a file that another process has locked."""


@dataclass(frozen=True)
class Prediction:
    """One row of the prediction log. `features` holds None for unknown; `latency_ms` is the handler's time.

    `decision` is what was decided by the prediction, None where nothing is; `process` is the id of the process that answered,
    and `rows` how many rows its request had.
    """

    entity: str
    event_time: datetime
    logged_at: datetime
    raw: dict[str, Any]
    features: dict[str, float | None]
    prediction: float
    model_version: int
    release: str
    latency_ms: float
    decision: str | None = None
    process: int | None = None
    rows: int = 1


@dataclass(frozen=True)
class Request:
    """One request as the gateway saw it, for one row or several. `status` is 0 where there was no answer."""

    event_time: datetime
    sent_at: datetime
    rows: int
    status: int

    @property
    def failed(self) -> bool:
        """Whether it got no answer of the kind 2xx."""
        return self.status // 100 != 2  # noqa: PLR2004 what HTTP calls success


def moment(text: str) -> datetime:
    """Parse a UTC time stamp as the services write it."""
    return datetime.fromisoformat(text)


def _rows(
    path: Path, query: str, parameters: tuple[object, ...], patience: float | None = None
) -> list[tuple[Any, ...]]:
    if not path.is_file():
        return []
    wait = PATIENCE if patience is None else patience
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=wait)) as connection:
            return connection.execute(query, parameters).fetchall()
    except sqlite3.Error as error:
        raise StackError(
            f"{path.name} cannot be read: {error}.", "Check that the stack's data folder is whole."
        ) from error


COLUMNS = "entity, event_time, logged_at, raw, features, prediction, model_version, release, latency_ms, decision, process, rows"


def _prediction(row: tuple[Any, ...]) -> Prediction:
    entity, event_time, logged_at, raw, features, prediction, version, release, latency_ms, decision, process, rows = (
        row
    )
    return Prediction(
        entity, moment(event_time), moment(logged_at), json.loads(raw), json.loads(features), prediction, int(version),
        release, latency_ms, decision, process, rows or 1,
    )  # fmt: skip


def predictions(
    data: Path, start: datetime, end: datetime, *, logged_since: datetime | None = None, limit: int = 100_000
) -> list[Prediction]:
    """Predictions with event time in [start, end), oldest first; the newest `limit` of them."""
    since = logged_since.isoformat() if logged_since else ""
    rows = _rows(
        data / "predictions.db",
        f"SELECT {COLUMNS} FROM predictions WHERE logged_at >= ? AND entity NOT LIKE ? "  # noqa: S608 fixed names
        "ORDER BY event_time DESC, id DESC",
        (since, MONITOR_PREFIX + "%"),
    )
    found = []
    for row in rows:
        at = moment(row[1])
        if start <= at < end:
            found.append(_prediction(row))
            if len(found) == limit:
                break
    return found[::-1]


def requests(data: Path, start: datetime, end: datetime, *, sent_since: datetime | None = None) -> list[Request]:
    """Requests of clients with event time in [start, end), oldest first."""
    rows = _rows(
        data / "requests.db",
        "SELECT event_time, sent_at, orders, status FROM requests WHERE sent_at >= ? ORDER BY event_time",
        (sent_since.isoformat() if sent_since else "",),
    )
    found = [Request(moment(event), moment(sent), int(count), int(status)) for event, sent, count, status in rows]
    return [request for request in found if start <= request.event_time < end]


def by_entity(data: Path, entities: set[str], since: datetime) -> dict[str, Prediction]:
    """Return the newest prediction of each of the given entities that was logged at `since` (wall clock) or later."""
    found: dict[str, Prediction] = {}
    rows = _rows(
        data / "predictions.db",
        f"SELECT {COLUMNS} FROM predictions WHERE logged_at >= ? ORDER BY id DESC",  # noqa: S608 fixed names
        (since.isoformat(),),
    )
    for row in rows:
        if row[0] in entities and row[0] not in found:
            found[row[0]] = _prediction(row)
    return found


def logged(data: Path, since: datetime) -> int:
    """Count the predictions that were logged at `since` (wall clock) or later."""
    rows = _rows(data / "predictions.db", "SELECT count(*) FROM predictions WHERE logged_at >= ?", (since.isoformat(),))
    return int(rows[0][0]) if rows else 0


def recorded(data: Path, until: datetime, *, patience: float | None = None) -> int | None:
    """Count the predictions for clients that were logged at `until` (wall clock) or before.

    Without the file or the table there are none. None where the file is there and cannot be read, after `patience` seconds
    (`PATIENCE` by default) if it is locked: what it holds is then not known, and nobody deleted it.
    """
    path = data / "predictions.db"
    query = "SELECT count(*) FROM predictions WHERE logged_at <= ? AND entity NOT LIKE ?"
    try:
        if not _rows(path, "SELECT 1 FROM sqlite_master WHERE name = 'predictions'", (), patience):
            return 0
        rows = _rows(path, query, (until.isoformat(), MONITOR_PREFIX + "%"), patience)
    except StackError:
        return None
    return int(rows[0][0]) if rows else 0


def forget(data: Path, entities: Iterable[str]) -> int:
    """Delete the predictions of the given entities from the log; returns how many rows went."""
    path = data / "predictions.db"
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            gone = connection.executemany("DELETE FROM predictions WHERE entity = ?", [(key,) for key in entities])
            return gone.rowcount
    except sqlite3.Error as error:
        raise StackError(
            f"{path.name} cannot be written: {error}.", "Check that the stack's data folder is whole."
        ) from error


def labels(data: Path, until: datetime | None = None) -> dict[str, float]:
    """Actual values by entity, for labels that were available at `until` (data time)."""
    rows = _rows(data / "labels.db", "SELECT entity, actual, available_at FROM labels", ())
    return {entity: actual for entity, actual, at in rows if until is None or moment(at) <= until}


def last_event(data: Path) -> datetime | None:
    """Event time of the newest production request."""
    rows = _rows(
        data / "predictions.db",
        "SELECT max(event_time) FROM predictions WHERE entity NOT LIKE ?",
        (MONITOR_PREFIX + "%",),
    )
    return moment(rows[0][0]) if rows and rows[0][0] else None
