"""The world outside: clients that send the stored orders, and couriers whose arrivals become labels later.

Clients come through a gateway, whose access log is `requests.db` in the data folder: one row for each request, with the
status that it was answered with, 0 for none.

`traffic.json` in the data folder, where it exists, holds `rate_per_s`, how many orders a second are sent, and a forecast
of how the world will differ from the stored stream, which `settle` writes into the stream:

    adjust      columns whose values are others than in the stream, without an effect on the outcome:
                `{"basket_value": {"add": 12.0, "from": "2026-09-04T00:00:00+00:00"}}`
    clients     columns that some clients express in another way; the order is the same one:
                `{"kitchen_seconds": {"scale": 0.1, "from": "...", "where": {"timezone": "Africa/Tunis"}}}`
    late        outcomes that are reported late: `{"from": "...", "above": 40.0, "hours": 30}`
    busy        a time in which all orders are sent and not a sample of them: `{"from": "...", "until": "..."}`
    burst       a time whose orders the gateway holds back for some seconds and then lets through, many at once:
                `{"from": "...", "until": "...", "clients": 40, "held_s": 0.6}`
"""

import itertools
import json
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from training.settings import Settings, part
from training.stream import Names

log = logging.getLogger("traffic")

GROUP, ALONE = 10, 2
"""Of every ten rows in a row, two come from apps as single requests and eight from a partner as one batch."""
LATEST = timedelta(days=6)
"""How far back an outcome may still come in."""
MARKS = ("hours_late", "always", "clients", "held_s")
"""What a line of the stored stream may say of how its order is sent."""
PATIENCE = 180.0
"""Seconds to wait for an API that is still starting."""


def config(data: Path) -> dict[str, Any]:
    """Read `traffic.json`, or the defaults."""
    path = data / "traffic.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def base_url() -> str:
    """Address of the serving API."""
    return os.environ.get("SERVING_URL", "http://serving:8000")


@dataclass(frozen=True)
class Sent:
    """One stored order: event time, payload, outcome, hours by which its outcome is late, and whether it is always sent.

    `clients` is how many clients at a time send the orders around it, 0 for as many as usual, once the gateway has held
    these orders back for `held_s` seconds.
    """

    at: datetime
    order: dict[str, Any]
    actual: float
    hours_late: float = 0.0
    always: bool = False
    clients: int = 0
    held_s: float = 0.0


class Stream:
    """The stored orders in event-time order."""

    def __init__(self, settings: Settings) -> None:
        # Names only: importing the generator would load numpy into a process that just sends requests.
        self.names: Names = part(settings, "stream").NAMES
        self.path = settings.data / self.names.file

    def rows(self, start: datetime, end: datetime | None = None) -> Iterator[Sent]:
        """Yield the orders in [start, end)."""
        with self.path.open(encoding="utf-8") as handle:
            for line in handle:
                row = json.loads(line)
                at = datetime.fromisoformat(row["order"][self.names.event_time])
                if end is not None and at >= end:
                    return
                if at >= start:
                    more = {name: row[name] for name in MARKS if name in row}
                    yield Sent(at, row["order"], float(row["actual"]), **more)

    def known_at(self, row: Sent) -> datetime:
        """Return when the outcome of an order becomes a label."""
        return self.names.known_at(row.at, row.actual) + timedelta(hours=row.hours_late)


def settle(settings: Settings) -> None:
    """Write what `traffic.json` says of the world into the stored stream, and leave only the rate in it."""
    world, stream = config(settings.data), Stream(settings)
    changes = [*world.get("adjust", {}).items(), *world.get("clients", {}).items()]
    temporary = stream.path.with_name(f".{stream.path.name}")
    with stream.path.open(encoding="utf-8") as old, temporary.open("w", encoding="utf-8") as new:
        for line in old:
            row = json.loads(line)
            at = datetime.fromisoformat(row["order"][stream.names.event_time])
            for name, change in changes:
                if at >= datetime.fromisoformat(change["from"]):
                    row["order"] = changed(row["order"], name, change)
            late, busy, burst = world.get("late"), world.get("busy"), world.get("burst")
            if late and at >= datetime.fromisoformat(late["from"]) and row["actual"] > late["above"]:
                row["hours_late"] = late["hours"]
            if busy and within(at, busy):
                row["always"] = True
            if burst and within(at, burst):
                row |= {"clients": burst["clients"], "held_s": burst["held_s"]}
            new.write(json.dumps(row, separators=(",", ":")) + "\n")
    temporary.replace(stream.path)
    path = settings.data / "traffic.json"
    if "rate_per_s" in world:
        path.write_text(json.dumps({"rate_per_s": world["rate_per_s"]}), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def within(at: datetime, time: dict[str, Any]) -> bool:
    """Say whether a moment lies in a time of the forecast, its end excluded."""
    return datetime.fromisoformat(time["from"]) <= at < datetime.fromisoformat(time["until"])


def changed(order: dict[str, Any], name: str, change: dict[str, Any]) -> dict[str, Any]:
    """Return the order with one column scaled and moved, where it has a value and the change is for such orders."""
    if order.get(name) is None or any(order.get(key) != value for key, value in change.get("where", {}).items()):
        return order
    value = order[name] * change.get("scale", 1.0) + change.get("add", 0.0)
    return {**order, name: round(value, change.get("digits", 2))}


def as_sent(order: dict[str, Any], clients: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return an order as clients express it after the given changes, whenever it is from."""
    for name, change in clients.items():
        order = changed(order, name, change)
    return order


def write_labels(settings: Settings, stream: Stream, clock: datetime) -> None:
    """Store the outcomes that are known at `clock`, a time of the data."""
    with closing(sqlite3.connect(settings.data / "labels.db", timeout=30)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS labels (entity TEXT PRIMARY KEY, actual REAL, event_time TEXT, available_at TEXT)"
        )
        newest = connection.execute("SELECT max(event_time) FROM labels").fetchone()[0]
        since = datetime.fromisoformat(newest) - LATEST if newest else datetime.min.replace(tzinfo=UTC)
        found = []
        for row in stream.rows(since, clock):
            known = stream.known_at(row)
            if known <= clock:
                found.append((row.order[stream.names.entity], row.actual, row.at.isoformat(), known.isoformat()))
        connection.executemany("INSERT OR IGNORE INTO labels VALUES (?, ?, ?, ?)", found)


@dataclass(frozen=True)
class Entry:
    """One line of the access log: event time of the first order, when it was sent, path, orders, and the status."""

    event_time: str
    sent_at: str
    path: str
    orders: int
    status: int

    @property
    def answered(self) -> int:
        """Orders that were answered."""
        return self.orders if httpx.codes.is_success(self.status) else 0


def send(client: httpx.Client, path: str, payload: dict[str, Any], arrived: float | None = None) -> int:
    """Send one request; returns the status of the answer, 0 where there was none.

    `arrived` is when it came to the gateway, in seconds since 1970; now if it is None.
    """
    try:
        start = {"X-Request-Start": f"t={time.time() if arrived is None else arrived:.6f}"}
        return client.post(base_url() + path, json=payload, headers=start).status_code
    except httpx.HTTPError as error:
        log.info("no answer for one request: %s", type(error).__name__)
        return 0


def requests(rows: list[Sent], batch_key: str) -> Iterator[tuple[str, dict[str, Any], list[Sent]]]:
    """Yield path, payload and rows of the requests in which clients send the rows."""
    for first in range(0, len(rows), GROUP):
        group = rows[first : first + GROUP]
        yield from (("/predict", row.order, [row]) for row in group[:ALONE])
        if rest := group[ALONE:]:
            yield "/predict/batch", {batch_key: [row.order for row in rest]}, rest


def keep(settings: Settings, entries: list[Entry]) -> None:
    """Append to the access log."""
    with closing(sqlite3.connect(settings.data / "requests.db", timeout=30)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS requests (event_time TEXT, sent_at TEXT, path TEXT, orders INTEGER, status INTEGER)"
        )
        connection.executemany("INSERT INTO requests VALUES (?, ?, ?, ?, ?)", [astuple(entry) for entry in entries])


def await_ready(client: httpx.Client) -> None:
    """Return when the API can predict, or after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if client.get(base_url() + "/ready").is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)


def replay(
    settings: Settings, start: datetime, end: datetime, every: int, concurrency: int, *, as_it_is: bool = False
) -> int:
    """Send every N-th order of [start, end) and store the labels known at `end`. Returns the number answered.

    An API that is still starting is waited for; one that then answers nothing ends the process. `as_it_is` sends the
    orders to whatever there is, as clients do.
    """
    stream = Stream(settings)
    found = enumerate(stream.rows(start, end))
    rows = [row for number, row in found if row.always or number % every == 0]

    entries: list[Entry] = []
    with httpx.Client(timeout=60) as client:

        def ask(path: str, payload: dict[str, Any], part: list[Sent], arrived: float | None) -> Entry:
            sent_at = datetime.now(UTC).isoformat()
            return Entry(part[0].at.isoformat(), sent_at, path, len(part), send(client, path, payload, arrived))

        if not as_it_is:
            await_ready(client)
        for (clients, held_s), group in itertools.groupby(rows, lambda row: (row.clients, row.held_s)):
            arrived = time.time() if held_s else None
            time.sleep(held_s)
            with ThreadPoolExecutor(clients or concurrency) as pool:
                asked = requests(list(group), stream.names.batch_key)
                sent = [pool.submit(ask, *request, arrived) for request in asked]
                entries += [answer.result() for answer in sent]
    keep(settings, entries)
    write_labels(settings, stream, end)
    answered = sum(entry.answered for entry in entries)
    if rows and not answered and not as_it_is:
        raise SystemExit("None of the orders was answered by the serving API.")
    return answered


def last_sent(settings: Settings) -> datetime | None:
    """Event time of the newest order that the serving API logged."""
    path = settings.data / "predictions.db"
    if not path.is_file():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            found = connection.execute("SELECT max(event_time) FROM predictions").fetchone()[0]
        except sqlite3.OperationalError:
            return None
    return datetime.fromisoformat(found) if found else None


def trickle(settings: Settings) -> int:
    """Send the stream from the last logged order on, at `rate_per_s`, until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    path = Stream(settings).path
    while not path.is_file() and not stop.wait(1):
        log.info("waiting for the stream of %s", path.stem)
    pause = 1 / float(config(settings.data).get("rate_per_s", 0.2))
    while not stop.is_set():
        stream = Stream(settings)
        begin = (last_sent(settings) or datetime.min.replace(tzinfo=UTC)) + timedelta(seconds=1)
        labelled = time.monotonic()
        with httpx.Client(timeout=30) as client:
            for row in stream.rows(begin):
                sent_at = datetime.now(UTC).isoformat()
                status = send(client, "/predict", row.order)
                keep(settings, [Entry(row.at.isoformat(), sent_at, "/predict", 1, status)])
                if time.monotonic() - labelled > 5 * pause:
                    write_labels(settings, stream, row.at)
                    labelled = time.monotonic()
                if stop.wait(pause):
                    return 0
                if (newest := last_sent(settings)) and newest > row.at + timedelta(hours=1):
                    break
            else:
                log.info("the stream of %s has ended", path.stem)
                stop.wait()
    return 0
