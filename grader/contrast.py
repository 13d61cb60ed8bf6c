"""What a fact tells apart: whether it moved against the healthy system, and which look-alikes of the cause show it otherwise.

The table `contrast.json` is measured and not written: every proof of a scenario keeps the facts of its system, healthy and broken, and
`crashlab contrast --write` makes the table from them. For each fact it holds how far it moves by itself, which is the core of its changes
over all scenarios of a workload, and for each scenario and seed the facts that moved further than that.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from crashlab.model import Brief, Bundle, Frozen, Shown, Truth, Value
from grader import causes, citations, resources

CORE = 0.4
"""Share of a workload's runs whose changes of a fact are taken for what is usual, the closest ones together: a fault may move a
fact in every second scenario, so a median or a deviation from it would take moved ones for normal."""
SPREAD = 8.0
"""Half widths of that core beyond which a fact has moved: four standard deviations, where changes are normally distributed."""
FACTOR = 0.5
"""Least change of what is told as a ratio to the healthy system, such as a count, that counts as moved."""
SLOWER = 4.0
"""Ratio to the healthy system at which a time has moved."""
MOST_SPREAD = 4.0
"""Times the smallest change that a spread counts as at most."""
MOST_RUNS = 0.6
"""Share of a look-alike's runs that must show a fact otherwise, since what its fault is drawn for differs by seed."""
SYMPTOMS: Mapping[str, tuple[str, ...]] = {
    "prediction-quality": ("quality",),
    "prediction-shift": ("prediction drift", "prediction mean", "prediction median"),
    "latency": ("latency p50_ms", "latency p95_ms", "latency p99_ms", "latency client_p95_ms"),
    "failed-requests": ("errors",),
}
"""What an alert has said already, by its rule: a family, or facts of one. Whoever repeats it has found nothing."""
FAMILY: Mapping[str, str] = {name: facts[0].split()[0] for name, facts in SYMPTOMS.items()}
AS_EVER, NEW = "as on healthy days", "not there on healthy days"
UNTOLD = ("commit", "serving release", "deploy release")
"""Facts that are named anew in every incident, so that no other one shows them."""


class Usual(Frozen):
    """How a fact behaves where nothing concerns it. `kind` says what it is told as; `middle` and `spread` are of that."""

    kind: Literal["name", "difference", "ratio"]
    middle: float = 0.0
    spread: float = 0.0


class Run(Frozen):
    """One scenario on one seed: the facts that moved, as they are told, and those that something harmless had moved."""

    cause: str
    scenario: str
    seed: int
    moved: dict[str, Value]
    harmless: tuple[str, ...] = ()


class Table(Frozen):
    """Everything that was measured on one workload."""

    usual: dict[str, Usual]
    runs: tuple[Run, ...]


def kind_of(key: str, value: Value) -> Literal["name", "difference", "ratio"]:
    """Say what a fact is told as: a name, a difference from the healthy system, or a ratio to it."""
    if isinstance(value, bool | str):
        return "name"
    if key.split(maxsplit=1)[0] in ("registry", "serving") or key.endswith(" version"):
        return "name"
    return (
        "ratio"
        if isinstance(value, int) or key.endswith("_ms") or key.startswith(("usage ", "requests "))
        else "difference"
    )


def told(key: str, healthy: Value | None, broken: Value) -> Value | None:
    """Return a fact as it is compared: as it is, less its healthy value, or divided by it. None where it cannot be."""
    kind = kind_of(key, broken)
    if kind == "name":
        return AS_EVER if healthy == broken else str(broken)
    if healthy is None:
        return NEW
    if isinstance(healthy, str):
        return None
    if kind == "difference":
        return float(broken) - float(healthy)
    return (float(broken) + 1.0) / (float(healthy) + 1.0)


def least(key: str, healthy: Value | None) -> float:
    """Return the smallest change that is one at all: what a citation of the fact may be off by."""
    if not isinstance(healthy, int | float):
        return 0.0
    return citations.tolerance(key, float(healthy))


def harmless(truth: Truth) -> frozenset[str]:
    """Return the names and families that an incident's distractors are about, unless its faults are about them as well."""
    named = {str(value) for item in truth.distractors for value in item.parameters.values() if isinstance(value, str)}
    # A burst of requests makes times long and hours busy.
    named |= {
        family for item in truth.distractors if item.kind == "burst" for family in ("latency", "requests", "usage")
    }
    own = {name for item in truth.faults for name in (item.object, *item.object_aliases)}
    return frozenset(named - own)


def _touched(key: str, names: frozenset[str]) -> bool:
    return any(word in names or word.rpartition("=")[2] in names for word in key.split())


def make(shown: Iterable[Shown]) -> dict[str, Table]:
    """Make the table of every workload from what scenarios showed."""
    by_workload: dict[str, list[Shown]] = {}
    for each in shown:
        by_workload.setdefault(each.truth.workload, []).append(each)
    return {name: _table(found) for name, found in sorted(by_workload.items())}


def _table(shown: list[Shown]) -> Table:
    facts = sorted({key for each in shown for key in each.broken if not key.startswith(UNTOLD)})
    usual: dict[str, Usual] = {}
    for key in facts:
        values = [each.broken[key] for each in shown if key in each.broken]
        kind = kind_of(key, values[0])
        if kind == "name":
            usual[key] = Usual(kind=kind)
            continue
        # Where an alert fired over a family, its facts have moved.
        calm = [each for each in shown if key.split()[0] not in {FAMILY.get(alert.rule) for alert in each.brief.alerts}]
        changes = [
            c
            for each in calm
            if key in each.broken and isinstance(c := told(key, each.healthy.get(key), each.broken[key]), float)
        ]
        if changes:
            low, high = _core(changes)
            usual[key] = Usual(kind=kind, middle=round((low + high) / 2, 6), spread=round((high - low) / 2, 6))
        else:
            usual[key] = Usual(kind="name")  # there in some incidents, and never on healthy days
    runs = []
    for each in shown:
        names = harmless(each.truth)
        moved = {
            key: round(change, 6) if isinstance(change, float) else change
            for key, value in each.broken.items()
            if key in usual
            and not _touched(key, names)
            and (change := told(key, each.healthy.get(key), value)) is not None
            and _moved(key, change, usual[key], each.healthy.get(key), timed=_timed(each.brief))
        }
        untold = tuple(sorted(key for key in each.broken if key in usual and _touched(key, names)))
        runs.append(
            Run(
                cause=each.truth.cause, scenario=each.truth.scenario, seed=each.truth.seed, moved=moved, harmless=untold
            )
        )
    # Kept is what some scenario moves, and what seems to move anywhere unless one knows how much it does so by itself.
    ever = {key for run in runs for key in run.moved} | {
        key
        for each in shown
        for key, value in each.broken.items()
        if key in usual
        and (change := told(key, each.healthy.get(key), value)) is not None
        and _moved(key, change, _still(key, value), each.healthy.get(key), timed=True)
    }
    kept = {key: value for key, value in usual.items() if key in ever}
    return Table(usual=kept, runs=tuple(
        run.model_copy(update={"harmless": tuple(key for key in run.harmless if key in ever)}) for run in runs
    ))  # fmt: skip


def _still(key: str, value: Value) -> Usual:
    """Return how a fact behaves that does not change by itself at all."""
    kind = kind_of(key, value)
    return Usual(kind=kind, middle=float(kind == "ratio"))


def _core(changes: list[float]) -> tuple[float, float]:
    """Return the ends of the shortest interval that holds `CORE` of the values."""
    ordered = sorted(changes)
    size = max(1, round(CORE * len(ordered)))
    return min(
        ((ordered[at], ordered[at + size - 1]) for at in range(len(ordered) - size + 1)),
        key=lambda ends: ends[1] - ends[0],
    )


def _moved(key: str, change: Value, usual: Usual, healthy: Value | None, *, timed: bool) -> bool:
    """Whether a fact differs from its healthy value, and by more than it does by itself. `timed`: an alert over times fired."""
    if isinstance(change, str):
        return change != AS_EVER
    if key.endswith("_ms"):
        # Load moves times by themselves, so they are held to what the alert of latency is, and to that alert; docs/decisions/0010.
        return timed and not 1 / SLOWER < float(change) < SLOWER
    floor = FACTOR if usual.kind == "ratio" else least(key, healthy)
    usually = min(max(SPREAD * usual.spread, floor), MOST_SPREAD * floor)
    return abs(float(change) - (usual.kind == "ratio")) > floor and abs(float(change) - usual.middle) > usually


def _timed(brief: Brief) -> bool:
    return any(alert.rule == "latency" for alert in brief.alerts)


@cache
def load() -> Mapping[str, Table]:
    """Read the table that ships with the grader."""
    return {name: Table.model_validate(found) for name, found in json.loads(resources.read("contrast.json")).items()}


@dataclass(frozen=True)
class Contrast:
    """What one fact of an incident tells: whether it moved, which look-alikes it excludes, of how many."""

    moved: bool
    excludes: tuple[str, ...]
    of: int
    symptom: bool = False
    """Whether an alert has said it already; then it excludes nothing."""
    beside: bool = False
    """Whether it is about something harmless that the incident shows as well; then it says nothing."""

    @property
    def bears(self) -> bool:
        """Whether it says anything about what happened at all."""
        return self.moved or bool(self.excludes)

    @property
    def decides(self) -> bool:
        """Whether it separates the cause from most of its look-alikes."""
        return 2 * len(self.excludes) > self.of > 0


def look_alikes(truth: Truth) -> tuple[str, ...]:
    """Return the causes that look like an incident's: the scenario's own list, those that are often confused, and neighbours."""
    known = causes.load()
    own = {item.cause for item in truth.faults}
    found = list(truth.look_alikes)
    for cause in own:
        found += [each for group in known.confusions if cause in group.causes for each in group.causes]
        found += known.by_id[cause].neighbours if cause in known.by_id else ()
    return tuple(each for each in dict.fromkeys(found) if each not in own)


def contrast(key: str, bundle: Bundle) -> Contrast:
    """Say what a fact of an incident's broken system tells apart."""
    truth = bundle.truth
    value, healthy = bundle.broken.facts.get(key), bundle.healthy.facts.get(key)
    if value is None or key.startswith(UNTOLD) or _touched(key, harmless(truth)):
        return Contrast(False, (), 0, beside=True)
    symptom = any(_says(said, key) for alert in bundle.brief.alerts for said in SYMPTOMS.get(alert.rule, ()))
    change = told(key, healthy, value)
    table = load().get(truth.workload)
    usual = table.usual.get(key) if table else None
    if change is None:
        return Contrast(False, (), 0, symptom)
    # What no scenario has ever moved has no line in the table, and stands there as on healthy days.
    moved = _moved(key, change, usual or _still(key, value), healthy, timed=_timed(bundle.brief))
    if table is None or symptom:
        return Contrast(moved, (), 0, symptom)
    alike = {
        cause: [run for run in table.runs if run.cause == cause and key not in run.harmless]
        for cause in look_alikes(truth)
    }
    measured = {cause: runs for cause, runs in alike.items() if runs}
    excludes = tuple(
        cause
        for cause, runs in measured.items()
        if sum(_differs(key, change if moved else None, run.moved.get(key)) for run in runs) >= MOST_RUNS * len(runs)
    )
    return Contrast(moved, excludes, len(measured), symptom)


def _says(said: str, key: str) -> bool:
    """Whether a fact is one of a family, or the named one whatever it is measured over."""
    words = [word for word in key.split() if "=" not in word]
    return words[0] == said or " ".join(words) == said


def _differs(key: str, mine: Value | None, theirs: Value | None) -> bool:
    """Whether two incidents show a fact otherwise; None stands for a fact that did not move."""
    if mine is None or theirs is None:
        return (mine is None) != (theirs is None)
    if isinstance(mine, str) or isinstance(theirs, str):
        return mine != theirs
    # How far something moved is drawn with the seed; a constant ratio of two code paths is the fault itself.
    return key.endswith(" parity_ratio") and abs(float(mine) - float(theirs)) > citations.RATIO
