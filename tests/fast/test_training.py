"""The synthetic workload: repeatable, believable, and without a weight where none is promised."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training import bootstrap, scoring, traffic
from training.eta import generate, model, refresh
from training.settings import Settings

WEEK = (date(2026, 8, 31), date(2026, 9, 2))


def test_a_seed_repeats_and_another_differs():
    assert generate.sample(20, "hidden", 7, WEEK) == generate.sample(20, "hidden", 7, WEEK)
    assert generate.sample(20, "hidden", 7, WEEK) != generate.sample(20, "hidden", 8, WEEK)


def test_hidden_orders_are_not_those_of_the_stream():
    stream = [next(iter(generate.stream(7))) for _ in range(1)]
    assert stream[0] not in generate.sample(500, "hidden", 7, WEEK)


@pytest.fixture(scope="module")
def order():
    return generate.sample(1, "x", 7, WEEK)[0]["order"]


@pytest.fixture(scope="module")
def courier():
    return generate.couriers(7)[0]


@pytest.mark.parametrize(
    ("field", "quick", "slow"),
    [
        ("route_distance_m", 1000.0, 4000.0),
        ("weather", "clear", "snow"),
        ("zone", "suburbs", "centre"),
        ("vehicle", "car", "bicycle"),
        ("items", 1, 9),
    ],
)
def test_physics(order, courier, field, quick, slow):
    def minutes(value):
        return generate.delivery_minutes({**order, field: value}, 12.0, courier, 0.0)

    assert minutes(quick) < minutes(slow)


@pytest.mark.parametrize("field", ["temperature_c", "basket_value"])
def test_columns_without_weight_have_none(order, courier, field):
    a = generate.delivery_minutes({**order, field: 1.0}, 12.0, courier, 0.0)
    assert a == generate.delivery_minutes({**order, field: 40.0}, 12.0, courier, 0.0)


def test_rush_hour_is_the_customers():
    noon_utc = datetime(2026, 9, 1, 22, tzinfo=UTC)
    assert generate.local_hour(noon_utc, "America/Sao_Paulo") == 19
    assert generate.rush(19) > generate.rush(16)


def test_the_share_of_unknown_kitchen_times():
    rows = generate.sample(600, "k", 7, (date(2026, 8, 31), date(2026, 9, 7)))
    share = sum(row["order"]["kitchen_seconds"] is None for row in rows) / len(rows)
    assert abs(share - generate.UNKNOWN_KITCHEN) < 0.07


def test_the_courier_table(tmp_path):
    generate.write_tables(7, tmp_path)
    generate.write_tables(7, tmp_path)
    with sqlite3.connect(tmp_path / "features.db") as connection:
        assert connection.execute("SELECT count(*) FROM couriers").fetchone() == (generate.COURIERS,)
    connection.close()


def settings(data):
    return Settings("eta", data, "http://nowhere", "eta", "champion", "local")


def test_older_records_say_less_and_know_fewer_couriers():
    today = {c.courier_id: c.avg_speed_kmh for c in generate.couriers(7)}
    assert generate.couriers_at(7, generate.HISTORY[1]) == generate.couriers(7)
    assert generate.couriers_at(7, date(2026, 5, 4)) == generate.couriers_at(7, date(2026, 5, 4))

    def likeness(day):
        found = generate.couriers_at(7, day)
        assert len(found) < generate.COURIERS
        then = [c.avg_speed_kmh for c in found]
        return np.corrcoef(then, [today[c.courier_id] for c in found])[0, 1]

    assert likeness(date(2026, 8, 10)) > 0.5
    assert likeness(date(2026, 4, 6)) < 0.3


def test_the_refresh_replaces_the_whole_table(tmp_path):
    generate.write_tables(7, tmp_path, date(2026, 5, 4))
    assert refresh.run(7, tmp_path) == {"updated_on": "2026-08-31", "rows": generate.COURIERS}
    with sqlite3.connect(tmp_path / "features.db") as connection:
        assert connection.execute("SELECT DISTINCT updated_on FROM couriers").fetchall() == [("2026-08-31",)]
    connection.close()


def test_the_history_knows_what_the_trip_recorded():
    row = generate.history(7)[0]
    assert set(row["trip"]) == {"speed_kmh", "arrived_after_minutes"}
    assert row["trip"]["arrived_after_minutes"] < row["actual"]
    assert "trip" not in next(iter(generate.stream(7)))


def test_another_world_begins_when_it_is_said_to():
    since = datetime(2026, 8, 31, 15, tzinfo=UTC)
    rows = generate.stream(7)
    slow = generate.stream(7, generate.World(slowness=1.5, extra_minutes=2.0), since)
    far = generate.stream(7, generate.World(far_share=0.5, far_from_m=14_000, far_to_m=15_000), since)
    distances = []
    for before, late, away, _ in zip(rows, slow, far, range(400), strict=False):
        if datetime.fromisoformat(before["order"]["placed_at"]) < since:
            assert before == late == away
        else:
            assert late["order"] == before["order"]
            assert late["actual"] > before["actual"] + 2
            assert set(away["order"]) == set(before["order"])
            distances.append(away["order"]["route_distance_m"])
    beyond = [distance for distance in distances if distance >= 14_000]
    assert 0.3 < len(beyond) / len(distances) < 0.7
    assert max(beyond) <= 15_000


def test_a_forecast_becomes_the_stream_and_is_forgotten(tmp_path):
    at = datetime(2026, 9, 5, tzinfo=UTC)
    generate.write_stream(7, tmp_path)
    before = list(traffic.Stream(settings(tmp_path)).rows(at - timedelta(hours=12), at + timedelta(days=1)))
    tunis = {"scale": 2.0, "from": at.isoformat(), "where": {"timezone": "Africa/Tunis"}}
    world = {
        "clients": {"items": tunis},
        "late": {"from": at.isoformat(), "above": 40, "hours": 10},
        "busy": {"from": at.isoformat(), "until": (at + timedelta(hours=15)).isoformat()},
        "burst": {
            "from": at.isoformat(), "until": (at + timedelta(hours=12)).isoformat(), "clients": 30, "held_s": 0.5,
        },
    }  # fmt: skip
    (tmp_path / "traffic.json").write_text(json.dumps(world))
    traffic.settle(settings(tmp_path))
    assert not (tmp_path / "traffic.json").exists()
    stream = traffic.Stream(settings(tmp_path))
    after = list(stream.rows(at - timedelta(hours=12), at + timedelta(days=1)))
    assert [row for row in after if row.at < at] == [row for row in before if row.at < at]
    assert {row.always for row in after if at <= row.at} == {True, False}
    held = [(row.clients, row.held_s) for row in after if row.at < at + timedelta(hours=12)]
    assert set(held) == {(0, 0.0), (30, 0.5)}
    assert {(row.clients, row.held_s) for row in after[len(held) :]} == {(0, 0.0)}
    for old, new in zip(before, after, strict=True):
        changed = old.at >= at and old.order["timezone"] == "Africa/Tunis"
        assert new.order["items"] == old.order["items"] * (2 if changed else 1)
        late = 10 if old.at >= at and old.actual > 40 else 0
        assert stream.known_at(new) == old.at + timedelta(minutes=1) * old.actual + timedelta(hours=2 + late)


def test_a_burst_is_held_back_and_sent_by_many_at_once(tmp_path, monkeypatch):
    at = datetime(2026, 9, 5, tzinfo=UTC)
    generate.write_stream(7, tmp_path)
    until = at + timedelta(hours=12)
    burst = {"from": at.isoformat(), "until": until.isoformat(), "clients": 8, "held_s": 0.2}
    (tmp_path / "traffic.json").write_text(json.dumps({"burst": burst}))
    traffic.settle(settings(tmp_path))
    sent, lock = [], threading.Lock()
    all_there = threading.Barrier(8)

    def send(_client, _path, _payload, arrived):
        with lock:
            sent.append((arrived, time.time()))
            first = len(sent) <= 8 and arrived is not None
        if first:
            # Fewer clients than this would wait here for ever.
            all_there.wait(timeout=20)
        return 200

    monkeypatch.setattr(traffic, "send", send)
    answered = traffic.replay(settings(tmp_path), at, at + timedelta(hours=20), 2, 2, as_it_is=True)
    assert answered == len([*traffic.Stream(settings(tmp_path)).rows(at, at + timedelta(hours=20))][::2])
    held = [(arrived, now) for arrived, now in sent if arrived is not None]
    assert len({arrived for arrived, _ in held}) == 1
    assert all(now - arrived >= 0.2 for arrived, now in held)
    assert 8 < len(held) < len(sent)


def test_a_rate_stays_where_it_is_read(tmp_path):
    generate.write_stream(7, tmp_path)
    (tmp_path / "traffic.json").write_text(json.dumps({"rate_per_s": 1.5, "busy": {}}))
    traffic.settle(settings(tmp_path))
    assert traffic.config(tmp_path) == {"rate_per_s": 1.5}


def test_clients_say_the_same_in_other_words():
    change = {"scale": 2.0, "digits": 6, "where": {"timezone": "Africa/Tunis"}}
    tunis, other = {"timezone": "Africa/Tunis", "items": 3}, {"timezone": "Europe/Istanbul", "items": 3}
    assert traffic.as_sent(tunis, {"items": change}) == {**tunis, "items": 6}
    assert traffic.as_sent(other, {"items": change}) == other


def test_recent_orders_correct_a_model_of_the_history():
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(900, 3)), columns=["a", "b", "c"])
    y = 30 + 5 * x["a"].to_numpy() + rng.normal(0, 0.1, 900)
    fitted = model.pipeline({"kind": "boosting"}, 7).fit(x[:600], y[:600])
    better = model.corrected(fitted, x[600:800], y[600:800] + 8)
    error = np.abs(model.predict(better, x[800:]) - (y[800:] + 8)).mean()
    assert error < 1 < np.abs(model.predict(fitted, x[800:]) - (y[800:] + 8)).mean()


def test_labelled_orders_are_those_with_an_outcome_since_a_time(tmp_path):
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("CREATE TABLE labels (entity TEXT, actual REAL)")
        connection.executemany("INSERT INTO labels VALUES (?, ?)", [("o1", 30.0), ("o2", 40.0)])
    connection.close()
    with sqlite3.connect(tmp_path / "predictions.db") as connection:
        connection.execute("CREATE TABLE predictions (entity TEXT, event_time TEXT, raw TEXT)")
        rows = [
            ("o1", "2026-09-05T08:00:00+00:00"),
            ("o2", "2026-09-05T10:00:00+00:00"),
            ("o3", "2026-09-05T11:00:00+00:00"),
        ]
        connection.executemany("INSERT INTO predictions VALUES (?, ?, '{}')", rows)
    connection.close()
    assert bootstrap._labelled(tmp_path, datetime(2026, 9, 5, 9, tzinfo=UTC)) == [({}, 40.0)]
    with pytest.raises(SystemExit, match="too few"):
        bootstrap.Recent(settings(tmp_path), datetime(2026, 9, 5, 9, tzinfo=UTC), correct=False)


def test_a_rehearsal_makes_what_training_would_make_and_registers_nothing(tmp_path):
    root = Path(__file__).parents[2]
    library = root / "featurelib" / "releases" / "2.1.0" / "src"
    variables = {**os.environ, "DATA_DIR": str(tmp_path), "PYTHONPATH": f"{root}{os.pathsep}{library}"}

    def job(command, text=""):
        argv = [sys.executable, "-m", "training", command]
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, env=variables, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    job("refresh")
    drawn = generate.sample(40, "x", 7, WEEK)
    predicted = [float(line) for line in job("rehearse", "".join(json.dumps(row["order"]) + "\n" for row in drawn))]
    error = np.mean([abs(value - row["actual"]) for value, row in zip(predicted, drawn, strict=True)])
    assert error < 5
    assert {path.name for path in tmp_path.iterdir()} == {"features.db"}


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow speaks of its own code
def test_a_version_is_known_by_what_it_predicts_for_known_vectors(tmp_path, monkeypatch):
    # Without a server, what is installed here has no other store than files.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow
    from sklearn.linear_model import LinearRegression

    tracked = (tmp_path / "registry").as_uri()
    mlflow.set_tracking_uri(tracked)
    mlflow.set_experiment(mlflow.create_experiment("eta", artifact_location=str(tmp_path / "artifacts")) and "eta")
    x = pd.DataFrame({"b": [0.0, 1.0, 2.0], "a": [1.0, 0.0, 5.0]})
    for columns in (["b"], ["b", "a"], ["b", "a", "c"]):
        known = x.assign(c=1.0)[columns]
        with mlflow.start_run():
            fitted = LinearRegression().fit(known, 2 * x["b"] + (x["a"] if "a" in columns else 0))
            made = mlflow.sklearn.log_model(
                fitted, name="model", pip_requirements=[], serialization_format="cloudpickle"
            )
            mlflow.register_model(made.model_uri, "eta")
    where = replace(settings(tmp_path), tracking_uri=tracked)
    vectors = [{"a": 3.0, "b": 4.0}, {"a": 0.0, "b": 1.0}]
    found = scoring.fingerprint(where, vectors)
    # The third was fitted on a feature that these vectors do not have.
    assert found == [{1: pytest.approx(8), 2: pytest.approx(11)}, {1: pytest.approx(2), 2: pytest.approx(2)}]
    assert scoring.fingerprint(where, vectors, [2]) == [{2: pytest.approx(11)}, {2: pytest.approx(2)}]
    assert scoring.fingerprint(where, []) == []
