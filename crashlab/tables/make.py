"""A workload made of a table: its files written, its history trained and registered, its healthy system proved."""

import csv
import dataclasses
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crashlab import snapshot, sources, store, workload
from crashlab.errors import StackError, StateError, UsageError
from crashlab.model import Frozen, RuntimeName
from crashlab.settings import Settings
from crashlab.stack.base import Report, Stack
from crashlab.tables.table import MOST_LEVELS, Column, Row, Table, Task, read

TEMPLATES = Path(__file__).with_name("templates")
THRESHOLD = 0.5
"""Probability from which on the answer is yes."""
ENOUGH = 1000
"""Rows of the past from which on boosted trees are the champion; below, a linear model learns more from them."""
NAME = re.compile(r"[a-z][a-z0-9]{1,31}")
"""Names of workloads are Python packages, names of models and parts of addresses at the same time."""


class Made(Frozen):
    """A workload that was made, and how its healthy system does."""

    name: str
    task: Task
    target: str
    positive: str
    rows: dict[str, int]
    """Rows of the past, of production and of the hidden requests, and those that were dropped."""
    columns: dict[str, str]
    """What each feature is: a number, or how many levels a category has."""
    left_out: dict[str, str]
    quality: dict[str, float]
    """Metrics of the champion on what production received in the healthy days."""
    parity_mismatch: float


def add(
    settings: Settings,
    file: Path,
    target: str,
    open_stack: Callable[[Path, Path, str], Stack],
    *,
    name: str | None = None,
    time: str | None = None,
    entity: str | None = None,
    task: Task | None = None,
    positive: str | None = None,
    runtime: RuntimeName = "embedded",
    report: Report,
) -> Made:
    """Make a workload of a CSV file, train and register its models, and prove that its healthy system is healthy.

    `open_stack` takes a folder for the stack, the folder of the code and the workload's name. Raises UsageError where
    no workload can be made of the table, and StackError where its healthy system is not healthy. What fails or is
    interrupted leaves nothing behind.
    """
    chosen = name or re.sub(r"[^a-z0-9]", "", file.stem.lower())
    if not NAME.fullmatch(chosen):
        raise UsageError(
            f"{chosen!r} is no name for a workload.", "Use --name with letters and digits, a letter first."
        )
    if (
        chosen in ("table", "registry")
        or (settings.root / "training" / chosen).exists()
        or (settings.root / "serving" / chosen).exists()
    ):
        raise UsageError(f"The project has a {chosen} already.", "Give another name with --name.")
    folder = sources.own(settings, chosen)
    settings.workloads.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.workloads / f".{chosen}.lock"):
        if folder.exists():
            raise UsageError(
                f"There is a workload {chosen} already.", f"Remove it with `crashlab workload remove {chosen}`."
            )
        report("reading the table")
        table = read(file, target, time=time, entity=entity, task=task, positive=positive)
        draft = folder.with_name(f".{chosen}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        write(draft, chosen, table, file.name)
        draft.rename(folder)
        try:
            return _prove(settings, chosen, table, runtime, open_stack, report)
        except BaseException:
            _forget(settings, chosen)
            raise


def _prove(
    settings: Settings,
    name: str,
    table: Table,
    runtime: RuntimeName,
    open_stack: Callable[[Path, Path, str], Stack],
    report: Report,
) -> Made:
    root = sources.root(settings, name)
    load = workload.load(root, name)

    def make(home: Path) -> Stack:
        return open_stack(home, root, name)

    snap = snapshot.ensure(root, settings.snapshots, load, settings.data_seed, runtime, make, report)
    facts, wrong = snap.healthy.facts, [alert.rule for alert in snap.alerts]
    mismatch = facts.get("parity mismatch")
    if wrong or mismatch != 0 or snap.healthy.failures:
        reasons = [*(f"{rule} fires" for rule in wrong), *snap.healthy.failures.values()]
        reasons += [] if mismatch == 0 else [f"training and serving differ on {mismatch} of the rows"]
        raise StackError(
            f"The healthy system of {name} is not healthy: {'; '.join(reasons)}.",
            "This machine may be busy; try again.",
        )
    prefix = "quality "
    return Made(
        name=name,
        task=table.task,
        target=table.target,
        positive=table.positive,
        rows={
            "past": len(table.history),
            "production": len(table.stream),
            "hidden": len(table.hidden),
            "dropped": table.dropped,
        },
        columns={c.name: f"{len(c.levels)} levels" if c.levels else "number" for c in table.columns},
        left_out=table.left_out,
        quality={
            key.removeprefix(prefix): float(value)
            for key, value in facts.items()
            if key.startswith(prefix) and "window=before" not in key and not key.endswith("labels")
        },
        parity_mismatch=float(mismatch),
    )


def remove(settings: Settings, name: str) -> None:
    """Remove a workload that was made from a table, and its snapshots. Incidents that were stopped stay readable.

    Raises UsageError where there is none of that name, and StateError where an incident of it runs.
    """
    from crashlab.incident import Incident, identifiers

    if name not in sources.own_names(settings):
        known = ", ".join(sources.own_names(settings)) or "none"
        raise UsageError(
            f"There is no workload {name!r} that was made from a table.", f"Those made from tables: {known}."
        )
    running = [
        one.record.id
        for one in (Incident(settings, i) for i in identifiers(settings))
        if one.record.workload == name and one.record.phase != "stopped"
    ]
    if running:
        raise StateError(
            f"{name} has incidents that run: {', '.join(running)}.", "End them with `crashlab stop -i ID`."
        )
    with FileLock(settings.workloads / f".{name}.lock"):
        _forget(settings, name)


def _forget(settings: Settings, name: str) -> None:
    shutil.rmtree(sources.own(settings, name), ignore_errors=True)
    for path in settings.snapshots.glob(f"{name}-*"):
        shutil.rmtree(path, ignore_errors=True)


def write(folder: Path, name: str, table: Table, file: str) -> None:
    """Write training/<name>/ and serving/<name>/ of a table below `folder`."""
    classifies = table.task == "classification"
    what = f"the probability that {table.target} is {table.positive}" if classifies else table.target
    values: dict[str, Any] = {
        "name": name,
        "table": table,
        "classifies": classifies,
        "title": f"{name.capitalize()}: {table.target}",
        "description": f"The API predicts {what} for rows like those of {file}. The rows are real, and their times are made up.",
        "unit": "probability" if classifies else f"units of {table.target}",
        "prediction": "probability" if classifies else "predicted",
        "threshold": THRESHOLD,
        "sample": {column.name: _json(column, table.stream[0].cells[column.name]) for column in table.columns},
    }
    environment = _environment()

    def render(template: str, target: str) -> None:
        store.write_text(folder / target, environment.get_template(template).render(values))

    for template, target in (
        ("serving_init.py.jinja", f"serving/{name}/__init__.py"),
        ("serving_schema.py.jinja", f"serving/{name}/schema.py"),
        ("serving_preprocess.py.jinja", f"serving/{name}/preprocess.py"),
        *([("policy.toml.jinja", f"serving/{name}/policy.toml")] if classifies else []),
        ("workload.toml.jinja", f"training/{name}/workload.toml"),
        ("history.toml", f"training/{name}/history.toml"),
    ):
        render(template, target)
    distractors = (TEMPLATES / "distractors.toml").read_text(encoding="utf-8").replace("NAME", name)
    store.write_text(folder / f"training/{name}/distractors.toml", distractors)
    schema = {
        "workload": name,
        "target": table.target,
        "task": table.task,
        "entity": table.entity,
        "event_time": table.event_time,
        "columns": [dataclasses.asdict(column) for column in table.columns],
        "kind": "boosting" if len(table.history) >= ENOUGH else "linear",
        "positive": table.positive,
        "threshold": THRESHOLD,
    }
    store.write_text(folder / f"training/{name}/schema.json", json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
    store.write_text(folder / f"training/{name}/table.csv", _csv(table))
    # Beside the code and not in it: what a repaired system is held to is no file of a learner's workspace.
    store.write_text(folder / sources.HIDDEN, "".join(_hidden(table)), private=True)
    store.write_text(
        folder / f"training/{name}/__init__.py", f'"""Rows and schema of {name}; `training.table` does the work."""\n'
    )


def _csv(table: Table) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["part", "outcome", *(column.name for column in table.columns)])
    parts: dict[str, tuple[Row, ...]] = {"history": table.history, "stream": table.stream}
    for part, rows in parts.items():
        for row in rows:
            writer.writerow([part, repr(row.outcome), *(row.cells[column.name] for column in table.columns)])
    return out.getvalue()


def _hidden(table: Table) -> Iterator[str]:
    for row in table.hidden:
        payload = {column.name: _json(column, row.cells[column.name]) for column in table.columns}
        yield json.dumps({"payload": payload, "actual": row.outcome}, ensure_ascii=False) + "\n"


def _json(column: Column, cell: str) -> float | str | None:
    if cell == "":
        return None
    return cell if column.levels else float(cell)


def _annotation(column: Column) -> str:
    kind = "float"
    if column.levels:
        kind = (
            f"Literal[{', '.join(_quoted(level) for level in column.levels)}]"
            if len(column.levels) <= MOST_LEVELS
            else "str"
        )
    return f"{kind} | None" if column.optional else kind


def _quoted(text: str) -> str:
    """Return a text as a string of JSON, which is one of Python and of TOML too."""
    return json.dumps(text, ensure_ascii=False)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(_literal(item) for item in value) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def _plain(text: str) -> str:
    """Return a text for a comment: one line, without what could end it."""
    return re.sub(r"[\"\\\s]+", " ", text).strip()[:80]


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 the result is Python and TOML, quoted by the filters below
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "quoted": _quoted,
        "literal": _literal,
        "annotation": _annotation,
        "plain": _plain,
    }
    environment.filters.update(filters)
    return environment
