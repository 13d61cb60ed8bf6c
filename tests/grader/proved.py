"""Incidents of the proved scenarios as frozen bundles, made from their own plans and texts, without a system.

Facts have the values that the engine would measure, as far as a truth tells them; everything else is as on healthy days.
A scenario whose facts do not follow from its truth by the rules of `_moved` has a line of its own in `OWN`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from crashlab import answers, distractors, scenario, workload
from crashlab.model import Alert, Brief, Bundle, Change, Evidence, LatencyProbe, Probe, Truth, Value
from crashlab.scenario import Scenario
from grader import template
from tests.fast import grader_fixtures as fixtures

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
SEEDS = (1, 2, 3)
SLOW = 12.0
"""How many times as long everything takes where the latency rule fires."""


@dataclass(frozen=True)
class Case:
    """One incident before anybody has written anything: what it is, and what is known of it."""

    known: Scenario
    seed: int
    truth: Truth
    brief: Brief
    healthy: Evidence
    broken: Evidence

    @property
    def folder(self) -> Path:
        """Folder of the scenario."""
        return FOLDER / self.known.name

    def reference(self) -> str:
        """The scenario's right answer, filled with this incident."""
        return _reference(self.known.name, self.seed)

    def render(self, other: "Case") -> str:
        """Fill another incident's right answer with the facts, the alerts and the times of this one."""
        truth = other.truth.model_copy(update={"onset": self.truth.onset})
        product = workload.load(ROOT, other.known.workload)
        return answers.render(other.folder, answers.REFERENCE, truth, self.brief, self.broken, product)

    def bundle(self, text: str, *, fixed: bool = True) -> Bundle:
        """Return what is graded: a post-mortem, and a system that was repaired rightly or left as it was."""
        after = self.healthy if fixed and self.truth.needs_change else self.broken
        return fixtures.bundle(
            "false-alarm", text, incident=self.brief.incident, started_at=self.truth.onset,
            probe=fixtures.probe() if fixed else self.untouched(), brief=self.brief, template=template(self.brief),
            healthy=self.healthy, broken=self.broken, after=after.model_copy(update={"phase": "after"}),
        ).model_copy(update={"truth": self.truth})  # fmt: skip

    def untouched(self) -> Probe:
        """What is measured where nothing was done to the system."""
        found: dict[str, Any] = {}
        if not {"prediction-quality", "prediction-shift"}.isdisjoint(self.known.alerts):
            found |= {"rows": fixtures.rows(wrong=60), "mae": 5.2, "live_mismatch": 0.75}
        if "latency" in self.known.alerts:
            slow = {k: v * (1 if k == "error_rate" else SLOW) for k, v in fixtures.GOOD_LATENCY.model_dump().items()}
            found["latency"] = LatencyProbe(**slow)
        return fixtures.probe(**found)


@cache
def cases() -> tuple[Case, ...]:
    """Every proved scenario with every seed, by name and seed."""
    proved = sorted((item for item in scenario.catalogue(FOLDER) if item.proved), key=lambda item: item.name)
    planned = [(item, seed, scenario.plan(item.name, seed)) for item in proved for seed in SEEDS]
    asked = {
        name for item, _, truth in planned for name in (*truth.supporting, *truth.discriminating, *_cited(item, truth))
    }
    return tuple(_case(item, seed, truth, asked) for item, seed, truth in planned)


@cache
def _reference(name: str, seed: int) -> str:
    (case,) = (each for each in cases() if (each.known.name, each.seed) == (name, seed))
    return case.render(case)


def _case(item: Scenario, seed: int, truth: Truth, asked: set[str]) -> Case:
    product = workload.load(ROOT, item.workload)
    healthy = fixtures.healthy_facts() | {name: _healthy(name, truth, product.champion) for name in asked}
    own = OWN.get(item.name, lambda _truth, _facts: {})(truth, healthy)
    moved = {name: _moved(name, value, truth, scenario.fires(item, truth)) for name, value in healthy.items()}
    return Case(
        item,
        seed,
        truth,
        _brief(item, truth),
        fixtures.evidence("healthy", healthy),
        fixtures.evidence("broken", moved | own),
    )


class _Asked(dict[str, Value]):
    """Facts that answer every selector, and keep which were asked for."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> Value:
        self[key] = 1.0
        return 1.0


def _cited(item: Scenario, truth: Truth) -> Iterator[str]:
    facts = _Asked()
    broken = Evidence.model_construct(facts=facts)
    answers.render(
        FOLDER / item.name, answers.REFERENCE, truth, _brief(item, truth), broken, workload.load(ROOT, item.workload)
    )
    yield from facts


def _brief(item: Scenario, truth: Truth) -> Brief:
    product = workload.load(ROOT, item.workload)
    fired = tuple(
        Alert(
            rule=rule, severity="page", summary=f"The rule {rule.replace('-', ' ')} of {product.title.lower()} fired.",
            observed=2.5, baseline=1.0, threshold=1.25, unit="", since=truth.onset + timedelta(hours=6),
        )
        for rule in scenario.fires(item, truth)
    )  # fmt: skip
    commits = distractors.load(ROOT, item.workload).commits[:4]
    return Brief(
        incident=f"{item.workload}-{truth.seed:08x}",
        title=f"{product.title}: you are on call",
        workload=item.workload,
        level=item.level,
        blind=True,
        objective=f"{product.description} {product.promise}",
        alerts=fired,
        timeline=tuple(Change(at=truth.onset, kind="commit", summary=c.message, reference="1a2b3c4") for c in commits),
        onset_hint=f"The first alert fired {fired[0].since:%A %d %B %Y %H:%M} UTC.",
        commitment="0" * 64,
    )


HEALTHY: dict[str, Value] = {
    "parity_ratio": 1.0, "parity_offset": 0.0, "parity_mismatch": 0.0, "mismatch": 0.0, "null_share": 0.0, "zero_share": 0.0,
    "mode": 12.5, "mode_share": 0.02, "drift": 0.03, "busy_ms": 2.0, "mae": 2.7, "InconsistentVersionWarning": 0,
    "cpus": 1.0, "p50_ms": 12.0, "peak_per_hour": 18.0, "rate": 0.0, "threads": 14, "throttled_share": 0.01, "OMP_NUM_THREADS": 1, "promotion": "rejected",
}  # fmt: skip
"""What is measured on healthy days, by the measurement, where a selector has no value of its own."""


def _healthy(name: str, truth: Truth, champion: int) -> Value:
    family, *middle, measurement = name.split()
    known = fixtures.healthy_facts()
    if name in known:
        return known[name]
    if family == "pin":
        return str(truth.parameters.get("trained", fixtures.PACKAGES.get(measurement, "1.0.0")))
    if measurement == "mean":
        # Another one for each feature, the same in every window.
        return round(3.0 + sum(map(ord, middle[0])) % 97, 2)
    if "kitchen" in name and measurement == "null_share":
        return 0.21
    families: dict[str, Value] = {"registry version": champion, "serving version": champion}
    whole = {"importance": 0.0004}
    return whole.get(family) or families.get(f"{family} {measurement}") or HEALTHY[measurement]


def _moved(name: str, value: Value, truth: Truth, rules: tuple[str, ...]) -> Value:
    """Return a fact of the broken system by its healthy value."""
    family, *middle, measurement = name.split()
    if "window=before" in middle:
        return value
    if family == "quality" and "prediction-quality" in rules and measurement == "mae":
        return 6.83
    if name == "prediction drift" and "prediction-shift" in rules:
        return 0.55
    if family == "latency" and "latency" in rules and isinstance(value, float):
        # The health check waits along where the truth says that this decides, and nowhere else.
        return value * SLOW if "health" not in measurement or name in truth.discriminating else value
    skewed = any(each.startswith("feature ") for each in truth.supporting)
    if name == "parity mismatch":
        return 1.0 if skewed else value
    return _of_truth(family, measurement, value, truth) if name in (*truth.supporting, *truth.discriminating) else value


def _of_truth(family: str, measurement: str, value: Value, truth: Truth) -> Value:
    """Return a fact that bears the truth out, by what was drawn."""
    drawn = truth.parameters
    if family == "feature" and measurement == "parity_mismatch":
        return 1.0
    if family == "feature" and measurement == "parity_ratio":
        return drawn.get("ratio", drawn.get("detour", value))
    if family == "feature" and measurement == "null_share":
        return 1.0
    if family == "usage" and measurement == "throttled_share":
        return 0.82
    return drawn.get(measurement, value)


Own = Callable[[Truth, Mapping[str, Value]], dict[str, Value]]


def _pin(package: str) -> Own:
    return lambda truth, _: {f"pin serving {package}": truth.parameters["version"]}


def _alias(truth: Truth, _: Mapping[str, Value]) -> dict[str, Value]:
    version, approved = truth.parameters["version"], truth.parameters["approved"]
    records = vars(scenario.fault("wrong-alias"))["RECORDS"]
    return {
        "registry alias=champion version": version,
        "serving version": version,
        f"registry version={version} promotion": records[version],
        f"registry version={approved} promotion": "approved",
    }


def _imputation(truth: Truth, healthy: Mapping[str, Value]) -> dict[str, Value]:
    unknown = healthy["feature kitchen_minutes side=training null_share"]
    return {
        "parity mismatch": unknown,
        "feature kitchen_minutes parity_mismatch": unknown,
        "feature kitchen_minutes side=training null_share": unknown,
        "feature kitchen_minutes null_share": 0.0,
        "feature kitchen_minutes mode": float(truth.parameters["fill"]),
        "feature kitchen_minutes mode_share": unknown,
    }


def _order(truth: Truth, healthy: Mapping[str, Value]) -> dict[str, Value]:
    took = vars(scenario.fault("feature-order"))["order"](truth).took
    return {f"feature {name} mean": healthy[f"feature {real} window=before mean"] for name, real in took.items()}


def _alarm(truth: Truth, healthy: Mapping[str, Value]) -> dict[str, Value]:
    drawn = truth.parameters
    if drawn["variant"] == "column":
        return {f"raw {drawn['column']} drift": 1.3}
    if drawn["variant"] == "peak":
        return {"requests peak_per_hour": 2.1 * float(healthy["requests window=before peak_per_hour"])}
    return {"logs InconsistentVersionWarning": 57, "pin serving scikit-learn": drawn["served"]}


OWN: dict[str, Own] = {
    "featurelib-pin": _pin("featurelib"),
    "library-pin": _pin("pandas"),
    "wrong-alias": _alias,
    "imputation-mismatch": _imputation,
    "feature-order": _order,
    "false-alarm": _alarm,
}
"""What is measured otherwise in a scenario, by its truth and the healthy facts."""
