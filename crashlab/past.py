"""A snapshot's past, told by its dates and moved in time.

A snapshot is made within a minute, in the canonical calendar of its workload. `tell_registry` and `tell_recordings` give it
the dates that it would have in that calendar: a model was trained when the outcomes of its window were known, and a request
was answered when it was sent. `copy` copies the snapshot and moves everything by whole weeks: hour and weekday are
features, so nothing but the dates may change.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from crashlab import watching
from crashlab.model import Value, moved
from crashlab.stack.services import LAUNCH, LAUNCH_FILE
from crashlab.workload import Workload

FORM = 1
"""Counts the ways in which a snapshot's past was told, so that one that was told otherwise is made anew."""
TRAINED = timedelta(hours=6)
"""When in the day after its window a model was trained: the job runs in the early morning."""
APART = timedelta(minutes=20)
"""Between two runs of one night, and between the run of a version and its release."""
PARTS = ("data", "mlflow")
"""Folders of a snapshot that a stack is filled with."""
TABLES = {"predictions.db": "predictions", "labels.db": "labels", "requests.db": "requests"}
TIMES: Mapping[str, tuple[str, ...]] = {
    "predictions": ("event_time", "logged_at"),
    "labels": ("event_time", "available_at"),
    "requests": ("event_time", "sent_at"),
}
"""Columns of time stamps by table of the data folder; the payloads of the prediction log come on top."""
DATED_TAGS = ("promoted_on", "decided_on", "training_window", "mlflow.runName")
"""Keys of tags and parameters in the registry that name days."""
STAMPS: Mapping[str, tuple[str, ...]] = {
    "experiments": ("creation_time", "last_update_time"),
    "runs": ("start_time", "end_time", "deleted_time"),
    "metrics": ("timestamp",),
    "latest_metrics": ("timestamp",),
    "registered_models": ("creation_time", "last_updated_time"),
    "model_versions": ("creation_time", "last_updated_time"),
    "logged_models": ("creation_timestamp_ms", "last_updated_timestamp_ms"),
    "logged_model_metrics": ("metric_timestamp_ms",),
}
"""Columns of the registry's database that hold milliseconds since 1970."""
OF_RUN = {
    "runs": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "model_versions": "run_id",
    "logged_models": "source_run_id",
    "logged_model_metrics": "run_id",
}
"""Column that says which run a row belongs to, by table."""
TEXTS: Sequence[tuple[str, str, str]] = (
    ("runs", "name", ""),
    ("datasets", "name", ""),
    ("params", "value", "key"),
    ("tags", "value", "key"),
    ("model_version_tags", "value", "key"),
    ("logged_model_params", "param_value", "param_key"),
    ("logged_model_tags", "tag_value", "tag_key"),
)
"""Columns of the registry's database whose texts hold dates, of DATED_TAGS alone where a third column names the key."""
NEWEST = "(SELECT max(creation_time) FROM model_versions v WHERE v.name = registered_models.name)"
"""When the newest version of a registered model was made."""
MADE = re.compile(r"(utc_time_created: ['\"]?)[^'\"\n]+")
"""When a model was written, in its own description."""
DATED_FACT = re.compile(r"(?:_on|_window)$")
"""Facts whose values are days."""


@dataclass(frozen=True)
class Run:
    """A training run: its id, when MLflow says it began, and the last day and the number of the version that it made."""

    key: str
    began: datetime
    end: date
    version: int


@contextmanager
def _open(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for one transaction, with `moved` and `moved_field` as functions of its language."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.create_function("moved", 2, lambda text, weeks: None if text is None else moved(text, weeks))
        connection.create_function("moved_field", 3, moved_field)
        yield connection


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def moved_field(text: str, field: str, weeks: int) -> str:
    """Return JSON text with the date of one field moved, wherever the field stands; the rest stays as it is written.

    Other fields may hold names that look like dates, in a person's own table for instance.
    """
    pattern = rf'("{re.escape(json.dumps(field)[1:-1])}":\s*")([^"]+)'
    return re.sub(pattern, lambda found: found[1] + moved(found[2], weeks), text)


def moved_facts(facts: Mapping[str, Value], weeks: int) -> dict[str, Value]:
    """Return facts with those moved that are days, or milliseconds since 1970 at which a version was made."""

    def move(key: str, value: Value) -> Value:
        if isinstance(value, str) and key.endswith(" created") and value.isdigit():
            return str(int(value) + _milliseconds(timedelta(weeks=weeks)))
        return moved(value, weeks) if isinstance(value, str) and DATED_FACT.search(key) else value

    return {key: move(key, value) for key, value in facts.items()}


def copy(source: Path, target: Path, workload: Workload, weeks: int) -> None:
    """Copy a snapshot's folders into a stack's folder, and move what they hold by `weeks`. Nothing runs there yet."""
    for part in PARTS:
        shutil.copytree(source / part, target / part, dirs_exist_ok=True)
    (target / LAUNCH_FILE).write_text(moved(LAUNCH, weeks) + "\n", encoding="utf-8")
    move(target, workload, weeks)


def move(home: Path, workload: Workload, weeks: int) -> None:
    """Move the past of the stack in `home`, of which nothing runs, by `weeks`."""
    if weeks == 0:
        return
    data = home / "data"
    for file, table in TABLES.items():
        columns = {name: f"moved({name}, :weeks)" for name in TIMES[table]}
        if table == "predictions":
            columns["raw"] = "moved_field(raw, :field, :weeks)"
        if (data / file).is_file():
            with _open(data / file) as connection:
                changes = ", ".join(f"{name} = {change}" for name, change in columns.items())
                connection.execute(f"UPDATE {table} SET {changes}", {"weeks": weeks, "field": workload.event_time})  # noqa: S608 fixed names
    if (data / "features.db").is_file():
        _move_features(data / "features.db", weeks)
    for path in data.glob("*.jsonl"):
        text = path.read_text(encoding="utf-8")
        shifted = moved(text, weeks) if path.name == watching.FILE else moved_field(text, workload.event_time, weeks)
        path.write_text(shifted, encoding="utf-8")
    move_registry(home / "mlflow" / "mlflow.db", weeks)
    for path in (home / "mlflow").rglob("MLmodel"):
        text = path.read_text(encoding="utf-8")
        path.write_text(MADE.sub(lambda found: moved(found[0], weeks), text), encoding="utf-8")


def _move_features(database: Path, weeks: int) -> None:
    """Move the days in the online feature tables: the columns whose names end in `_on`."""
    with _open(database) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1].endswith("_on")]
            if names:
                changes = ", ".join(f'"{name}" = moved("{name}", :weeks)' for name in names)
                connection.execute(f'UPDATE "{table}" SET {changes}', {"weeks": weeks})  # noqa: S608 the table's own names


def move_registry(database: Path, weeks: int) -> None:
    """Move every time stamp and every dated text of the registry's database."""
    by = _milliseconds(timedelta(weeks=weeks))
    with _open(database) as connection:
        for table, columns in STAMPS.items():
            changes = ", ".join(f"{name} = {name} + :by" for name in columns)
            connection.execute(f"UPDATE {table} SET {changes}", {"by": by})  # noqa: S608 fixed names
        for table, column, key in TEXTS:
            marks = ", ".join(f"'{tag}'" for tag in DATED_TAGS)
            only = f" WHERE {key} IN ({marks})" if key else ""
            connection.execute(f"UPDATE {table} SET {column} = moved({column}, :weeks){only}", {"weeks": weeks})  # noqa: S608 fixed names


def tell_registry(folder: Path, workload: Workload) -> None:
    """Give the runs and versions in the registry's `folder` the dates of the workload's calendar.

    A server may run there: it answers from the database.
    """
    runs = trained(folder / "mlflow.db")
    days = timedelta(days=workload.calendar.outcome_days)
    when = {
        run.key: datetime.combine(run.end, datetime.min.time(), UTC) + days + TRAINED + run.version * APART
        for run in runs
    }
    date_runs(folder / "mlflow.db", {run.key: when[run.key] - run.began for run in runs})
    date_models(folder)
    at = {"at": int((min(when.values()) - APART).timestamp() * 1000)}
    with _open(folder / "mlflow.db") as connection:
        connection.execute("UPDATE experiments SET creation_time = :at, last_update_time = :at", at)
        connection.execute(f"UPDATE registered_models SET creation_time = :at, last_updated_time = {NEWEST}", at)  # noqa: S608 fixed names


def tell_recordings(home: Path, workload: Workload) -> None:
    """Let production in the stack in `home`, of which nothing runs, have been recorded when its requests were sent.

    Nothing was answered before there was a model to answer it: older requests were sent when the champion was trained.
    """
    data = home / "data"
    served = max(run.began for run in trained(home / "mlflow" / "mlflow.db") if run.version == workload.champion)
    earliest = (served.replace(microsecond=0).isoformat(),)
    with _open(data / "predictions.db") as connection:
        connection.execute("UPDATE predictions SET logged_at = max(event_time, ?)", earliest)
    with _open(data / "requests.db") as connection:
        connection.execute("UPDATE requests SET sent_at = max(event_time, ?)", earliest)
    usage = data / watching.FILE
    if usage.is_file():
        lines = [json.loads(line) for line in usage.read_text(encoding="utf-8").splitlines() if line.strip()]
        begun = workload.calendar.week_start.isoformat()
        told = [{**line, "at": line["event_time"], "begun": begun} for line in lines]
        usage.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")


def trained(database: Path) -> list[Run]:
    """Return the runs that registered a version, by version."""
    with _open(database) as connection:
        found = connection.execute(
            "SELECT v.run_id, r.start_time, t.value, v.version FROM model_versions v "
            "JOIN runs r ON r.run_uuid = v.run_id "
            "JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t.key = 'training_window' "
            "ORDER BY v.version"
        ).fetchall()
    return [
        Run(key, datetime.fromtimestamp(began / 1000, UTC), date.fromisoformat(window.partition("..")[2]), int(version))
        for key, began, window, version in found
    ]


def date_runs(database: Path, by: Mapping[str, timedelta]) -> None:
    """Move single runs, each with its metrics, its model and its version, by the given spans; durations stay."""
    with _open(database) as connection:
        for key, span in by.items():
            for table, column in OF_RUN.items():
                changes = ", ".join(f"{name} = {name} + :by" for name in STAMPS[table])
                values = {"by": _milliseconds(span), "key": key}
                connection.execute(f"UPDATE {table} SET {changes} WHERE {column} = :key", values)  # noqa: S608 fixed names


def date_new_runs(folder: Path, since: datetime, release: datetime) -> None:
    """Let the runs in the registry's `folder` that began at `since` or later end before a release, in the order they had.

    A server may run there: it answers from the database.
    """
    with _open(folder / "mlflow.db") as connection:
        begun = {"since": int(since.timestamp() * 1000)}
        found = connection.execute("SELECT run_uuid, end_time FROM runs WHERE start_time >= :since", begun).fetchall()
    if not found:
        return
    last = max(end for _, end in found if end is not None)
    span = release - APART - datetime.fromtimestamp(last / 1000, UTC)
    date_runs(folder / "mlflow.db", {key: span for key, _ in found})
    date_models(folder)
    with _open(folder / "mlflow.db") as connection:
        connection.execute(f"UPDATE registered_models SET last_updated_time = {NEWEST}")  # noqa: S608 fixed names


def date_models(folder: Path) -> None:
    """Let the description of every model below `folder` say what the registry says of when it was made."""
    with _open(folder / "mlflow.db") as connection:
        made = dict(connection.execute("SELECT model_id, creation_timestamp_ms FROM logged_models").fetchall())
    for path in folder.rglob("MLmodel"):
        key = next((part for part in path.parts if part in made), None)
        if key is not None:
            at = datetime.fromtimestamp(made[key] / 1000, UTC).replace(tzinfo=None)
            text = path.read_text(encoding="utf-8")
            path.write_text(MADE.sub(rf"\g<1>{at.isoformat(' ')}", text), encoding="utf-8")
