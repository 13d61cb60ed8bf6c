"""A past that is moved by whole weeks is the same past: every date moves, and nothing else does."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from crashlab import past, scenario, workload
from crashlab.hidden import HiddenRow, read_pool
from crashlab.model import moved
from crashlab.stack.services import LAUNCH, launch
from crashlab.workload import Workload
from crashlab.workspace import GitWorkspace
from scenarios import kit
from serving.prediction_log import PredictionLog, Row
from training.eta import generate
from training.settings import Settings
from training.traffic import Entry, keep

ROOT = Path(__file__).parents[2]
ETA, CREDIT = workload.load(ROOT, "eta"), workload.load(ROOT, "credit")
LIBRARY = (ROOT / "serving/internal.txt").read_text().strip().removeprefix("featurelib==")
sys.path.append(str(ROOT / f"featurelib/releases/{LIBRARY}/src"))
WEEKS = 11


PROGRAM = """
import json
from dataclasses import asdict
from itertools import islice
import numpy as np
from training.credit import generate as credit, model as scorecard
from training.eta import generate as eta, model as regression

print(json.dumps({
    "couriers": [asdict(one) for one in eta.couriers(7)],
    "couriers of old": [asdict(one) for one in eta.couriers_at(7, eta.before(12))],
    "customers": [asdict(one) for one in credit.customers(7)],
    "past orders": list(islice(eta.orders(np.random.default_rng(2), eta.HISTORY, eta.couriers(7), "h", 150), 300)),
    "orders": list(islice(eta.stream(7), 300)),
    "hidden orders": eta.sample(50, "hidden", 7, (eta.STREAM[0], eta.before(0, 3))),
    "past applications": list(
        islice(credit.applications(np.random.default_rng(2), credit.HISTORY, credit.customers(7), "h", 120), 300)
    ),
    "applications": list(islice(credit.stream(7), 2500))[::5],
    "hidden applications": credit.sample(50, "hidden", 7, (credit.STREAM[0], credit.before(0, 3))),
    "ends": [eta.HISTORY, eta.STREAM, credit.HISTORY, credit.STREAM],
    "versions": [asdict(version) for version in (*regression.HISTORY, *scorecard.HISTORY)],
}, default=str))
"""
"""Says what the generators make; the launch is in the environment."""


def generated(first: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env={"LAUNCH_DAY": first}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_generated_after_another_launch_is_what_was_moved():
    canonical, then = (json.loads(text) for text in (moved(generated(LAUNCH), WEEKS), generated(moved(LAUNCH, WEEKS))))
    for name, made in canonical.items():
        assert then[name] == made, name


@pytest.mark.parametrize("load", [ETA, CREDIT], ids=lambda load: load.name)
def test_the_calendar_follows_the_launch(load):
    assert load.calendar.week_end - timedelta(weeks=1) == datetime.fromisoformat(f"{LAUNCH}T00:00:00Z")


@pytest.mark.parametrize(
    ("now", "weeks"),
    [
        ("2026-09-07T00:00:00+00:00", 0),
        ("2026-09-13T23:59:59+00:00", 0),
        ("2026-09-14T00:00:00+00:00", 1),
        ("2026-09-14T01:00:00+02:00", 0),
        ("2026-11-28T03:00:00+00:00", 11),
        ("2026-09-06T23:00:00+00:00", -1),
        ("2025-01-01T00:00:00+00:00", -88),
    ],
)
def test_a_calendar_ends_on_the_latest_monday_that_is_over(now, weeks):
    at = datetime.fromisoformat(now)
    assert ETA.calendar.weeks_to(at) == weeks
    end = ETA.moved(weeks).calendar.week_end
    assert end <= at < end + timedelta(weeks=1)
    assert (end.weekday(), end.hour) == (0, 0)


def test_dates_move_and_what_looks_like_one_does_not():
    assert moved("from 2026-08-24 to 2026-08-31T09:20:00Z, version 2026-13-45, 12026-08-241", 1) == (
        "from 2026-08-31 to 2026-09-07T09:20:00Z, version 2026-13-45, 12026-08-241"
    )
    text = '{"placed_at": "2026-09-05T10:00:00Z", "season": "2026-09-01", "note": "\\"placed_at\\": \\"2026-09-05\\""}'
    found = json.loads(past.moved_field(text, "placed_at", 1))
    assert found == {**json.loads(text), "placed_at": "2026-09-12T10:00:00Z"}


@pytest.mark.parametrize("name", scenario.names(ROOT / "scenarios"))
def test_a_truth_moves_as_a_whole(name):
    truth = scenario.plan(name, 3)
    later = truth.moved(WEEKS)
    assert later.onset - truth.onset == timedelta(weeks=WEEKS)
    assert later.moved(-WEEKS) == truth
    assert kit.day(later, "2026-08-24") == moved("2026-08-24", WEEKS)
    assert scenario.plan(name, 3) == truth


def test_a_truth_of_an_own_table_moves_by_its_onset_alone():
    plain = scenario.plan("unit-mismatch", 3)
    truth = plain.model_copy(update={"own_alerts": ("prediction-shift",), "parameters": {"level": "2026-09-01"}})
    later = truth.moved(WEEKS)
    assert later.parameters == {"level": "2026-09-01"}
    assert later.onset - truth.onset == timedelta(weeks=WEEKS)


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def registry(folder: Path) -> Path:
    """The tables of the registry's database that hold dates, with two versions that were made within one minute."""
    folder.mkdir(parents=True)
    database = folder / "mlflow.db"
    texts: dict[str, set[str]] = {}
    for table, column, key in past.TEXTS:
        texts.setdefault(table, set()).update({column, key} - {""})
    for table, columns in past.STAMPS.items():
        texts.setdefault(table, set()).update(columns, {past.OF_RUN.get(table, "")} - {""})
    texts["model_versions"] |= {"name", "version"}
    texts["registered_models"] |= {"name"}
    texts["model_version_tags"] |= {"name", "version"}
    texts["logged_models"] |= {"model_id"}
    minute = 1_795_835_569_000
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, columns in texts.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join(sorted(columns))})")
        connection.execute("INSERT INTO experiments (creation_time, last_update_time) VALUES (?, ?)", (minute, minute))
        connection.execute("INSERT INTO registered_models (name, creation_time) VALUES ('eta', ?)", (minute,))
        for version, window in ((1, "2026-03-02..2026-04-13"), (5, "2026-03-02..2026-08-24")):
            begin, run = minute + 5000 * version, f"run{version}"
            for table, values in {
                "runs": {"run_uuid": run, "name": f"eta {window}", "start_time": begin, "end_time": begin + 3000},
                "metrics": {"run_uuid": run, "timestamp": begin + 100},
                "latest_metrics": {"run_uuid": run, "timestamp": begin + 100},
                "model_versions": {
                    "run_id": run, "name": "eta", "version": version, "creation_time": begin + 2000, "last_updated_time": begin + 2500,
                },
                "logged_models": {"source_run_id": run, "model_id": f"m-{version}", "creation_timestamp_ms": begin + 1000},
                "logged_model_metrics": {"run_id": run, "metric_timestamp_ms": begin + 100},
                "model_version_tags": {"name": "eta", "version": version, "key": "training_window", "value": window},
                "params": {"key": "note", "value": "2026-08-24"},
            }.items():  # fmt: skip
                marks = ", ".join("?" for _ in values)
                connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608 fixed names
            model = folder / "artifacts" / f"m-{version}" / "MLmodel"
            model.parent.mkdir(parents=True)
            model.write_text("run_id: x\nutc_time_created: '2026-11-28 03:12:50.753126'\n")
    return database


def stamps(database: Path, query: str) -> list[datetime]:
    with closing(sqlite3.connect(database)) as connection:
        return [datetime.fromtimestamp(value / 1000, UTC) for (value,) in connection.execute(query)]


def test_the_registry_tells_when_its_versions_were_trained(tmp_path):
    database = registry(tmp_path / "mlflow")
    past.tell_registry(tmp_path / "mlflow", ETA)
    begun = stamps(database, "SELECT start_time FROM runs ORDER BY start_time")
    assert begun == [datetime(2026, 4, 13, 6, 20, tzinfo=UTC), datetime(2026, 8, 24, 7, 40, tzinfo=UTC)]
    assert stamps(database, "SELECT creation_time FROM model_versions ORDER BY version") == [
        at + timedelta(seconds=2) for at in begun
    ]
    assert stamps(database, "SELECT timestamp FROM metrics ORDER BY timestamp") == [
        at + timedelta(milliseconds=100) for at in begun
    ]
    assert stamps(database, "SELECT last_updated_time FROM registered_models") == [begun[1] + timedelta(seconds=2)]
    assert stamps(database, "SELECT creation_time FROM experiments") == [begun[0] - past.APART]
    assert "'2026-08-24 07:40:01'" in (tmp_path / "mlflow/artifacts/m-5/MLmodel").read_text()


def test_where_outcomes_take_90_days_versions_were_trained_after_these(tmp_path):
    database = registry(tmp_path / "mlflow")
    past.tell_registry(tmp_path / "mlflow", CREDIT)
    assert stamps(database, "SELECT max(start_time) FROM runs") == [datetime(2026, 11, 22, 7, 40, tzinfo=UTC)]


def test_a_version_that_is_new_was_trained_before_the_release(tmp_path):
    database = registry(tmp_path / "mlflow")
    since, release = datetime.fromtimestamp(1_795_835_590, UTC), datetime(2026, 9, 5, 6, 30, tzinfo=UTC)
    before = stamps(database, "SELECT start_time FROM runs WHERE run_uuid = 'run1'")
    past.date_new_runs(tmp_path / "mlflow", since, release)
    assert stamps(database, "SELECT end_time FROM runs WHERE run_uuid = 'run5'") == [release - past.APART]
    assert stamps(database, "SELECT start_time FROM runs WHERE run_uuid = 'run1'") == before


def test_a_registry_without_a_new_version_stays_what_it_is(tmp_path):
    database = registry(tmp_path / "mlflow")
    first = dump(database)
    past.date_new_runs(tmp_path / "mlflow", datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC))
    assert dump(database) == first


def snapshot(home: Path) -> Path:
    """A small past as a snapshot keeps it, recorded within a minute."""
    data = home / "data"
    data.mkdir(parents=True)
    generate.write_tables(7, data)
    rows = list(islice(generate.stream(7), 0, 400, 20))
    (data / "orders.jsonl").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    log = PredictionLog(data / "predictions.db", lambda _: None)
    log.start()
    wall, at = "2026-11-28T03:13:18.410045+00:00", ETA.event_time
    for number, row in enumerate(rows):
        event = datetime.fromisoformat(row["order"][at]).isoformat()
        log.add(
            Row(f"r{number}", row["order"]["order_id"], event, wall, row["order"], {"items": 2.0}, 30.0, 5, "r", 1.0)
        )
    log.close()
    event = datetime.fromisoformat(rows[0]["order"][at]).isoformat()
    keep(Settings("eta", data, "", "eta", "champion", "r"), [Entry(event, wall, "/predict", 1, 200)])
    with closing(sqlite3.connect(data / "labels.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE labels (entity TEXT PRIMARY KEY, actual REAL, event_time TEXT, available_at TEXT)"
        )
        connection.execute("INSERT INTO labels VALUES ('o1', 31.0, ?, ?)", (event, event))
    sample = {"at": wall, "event_time": event, "begun": wall, "answered": 60, "memory_mb": 240.0}
    (data / "usage.jsonl").write_text(json.dumps(sample) + "\n")
    registry(home / "mlflow")
    return home


def everything(home: Path) -> dict[str, object]:
    return {
        str(path.relative_to(home)): dump(path) if path.suffix == ".db" else path.read_text()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def test_production_was_recorded_when_it_happened(tmp_path):
    home = snapshot(tmp_path / "home")
    past.tell_registry(home / "mlflow", ETA)
    past.tell_recordings(home, ETA)
    with closing(sqlite3.connect(home / "data/predictions.db")) as connection:
        assert connection.execute("SELECT count(*) FROM predictions WHERE logged_at = event_time").fetchone() == (20,)
    with closing(sqlite3.connect(home / "data/requests.db")) as connection:
        assert connection.execute("SELECT count(*) FROM requests WHERE sent_at = event_time").fetchone() == (1,)
    sample = json.loads((home / "data/usage.jsonl").read_text())
    assert (sample["at"], sample["begun"]) == (sample["event_time"], ETA.calendar.week_start.isoformat())


def test_there_and_back_is_the_same_past(tmp_path):
    home = snapshot(tmp_path / "home")
    first = everything(home)
    past.move(home, ETA, WEEKS)
    there = everything(home)
    past.move(home, ETA, -WEEKS)
    assert everything(home) == first
    changed = {name for name in first if there[name] != first[name]}
    assert changed == set(first), "every file holds dates"
    # The note of a run is nobody's day; all others moved by the same weeks.
    left = [line for line in there["mlflow/mlflow.db"] if "2026-" in line and "2026-03" not in line]
    assert [line for line in left if "note" not in line and "2026-05-18" not in line and "2026-11-09" not in line] == []
    assert there["data/orders.jsonl"] == moved(first["data/orders.jsonl"], WEEKS)


def test_a_copy_knows_its_launch(tmp_path):
    home = snapshot(tmp_path / "home")
    past.copy(home, tmp_path / "system", ETA, WEEKS)
    assert launch(tmp_path / "system") == moved(LAUNCH, WEEKS)
    past.copy(home, tmp_path / "same", ETA, 0)
    assert launch(tmp_path / "same") == LAUNCH
    assert everything(tmp_path / "same" / "data") == everything(home / "data")


@pytest.mark.parametrize("weeks", [WEEKS, 20, 40, -30])
def test_features_of_a_moved_order_are_those_of_the_order(tmp_path, weeks):
    from serving.eta.preprocess import Preprocessor

    home = snapshot(tmp_path / "home")
    past.copy(home, tmp_path / "moved", ETA, weeks)

    def features(folder: Path) -> tuple[np.ndarray, list[str]]:
        rows = [json.loads(line)["order"] for line in (folder / "data/orders.jsonl").read_text().splitlines()]
        frame = Preprocessor(folder / "data").transform(rows)
        return frame.to_numpy(), list(frame.columns)

    (first, names), (then, _) = features(home), features(tmp_path / "moved")
    np.testing.assert_array_equal(first, then)
    assert {"local_hour", "weekend", "courier_tenure_days"} <= set(names)


@pytest.mark.parametrize("weeks", [WEEKS, 40])
def test_no_place_of_the_workload_changes_its_clocks(weeks):
    import importlib

    places = importlib.import_module("scenarios.timezone-offset.fault")
    noon = datetime(2026, 9, 5, 12, tzinfo=UTC)
    for zone, hours in {**places.PLACES, **places.CITIES}.items():
        for at in (noon, noon + timedelta(weeks=weeks)):
            assert generate.local_hour(at, zone) == (12 + hours) % 24
    assert set(places.CITIES) == set(generate.CITIES)


def test_hidden_requests_move_and_keep_their_answers(tmp_path):
    row = HiddenRow(
        order={"placed_at": "2026-09-05T10:00:00Z", "x": "2026-09-01"}, actual=1.0, features={}, prediction=2.0
    )
    (tmp_path / "hidden.jsonl").write_text(row.model_dump_json() + "\n")
    (found,) = read_pool(tmp_path / "hidden.jsonl", "placed_at", WEEKS)
    assert found == row.model_copy(
        update={"order": {"placed_at": moved("2026-09-05", WEEKS) + "T10:00:00Z", "x": "2026-09-01"}}
    )


def test_facts_that_are_days_move_and_others_stay():
    facts: dict[str, bool | int | float | str] = {
        "table couriers updated_on": "2026-08-31",
        "registry version=5 training_window": "2026-03-02..2026-08-24",
        "registry version=5 created": "1756684800000",
        "feature a mean": 2026.0,
        "category month most_frequent": "2026-08-01",
    }
    assert past.moved_facts(facts, 1) == {
        **facts,
        "table couriers updated_on": "2026-09-07",
        "registry version=5 training_window": "2026-03-09..2026-08-31",
        "registry version=5 created": str(1756684800000 + 7 * 24 * 3600 * 1000),
    }


def test_the_history_of_a_workspace_moves_and_its_code_stays(tmp_path):
    first = GitWorkspace.create(tmp_path / "first", ROOT, "eta")
    then = GitWorkspace.create(tmp_path / "then", ROOT, "eta", WEEKS)
    for old, new in zip(first.log(20), then.log(20), strict=True):
        assert datetime.fromisoformat(new.when) - datetime.fromisoformat(old.when) == timedelta(weeks=WEEKS)
        assert old.subject == new.subject
    tree = "HEAD^{tree}"
    assert first.git("rev-parse", tree) == then.git("rev-parse", tree)


def test_the_person_on_call_commits_after_everybody_else(tmp_path):
    space = GitWorkspace.create(tmp_path / "workspace", ROOT, "eta", WEEKS)
    (newest,) = space.log(1)
    space.commit(kit.mend("Quieter logs", kit.setting("WORKERS", "1", "2")))
    (mended,) = space.log(1)
    assert datetime.fromisoformat(mended.when) - datetime.fromisoformat(newest.when) == timedelta(minutes=1)


def test_a_moved_workload_is_the_same_but_for_its_calendar():
    later: Workload = CREDIT.moved(WEEKS)
    assert later.model_copy(update={"calendar": CREDIT.calendar}) == CREDIT
    assert later.calendar.outcome_days == CREDIT.calendar.outcome_days == 90
