"""What the prediction log held: counted, gone, or not to be read just now."""

import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from crashlab import aftermath, hidden, incident, production, store
from crashlab.model import Probe
from crashlab.records import LogKept, Paths

AT = datetime(2026, 9, 5, 6, 0, tzinfo=UTC)
LOG = "predictions.db"


def write(data: Path, count: int) -> None:
    with closing(sqlite3.connect(data / LOG)) as connection, connection:
        connection.execute("CREATE TABLE predictions (entity TEXT, logged_at TEXT)")
        rows = [(f"o{at}", (AT + timedelta(minutes=at)).isoformat()) for at in range(count)]
        connection.executemany("INSERT INTO predictions VALUES (?, ?)", [*rows, ("monitor-1", AT.isoformat())])


def test_predictions_for_clients_are_counted_up_to_a_moment(tmp_path):
    write(tmp_path, 10)
    assert production.recorded(tmp_path, AT + timedelta(minutes=5)) == 6


def test_a_log_that_is_gone_holds_nothing(tmp_path):
    assert production.recorded(tmp_path, AT) == 0
    (tmp_path / LOG).touch()
    assert production.recorded(tmp_path, AT) == 0
    with closing(sqlite3.connect(tmp_path / LOG)) as connection, connection:
        connection.execute("CREATE TABLE other (entity TEXT)")
    assert production.recorded(tmp_path, AT) == 0


def test_a_locked_log_is_not_measured(tmp_path):
    write(tmp_path, 10)
    with closing(sqlite3.connect(tmp_path / LOG, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert production.recorded(tmp_path, AT, patience=0.05) is None
        other.execute("COMMIT")
    assert production.recorded(tmp_path, AT) == 1


def test_a_file_that_is_no_database_is_not_measured(tmp_path):
    (tmp_path / LOG).write_bytes(b"no database, but longer than the header of one" * 20)
    assert production.recorded(tmp_path, AT) is None


@pytest.mark.parametrize(
    ("held", "state", "kept"),
    [
        (10, "there", 1.0),
        (10, "deleted", 0.0),
        (10, "damaged", None),
        (10, "locked", None),
        (None, "there", None),
        (0, "deleted", None),
    ],
)
def test_what_was_kept_is_a_share_only_of_what_could_be_read(tmp_path, monkeypatch, held, state, kept):
    """The probe of an incident, with everything left out that asks a running system."""
    data, paths = tmp_path / "data", Paths(tmp_path, "eta-000000")
    data.mkdir()
    write(data, 10)
    if state == "deleted":
        (data / LOG).unlink()
    if state == "damaged":
        (data / LOG).write_bytes(b"no database, but longer than the header of one" * 20)
    store.write(paths.hidden, hidden.HiddenSet(rows=()))
    store.write(paths.kept, LogKept(until=AT + timedelta(hours=1), rows=held))
    monkeypatch.setattr(hidden, "probe", lambda *_, **__: Probe())
    monkeypatch.setattr(aftermath, "outlasted", lambda *given: given[3])
    monkeypatch.setattr(production, "PATIENCE", 0.05)
    one = SimpleNamespace(
        paths=paths, workload=SimpleNamespace(champion=5), brief=SimpleNamespace(alerts=()), record=SimpleNamespace(deployments=()),
        origin=SimpleNamespace(latency=None), sealed=SimpleNamespace(truth=SimpleNamespace(outlasts=())), save=lambda **_: None,
        stack=SimpleNamespace(home=tmp_path, workspace=SimpleNamespace(head=lambda: "0" * 40)),
    )  # fmt: skip
    with ExitStack() as held_open:
        if state == "locked":
            other = held_open.enter_context(closing(sqlite3.connect(data / LOG, isolation_level=None)))
            other.execute("BEGIN EXCLUSIVE")
        found = incident.Incident.probe(one, thorough=False)
    assert found.kept == kept
