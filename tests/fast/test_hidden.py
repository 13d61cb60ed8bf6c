"""Hidden requests: how they are sent, and how they are made others."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crashlab import hidden, production, workload
from crashlab.stack.fake import FakeStack
from serving.prediction_log import PredictionLog, Row

ROOT = Path(__file__).parents[2]


def test_a_request_is_varied_in_its_first_measurement_and_hardly():
    order = {"order_id": "o1", "items": 3, "late": True, "rain_mm": 0.0, "distance_m": 2000.0, "price": 10.0}
    assert hidden.varied(order, 0) == order
    found = [hidden.varied(order, number) for number in range(1, 10)]
    assert len({made["distance_m"] for made in found}) == 9
    assert all(made == {**order, "distance_m": made["distance_m"]} for made in found)
    assert found[-1]["distance_m"] == pytest.approx(2000, rel=1e-4)


def test_a_request_without_a_measurement_stays_as_it_is():
    order = {"order_id": "o1", "items": 3}
    assert hidden.varied(order, 5) == order


def test_rows_go_in_parts_and_none_is_lost():
    rows = [hidden.HiddenRow(order={"i": i}, actual=1.0, features={}, prediction=1.0) for i in range(45)]
    parts = list(hidden.batched(rows, 20))
    assert [len(part) for part in parts] == [20, 20, 5]
    assert [row for part in parts for row in part] == rows
    assert list(hidden.batched([], 20)) == []


def log_of(stack, keys):
    log = PredictionLog(stack.home / "data" / "predictions.db", lambda _: None)
    log.start()
    for key in keys:
        now = datetime.now(UTC).isoformat()
        log.add(Row(key, key, "2026-09-05T10:00:00+00:00", now, {}, {}, 1.0, 5, "r", 1.0))
    log.close()


def entities(stack):
    found = production.predictions(
        stack.home / "data", datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    )
    return {row.entity for row in found}


HIDDEN = hidden.HiddenSet(
    rows=tuple(hidden.HiddenRow(order={"order_id": key}, actual=1.0, features={}, prediction=1.0) for key in ("a", "b"))
)


def test_hidden_requests_leave_the_log_at_once_where_they_were_seen_in_it(tmp_path):
    stack = FakeStack(tmp_path)
    with hidden.unlogged(stack, workload.load(ROOT, "eta"), HIDDEN) as settled:
        log_of(stack, ["a", "other"])
        settled.set()
        began = time.monotonic()
    assert time.monotonic() - began < 0.5
    assert entities(stack) == {"other"}


def test_hidden_requests_that_are_written_late_leave_the_log_as_well(tmp_path):
    stack = FakeStack(tmp_path)
    log_of(stack, ["other"])
    with hidden.unlogged(stack, workload.load(ROOT, "eta"), HIDDEN):
        late = threading.Timer(0.1, log_of, (stack, ["a", "b"]))
        late.start()
    late.join()
    assert entities(stack) == {"other"}
