"""What faults can stand on in a workload of a person's own table: how its champion reacts to changes.

Nobody knows beforehand which column of an unknown table matters. So the changes that faults are made of are tried on the
rows that production recorded in a healthy day, with the champion itself, and the alert rules' own arithmetic says what
would fire. A fault is then drawn among changes that are felt.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from crashlab import production
from crashlab.errors import StackError, UsageError
from crashlab.evidence.figures import distance, number
from crashlab.model import Feature, Ground, Reaction
from crashlab.production import Prediction
from crashlab.quality import METRICS
from crashlab.registry import RegistryClient
from crashlab.settings import Settings
from crashlab.stack.base import Stack, job
from crashlab.workload import Workload

FILE = "ground-1.json"
"""Beside a snapshot's other files. The number changes with what is tried, so that an older file is made anew."""
MOST_COLUMNS, FEWEST_COLUMNS = 10, 3
"""Columns that are tried, the most important ones first."""
MOST_CELLS = 2_000_000
"""Cells that the model is given, about: of a wide table fewer columns are tried."""
EACH = 20
"""Changes of one column, about."""
FACTORS = (1000.0, 0.001, 100.0, 0.01, 2.54, 1 / 2.54)
"""Thousandths and thousands, percent and fractions, inches and centimetres."""
LEAST_LOSS = 1e-9
"""A model without any error is taken to have this one."""
EIGHT_BITS = 127
"""Largest number of a signed byte."""
FILLS = (0.0, 1.0)
STEPS = tuple(float(f"{digit}e{power}") for power in range(-4, 5) for digit in (1, 2, 3, 5))
COARSE = (0.15, 1.0)
"""Steps that are tried, as shares of the column's range: finer ones lose little, coarser ones everything."""
THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
FITS = ("stretch", "peak", "standard")
ROUNDED = (0.0, 1.0)
"""Decimals that are left of all numbers."""
RECODED = ("reversed", "sorted", "turned")
GROUP, ALONE = 10, 2
"""Of ten rows in a row two come alone and the others together; see docs/decisions/0008."""

Vector = dict[str, float | None]
Answer = Callable[[Sequence[Vector], int | None], list[float]]
"""Predictions for feature vectors by a version of the model, the champion by default."""


def path(folder: Path) -> Path:
    """Return the file of the ground in a snapshot's folder."""
    return folder / FILE


def recoded(levels: Sequence[str], how: str) -> tuple[str, ...]:
    """Return the values of a category in another order, in which their codes would then be given."""
    if how == "reversed":
        return tuple(reversed(levels))
    if how == "sorted":
        return tuple(sorted(levels))
    return (*levels[1:], levels[0])


def changes(
    features: Sequence[Feature], versions: Sequence[int], threshold: float | None, rows: int
) -> Iterator[Reaction]:
    """Yield every change that is tried on so many rows, important columns first, with nothing said of its reach yet."""
    fitting = MOST_CELLS // max(EACH * rows * len(features), 1)
    tried = features[: max(FEWEST_COLUMNS, min(MOST_COLUMNS, fitting))]
    for item in tried:
        yield from _on_category(item) if item.levels else _on_number(item)
        if item.optional:
            yield from (Reaction(kind="fill", columns=(item.name,), value=value, reach={}) for value in FILLS)
    numbers = tuple(item.name for item in features if not item.levels)
    if numbers:
        yield from (Reaction(kind="round", columns=numbers, value=digits, how="round", reach={}) for digits in ROUNDED)
        if not any(item.optional for item in features):
            yield Reaction(kind="round", columns=numbers, how="int64", reach={})
    for pair in combinations(tried, 2):
        yield Reaction(kind="swap", columns=tuple(item.name for item in pair), reach={})
    yield from (Reaction(kind="version", value=version, reach={}) for version in versions)
    if threshold is not None:
        yield Reaction(kind="flip", reach={})
        yield from (Reaction(kind="threshold", value=value, reach={}) for value in THRESHOLDS if value != threshold)


def _on_number(item: Feature) -> Iterator[Reaction]:
    yield from (Reaction(kind="scale", columns=(item.name,), value=factor, reach={}) for factor in FACTORS)
    for step in STEPS:
        if COARSE[0] <= step / (item.high - item.low) <= COARSE[1]:
            yield Reaction(kind="step", columns=(item.name,), value=step, reach={})
    if max(abs(item.low), abs(item.high)) > EIGHT_BITS and not item.optional:
        yield Reaction(kind="wrap", columns=(item.name,), value=EIGHT_BITS, reach={})
    yield from (Reaction(kind="refit", columns=(item.name,), how=how, reach={}) for how in FITS)


def _on_category(item: Feature) -> Iterator[Reaction]:
    orders = {recoded(item.levels, how): how for how in reversed(RECODED)}
    orders.pop(item.levels, None)
    yield from (Reaction(kind="recode", columns=(item.name,), how=how, reach={}) for how in orders.values())


def together(count: int) -> Iterator[range]:
    """Yield the places of the rows that come in one request, in the order of production."""
    for first in range(0, count, GROUP):
        alone = min(first + ALONE, count)
        yield from (range(place, place + 1) for place in range(first, alone))
        if alone < min(first + GROUP, count):
            yield range(alone, min(first + GROUP, count))


def aligned(values: Sequence[float | None], how: str, feature: Feature) -> list[float | None]:
    """Return the values of one request's rows, fitted by statistics of these rows."""
    known = [value for value in values if value is not None]
    if not known:
        return list(values)
    if how == "standard":
        mean = fmean(known)
        spread = pstdev(known, mean) or 1.0
        return [None if value is None else (value - mean) / spread for value in values]
    low, high = min(known), max(known)
    if how == "peak":
        return [None if value is None else value / (high or 1.0) * feature.high for value in values]
    span = (high - low) or 1.0
    return [
        None if value is None else feature.low + (value - low) / span * (feature.high - feature.low) for value in values
    ]


def changed(change: Reaction, vectors: Sequence[Vector], features: Sequence[Feature]) -> list[Vector]:
    """Return what the model would get after a change, for vectors in the order of production."""
    if change.kind == "swap":
        first, second = change.columns
        return [{**vector, first: vector[second], second: vector[first]} for vector in vectors]
    if change.kind == "round":
        whole = change.how == "int64"
        return [
            vector
            | {
                name: None if (v := vector[name]) is None else float(int(v)) if whole else round(v, int(change.value))
                for name in change.columns
            }
            for vector in vectors
        ]
    (name,) = change.columns
    feature = next(item for item in features if item.name == name)
    column = [vector[name] for vector in vectors]
    new: list[float | None]
    if change.kind == "refit":
        new = [
            value
            for places in together(len(column))
            for value in aligned([column[place] for place in places], change.how, feature)
        ]
    else:
        new = [_value(change, value, feature) for value in column]
    return [{**vector, name: value} for vector, value in zip(vectors, new, strict=True)]


def _value(change: Reaction, value: float | None, feature: Feature) -> float | None:
    if value is None:
        return change.value if change.kind == "fill" else None
    if change.kind == "scale":
        return value * change.value
    if change.kind == "step":
        return value // change.value * change.value
    if change.kind == "wrap":
        return float((int(value) + EIGHT_BITS + 1) % 256 - EIGHT_BITS - 1)
    if change.kind == "recode":
        return float(recoded(feature.levels, change.how).index(feature.levels[int(value)]))
    return value


def reach(
    workload: Workload,
    healthy: Sequence[tuple[float, float]],
    answers: Sequence[float],
    cut: tuple[float, float] | None,
) -> dict[str, float]:
    """Say how far each rule on predictions is from its threshold; see `crashlab.model.Reaction`.

    `healthy` are pairs of prediction and outcome as recorded, `answers` the predictions for the same rows after a
    change; `cut` holds the threshold of decisions as it is and after the change, None where nothing is decided.
    """
    rules, metric = workload.rules, METRICS[workload.quality.metric]
    changed_loss = metric([(answer, actual) for answer, (_, actual) in zip(answers, healthy, strict=True)])
    ratio = changed_loss / max(metric(healthy), LEAST_LOSS)
    limit = rules.quality_ratio
    found = {
        # A ratio is no near miss of its threshold because it is near to 1.
        "prediction-quality": ratio / limit if ratio > limit else max(ratio - 1, 0.0) / (limit - 1),
        "prediction-shift": distance(answers, [prediction for prediction, _ in healthy]) / rules.prediction_drift,
    }
    if cut is not None:
        before = sum(prediction >= cut[0] for prediction, _ in healthy)
        now = sum(answer >= cut[1] for answer in answers)
        found["decision-rate"] = abs(now - before) / len(healthy) / rules.decision_rate
    return {rule: number(value) if math.isfinite(value) else 0.0 for rule, value in found.items()}


def react(
    workload: Workload,
    features: Sequence[Feature],
    rows: Sequence[tuple[Vector, float, float]],
    answer: Answer,
    versions: Sequence[int],
    threshold: float | None,
) -> tuple[Reaction, ...]:
    """Try every change on the rows of a day: vector, prediction and outcome of each, in the order of production."""
    vectors, healthy = [row[0] for row in rows], [(row[1], row[2]) for row in rows]
    plain = [prediction for prediction, _ in healthy]
    tried = list(changes(features, versions, threshold, len(rows)))
    on_columns = [change for change in tried if change.columns]
    asked = [vector for change in on_columns for vector in changed(change, vectors, features)]
    answers = iter(answer(asked, None))
    found = []
    for change in tried:
        cut = None if threshold is None else (threshold, threshold)
        if change.columns:
            now = [next(answers) for _ in rows]
        elif change.kind == "version":
            now = answer(vectors, int(change.value))
        elif change.kind == "flip":
            now = [1 - value for value in plain]
        else:
            now, cut = plain, (threshold or 0.0, change.value)
        found.append(change.model_copy(update={"reach": reach(workload, healthy, now, cut)}))
    return tuple(found)


def describe(
    columns: Sequence[dict[str, Any]], reference: dict[str, list[float | None]], importance: dict[str, float]
) -> tuple[Feature, ...]:
    """Return the features of a table's schema, the most important first, with their range in the training sample."""
    found = []
    for column in columns:
        known = [value for value in reference[column["name"]] if value is not None] or [0.0, 1.0]
        low, high = (float(f"{edge(known):.3g}") for edge in (min, max))
        if low == high:
            continue
        found.append(
            Feature(
                name=column["name"], source=column["source"], levels=tuple(column["levels"]),
                optional=column["optional"], low=low, high=high,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda item: (-importance.get(item.name, 0.0), item.name)))


def measure(stack: Stack, workload: Workload, root: Path, reference: dict[str, list[float | None]]) -> Ground:
    """Try every change on a stack with a healthy week behind it."""
    schema = json.loads((root / "training" / workload.name / "schema.json").read_text(encoding="utf-8"))
    registry = stack.registry
    if not isinstance(registry, RegistryClient):
        raise StackError("Reactions are measured with a real registry.", "Use the compose or the embedded runtime.")
    tags = registry.versions()
    metrics = registry.run(tags[workload.champion]["run_id"]).metrics
    importance = {
        key.removeprefix("importance_"): value for key, value in metrics.items() if key.startswith("importance_")
    }
    features = describe(schema["columns"], reference, importance)
    threshold = float(schema["threshold"]) if schema["task"] == "classification" else None

    def answer(vectors: Sequence[Vector], version: int | None) -> list[float]:
        text = "".join(json.dumps(vector, separators=(",", ":")) + "\n" for vector in vectors)
        asked = str(version or workload.champion)
        done = job(stack, ["fingerprint", "--version", asked], stdin=text)
        if done.code != 0:
            raise StackError("The training side could not score feature vectors.", done.err.strip()[-300:])
        return [float(json.loads(line)[asked]) for line in done.out.splitlines() if line.strip()]

    others = [version for version, said in sorted(tags.items()) if said.get("promotion") in ("rejected", "candidate")]
    rows = [(row.features, row.prediction, actual) for row, actual in _day(stack, workload)]
    return Ground(
        workload=workload.name,
        target=schema["target"],
        metric=workload.quality.metric,
        unit=workload.unit,
        champion=workload.champion,
        threshold=threshold,
        features=features,
        order=tuple(column["name"] for column in schema["columns"]),
        reactions=react(workload, features, rows, answer, others, threshold),
    )


def _day(stack: Stack, workload: Workload) -> list[tuple[Prediction, float]]:
    """Return the requests of the first recorded day with their outcomes: every day sends the same rows."""
    data = stack.home / "data"
    labels = production.labels(data)
    rows = production.predictions(data, workload.calendar.week_start, workload.calendar.baseline_end)
    return [
        (row, labels[row.entity])
        for row in rows
        if row.entity in labels and row.event_time.date() == workload.calendar.week_start.date()
    ]


def load(settings: Settings, name: str) -> Ground:
    """Return the ground of a workload of one's own, from whichever snapshot of today's code there is.

    Raises UsageError where there is no such workload, or nothing was trained for its code as it is now.
    """
    from crashlab import snapshot, sources, store

    if name not in sources.own_names(settings):
        known = ", ".join(sources.own_names(settings)) or "none"
        raise UsageError(
            f"There is no workload {name!r} that was made from a table.",
            f"Those made from tables: {known}. Make one with `crashlab workload add FILE.csv --target COLUMN`.",
        )
    root = sources.root(settings, name)
    for runtime in ("embedded", "compose"):
        folder = settings.snapshots / f"{name}-{snapshot.fingerprint(root, name, settings.data_seed, runtime)}"
        if path(folder).is_file():
            return store.read(path(folder), Ground)
    raise UsageError(
        f"The models of {name} are not trained for its code as it is now.",
        f"Any start trains them: `crashlab start wrong-alias --workload {name}`.",
    )
