"""Frozen bundles of seven incidents for the grader's tests, with facts in the form the engine measures them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from crashlab.model import (
    Alert,
    Brief,
    Bundle,
    Change,
    Evidence,
    HintTaken,
    LatencyProbe,
    Mechanism,
    Phase,
    Probe,
    ProbeRow,
    Submission,
    Truth,
    Value,
)
from grader import template

ONSET = datetime(2026, 9, 5, 6, 30, tzinfo=UTC)
FEATURES = ("distance_km", "kitchen_minutes", "local_hour", "temperature_c", "vehicle", "courier_tenure_days")
PACKAGES = {"scikit-learn": "1.7.2", "pandas": "2.3.3", "numpy": "2.3.5", "featurelib": "2.1.0"}


def healthy_facts() -> dict[str, Value]:
    facts: dict[str, Value] = {
        "parity mismatch": 0.0,
        "quality mae": 2.71,
        "quality window=before mae": 2.68,
        "quality labels": 2400,
        "latency p50_ms": 21.0,
        "latency p95_ms": 34.0,
        "latency p99_ms": 48.0,
        "latency window=before p50_ms": 20.4,
        "latency window=before p95_ms": 33.1,
        "latency window=before p99_ms": 47.2,
        "latency client_p95_ms": 39.0,
        "latency health_p99_ms": 9.0,
        "errors rate": 0.0,
        "prediction mean": 31.2,
        "prediction window=before mean": 31.0,
        "prediction drift": 0.02,
        "registry alias=champion version": 5,
        "registry alias=challenger version": 4,
        "registry latest version": 6,
        "registry version=5 promotion": "approved",
        "registry version=3 promotion": "approved",
        "registry version=6 promotion": "rejected",
        "registry version=5 mae": 2.66,
        "registry version=6 mae": 4.93,
        "serving version": 5,
        "serving run_id": "a1b2c3d4",
        "serving python": "3.11.9",
        "logs warnings": 0,
        "importance temperature_c": 0.0004,
        "importance distance_km": 0.71,
        "raw temperature_c drift": 0.04,
        "raw temperature_c mean": 17.9,
        "raw kitchen_seconds null_share": 0.21,
        "raw kitchen_seconds window=before null_share": 0.20,
        "commit 1a2b3c4 touches": "serving/eta/preprocess.py",
        "commit 5d6e7f8 touches": "serving/eta/app.py,README.md",
    }
    for name in FEATURES:
        facts[f"feature {name} parity_mismatch"] = 0.0
        facts[f"feature {name} parity_ratio"] = 1.0
        facts[f"feature {name} drift"] = 0.03
        facts[f"feature {name} null_share"] = 0.21 if name == "kitchen_minutes" else 0.0
        facts[f"feature {name} window=before null_share"] = 0.20 if name == "kitchen_minutes" else 0.0
        facts[f"feature {name} side=training null_share"] = 0.21 if name == "kitchen_minutes" else 0.0
        facts[f"feature {name} zero_share"] = 0.0
        facts[f"feature {name} mean"] = 4.7
    for side in ("serving", "training", "model"):
        facts |= {f"pin {side} {name}": version for name, version in PACKAGES.items()}
    return facts


BROKEN: dict[str, dict[str, Value]] = {
    "unit-mismatch": {
        "parity mismatch": 1.0,
        "feature distance_km parity_mismatch": 1.0,
        "feature distance_km parity_ratio": 0.621371,
        "feature distance_km drift": 0.61,
        "feature distance_km mean": 2.92,
        "quality mae": 6.83,
        "prediction mean": 25.4,
        "prediction drift": 0.55,
    },
    "featurelib-pin": {
        "parity mismatch": 1.0,
        "feature distance_km parity_mismatch": 1.0,
        "feature distance_km parity_ratio": 1.31,
        "feature vehicle parity_mismatch": 0.62,
        "feature local_hour parity_mismatch": 1.0,
        "pin serving featurelib": "1.2.0",
        "quality mae": 7.91,
        "latency p50_ms": 318.0,
        "latency p95_ms": 412.0,
        "latency p99_ms": 498.0,
        "latency client_p95_ms": 430.0,
        "prediction drift": 0.5,
    },
    "library-pin": {
        "parity mismatch": 1.0,
        "pin serving pandas": "3.0.6",
        "feature vehicle null_share": 1.0,
        "feature vehicle parity_mismatch": 1.0,
        "feature courier_tenure_days parity_mismatch": 1.0,
        "feature courier_tenure_days parity_ratio": 0.001,
        "quality mae": 5.62,
        "prediction drift": 0.41,
    },
    "wrong-alias": {
        "registry alias=champion version": 6,
        "serving version": 6,
        "serving run_id": "ffee0011",
        "quality mae": 5.04,
        "prediction drift": 0.38,
    },
    "imputation-mismatch": {
        "parity mismatch": 0.21,
        "feature kitchen_minutes parity_mismatch": 0.21,
        "feature kitchen_minutes null_share": 0.0,
        "feature kitchen_minutes zero_share": 0.21,
        "quality mae": 4.44,
        "prediction drift": 0.27,
    },
    "blocked-event-loop": {
        "latency p50_ms": 290.0,
        "latency p95_ms": 640.0,
        "latency p99_ms": 810.0,
        "latency client_p95_ms": 702.0,
        "latency health_p99_ms": 540.0,
    },
    "false-alarm": {
        "logs InconsistentVersionWarning": 57,
        "logs warnings": 57,
        "pin serving scikit-learn": "1.7.3",
        "raw temperature_c drift": 1.32,
        "raw temperature_c mean": 5.9,
        "feature temperature_c drift": 1.3,
    },
}

TRUTHS: dict[str, dict[str, Any]] = {
    "unit-mismatch": {
        "cause": "unit-mismatch",
        "component": "serving-code",
        "object": "distance_km",
        "object_aliases": ("serving/eta/preprocess.py", "preprocess.py"),
        "mechanism": Mechanism(
            sentence="Serving converts the route's metres to miles where training used kilometres.",
            concepts=(("mile", "miles", "imperial"), ("kilometre", "km", "metric")),
            numbers={"factor": 1.609344},
        ),
        "supporting": ("feature distance_km *", "parity mismatch", "quality mae", "prediction drift"),
        "discriminating": ("feature distance_km parity_ratio",),
        "look_alikes": ("imputation-mismatch", "feature-library-version-mismatch"),
        "remedy": "Convert metres to kilometres in serving/eta/preprocess.py.",
        "parameters": {"factor": 1.609344, "file": "serving/eta/preprocess.py"},
    },
    "featurelib-pin": {
        "cause": "feature-library-version-mismatch",
        "component": "serving-environment",
        "object": "featurelib",
        "object_aliases": ("serving/internal.txt",),
        "mechanism": Mechanism(
            sentence="Serving pins featurelib 1.2.0, which is slow and encodes features in another way than 2.1.0.",
            concepts=(
                ("featurelib", "feature library"),
                ("slow", "slower", "takes longer", "latency", "per order"),
                ("different features", "other features", "encodes", "means something else", "detour", "differ"),
            ),
            numbers={"detour": 1.31},
        ),
        "supporting": (
            "pin serving featurelib",
            "pin model featurelib",
            "pin training featurelib",
            "latency p95_ms",
            "feature * parity_mismatch",
            "feature * parity_ratio",
            "quality mae",
        ),
        "discriminating": ("pin serving featurelib",),
        "remedy": "Pin featurelib 2.1.0 in serving/internal.txt.",
        "parameters": {"version": "1.2.0", "trained": "2.1.0", "detour": 1.31},
    },
    "library-pin": {
        "cause": "dependency-version-mismatch",
        "component": "serving-environment",
        "object": "pandas",
        "object_aliases": ("serving/requirements.txt", "serving/requirements.in"),
        "mechanism": Mechanism(
            sentence="pandas 3 stores other units of time and has no object columns, so featurelib's idioms fail silently.",
            concepts=(
                ("pandas",),
                ("microseconds", "time stamps", "timestamps", "datetime", "tenure"),
                ("object", "dtype", "unknown", "string columns", "text columns", "categories"),
            ),
            numbers={"scale": 0.001},
        ),
        "supporting": (
            "pin serving pandas",
            "pin model pandas",
            "feature vehicle null_share",
            "feature courier_tenure_days parity_*",
            "feature vehicle parity_mismatch",
        ),
        "discriminating": ("pin serving pandas", "pin model pandas"),
        "remedy": "Pin pandas 2.3.3 in serving/requirements.in.",
        "parameters": {"version": "3.0.6", "trained": "2.3.3"},
    },
    "wrong-alias": {
        "cause": "wrong-alias",
        "component": "model-registry",
        "object": "champion",
        "mechanism": Mechanism(
            sentence="The alias champion was moved to version 6, which had been rejected.",
            concepts=(
                ("alias", "champion"),
                ("version",),
                (
                    "rejected",
                    "not approved",
                    "never approved",
                    "unapproved",
                    "not promoted",
                    "never to be promoted",
                    "not meant",
                    "worse",
                ),
            ),
            numbers={"version": 6},
        ),
        "supporting": (
            "registry alias=champion version",
            "registry version=6 *",
            "serving version",
            "parity mismatch",
            "quality mae",
        ),
        "discriminating": ("registry alias=champion version", "registry version=6 promotion", "parity mismatch"),
        "remedy": "Point champion to version 5 and restart serving.",
        "parameters": {"version": 6},
    },
    "imputation-mismatch": {
        "cause": "imputation-mismatch",
        "component": "serving-code",
        "object": "kitchen_minutes",
        "object_aliases": ("serving/eta/preprocess.py", "kitchen_seconds"),
        "mechanism": Mechanism(
            sentence="Serving fills an unknown kitchen time with 0, training's pipeline with the median.",
            concepts=(("unknown", "missing", "null", "nan", "absent"), ("zero", "0", "fillna"), ("median", "imputer")),
        ),
        "supporting": ("feature kitchen_minutes *", "raw kitchen_seconds null_share", "parity mismatch", "quality mae"),
        "discriminating": (
            "feature kitchen_minutes null_share",
            "feature kitchen_minutes zero_share",
            "feature kitchen_minutes side=training null_share",
        ),
        "remedy": "Leave unknown kitchen times unknown.",
        "parameters": {"fill": 0.0, "file": "serving/eta/preprocess.py"},
    },
    "blocked-event-loop": {
        "cause": "event-loop-blocking",
        "component": "serving-code",
        "object": "serving/eta/app.py",
        "object_aliases": ("predict", "app.py", "predict handler"),
        "mechanism": Mechanism(
            sentence="The async handler sleeps synchronously, so the event loop serves nobody else.",
            concepts=(
                ("async", "asynchronous", "coroutine"),
                ("blocking", "blocks", "synchronous", "synchronously", "time.sleep"),
                ("event loop", "loop", "health", "all requests"),
            ),
        ),
        "supporting": ("latency *", "parity mismatch"),
        "discriminating": ("latency health_p99_ms",),
        "remedy": "Make the handler a plain function.",
        "parameters": {"wait": "time.sleep", "file": "serving/eta/app.py"},
    },
    "false-alarm": {
        "cause": "no-fault",
        "component": "none",
        "object": "none",
        "mechanism": Mechanism(
            sentence="The column that moved carries no weight, and the warning changes no prediction.",
            concepts=(
                ("importance", "no weight", "not important", "model ignores"),
                ("warning", "InconsistentVersionWarning"),
                ("quality", "mae", "error", "unchanged", "parity"),
            ),
        ),
        "supporting": (
            "quality *",
            "parity mismatch",
            "importance temperature_c",
            "logs InconsistentVersionWarning",
            "raw temperature_c drift",
            "latency p95_ms",
            "registry alias=champion version",
        ),
        "discriminating": ("parity mismatch", "importance temperature_c", "quality mae"),
        "remedy": "None: close the alerts and tune the rule.",
        "needs_change": False,
        "parameters": {"column": "temperature_c"},
    },
}

GOOD_LATENCY = LatencyProbe(p50_ms=21, p95_ms=36, p99_ms=50, health_p99_ms=9, error_rate=0, alone_ms=11, batch_ms=15)


def rows(*, wrong: int = 0, untouched_wrong: int = 0) -> tuple[ProbeRow, ...]:
    made = []
    for at in range(80):
        expected = 20 + at * 0.31
        touched = at < 60
        off = (touched and at < wrong) or (not touched and at - 60 < untouched_wrong)
        made.append(
            ProbeRow(
                key=f"OR{at:07d}", expected=expected, observed=expected + 6 * off, actual=expected + 2, touched=touched
            )
        )
    return tuple(made)


def probe(**changes: Any) -> Probe:
    good: dict[str, Any] = {
        "live_ready": True,
        "live_mismatch": 0.0,
        "rows": rows(),
        "feature_mismatch": dict.fromkeys(FEATURES, 0.0),
        "mae": 2.7,
        "healthy_mae": 2.68,
        "latency": GOOD_LATENCY,
        "healthy_latency": LatencyProbe(
            p50_ms=20, p95_ms=34, p99_ms=47, health_p99_ms=8, error_rate=0, alone_ms=10, batch_ms=14
        ),
        "alias_version": 5,
        "served_version": 5,
        "approved_versions": (3, 5),
        "fingerprint_matches": True,
        "services": {"mlflow": True, "serving": True},
    }
    return Probe(**(good | changes))


def stopped() -> Probe:
    return Probe(
        live_ready=False,
        live_mismatch=1.0,
        failure="The serving API is not running.",
        services={"mlflow": True, "serving": False},
        healthy_latency=GOOD_LATENCY,
    )


def evidence(phase: Phase, facts: dict[str, Value]) -> Evidence:
    return Evidence(phase=phase, taken_at=ONSET, facts=dict(sorted(facts.items())))


def brief(scenario: str) -> Brief:
    return Brief(
        incident="eta-7f3a",
        title="Delivery times went wrong over the weekend",
        workload="eta",
        level=2,
        blind=True,
        objective="Find the cause, repair the system and write the post-mortem.",
        alerts=(
            Alert(
                rule="prediction-quality",
                severity="page",
                summary="The mean absolute error on delayed labels is at least a quarter above the week before.",
                observed=6.8,
                baseline=2.7,
                threshold=1.25,
                unit="minutes",
                since=ONSET,
            ),
        ),
        timeline=(
            Change(
                at=ONSET,
                kind="commit",
                summary="Tidy the request glue of the delivery time service",
                reference="1a2b3c4",
            ),
            Change(
                at=ONSET,
                kind="deploy",
                summary="Deployed the serving image for the weekend release",
                reference="1a2b3c4",
            ),
        ),
        onset_hint="The first alert fired on Saturday morning.",
        commitment="0" * 64,
    )


def bundle(scenario: str, text: str, **changes: Any) -> Bundle:
    """Return a bundle of one incident. `truth` and `facts` in `changes` are merged, everything else replaces."""
    facts = healthy_facts() | BROKEN[scenario] | changes.pop("facts", {})
    truth = Truth(
        **(
            {"scenario": scenario, "workload": "eta", "seed": 7, "onset": ONSET}
            | TRUTHS[scenario]
            | changes.pop("truth", {})
        )
    )
    told = brief(scenario)
    fields: dict[str, Any] = {
        "incident": "eta-7f3a",
        "started_at": ONSET,
        "submission": Submission(
            text=text,
            received_at=ONSET,
            sha256=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
            author="learner",
        ),
        "truth": truth,
        "brief": told,
        "template": template(told),
        "healthy": evidence("healthy", healthy_facts()),
        "broken": evidence("broken", facts),
        "after": evidence("after", healthy_facts()),
        "probe": probe(),
    }
    if scenario == "false-alarm":
        fields["after"] = evidence("after", facts)
    return Bundle(**(fields | changes))


def hints(*costs: float) -> tuple[HintTaken, ...]:
    return tuple(HintTaken(index=at, cost=cost) for at, cost in enumerate(costs))


TAIL = """
## Impact
From 2026-09-05 06:30 UTC until 2026-09-07 09:00 every estimate was affected: the mean absolute error rose from 2.7 minutes.

## Timeline
- 2026-09-05 06:30 UTC: the weekend release went live.
- 2026-09-05 09:10 UTC: the alert fired.
- 2026-09-07 09:00 UTC: we deployed the repair.

## Detection
The rule on delayed labels paged us three hours after the release; a parity test would have shown it before.

## Resolution
We reverted the change, deployed it and saw that the hidden difference between both sides was gone.

## Prevention
- Add a parity test with 100 logged orders to the release pipeline; it fails when any feature differs.
- Alert when the share of unknown values in the transformed log leaves its training range.
"""

_RIGHT: dict[str, tuple[str, str]] = {
    "unit-mismatch": (
        "cause: unit-mismatch\ncomponent: serving-code\nobject: distance_km\nruled_out: [covariate-shift, wrong-alias]",
        """
## Summary
Since the weekend release the serving code sends `distance_km` to the model in miles, while it was trained on kilometres:
a unit mismatch, that is train/serve skew.

## Root cause
`serving/eta/preprocess.py` divides the route's metres by 1609.344 instead of 1000, so the model receives miles where training
gave it kilometres. Because every distance is too small by a factor of 1.609, predictions are too short.

## Evidence
- The same payload gives another value on both sides, always by the same factor: [feature distance_km parity_ratio=0.6214].
- It concerns every row, which no drift in the world could do: [feature distance_km parity_mismatch=1.0].
- The error on delivered orders rose with the release: [quality mae=6.83].
- We ruled out the registry: the promoted version serves [registry alias=champion version=5].
""",
    ),
    "featurelib-pin": (
        "cause: feature-library-version-mismatch\ncomponent: serving-environment\nobject: featurelib\nruled_out: [unit-mismatch]",
        """
## Summary
The serving image pins featurelib 1.2.0 while the model was trained with featurelib 2.1.0, a version mismatch of the feature library.

## Root cause
`serving/internal.txt` pins featurelib 1.2.0. The old release computes other features than training and is far slower for each order,
so one cause explains both the latency and the erratic predictions.

## Evidence
- Installed in serving is [pin serving featurelib=1.2.0], while the model was logged with [pin model featurelib=2.1.0].
- Several features differ at once, which no unit explains: [feature vehicle parity_mismatch=0.62].
- Answers take ten times as long since the release: [latency p95_ms=412 ms].
""",
    ),
    "library-pin": (
        "cause: dependency-version-mismatch\ncomponent: serving-environment\nobject: pandas\nruled_out: [wrong-alias]",
        """
## Summary
Serving was moved to pandas 3.0.6 while the model was trained on pandas 2.3.3: a dependency version mismatch.

## Root cause
`serving/requirements.txt` pins pandas 3.0.6. On pandas 3 time stamps count microseconds, so the tenure comes out a thousand times too small,
and text columns no longer have the dtype object, so featurelib leaves `vehicle` unknown.

## Evidence
- The serving side has [pin serving pandas=3.0.6], the model was trained with [pin model pandas=2.3.3].
- The vehicle is unknown in all requests since the release: [feature vehicle null_share=100%].
- We ruled out the registry, as the promoted version serves: [registry alias=champion version=5].
""",
    ),
    "wrong-alias": (
        "cause: wrong-alias\ncomponent: model-registry\nobject: champion\nruled_out: [unit-mismatch]",
        """
## Summary
The alias champion points to the wrong model version: version 6 serves, and it was rejected in review.

## Root cause
On Saturday somebody's script moved the alias `champion` in the registry from version 5 to version 6. Version 6 had been rejected because
its error is nearly twice as large, so predictions became worse at once.

## Evidence
- The alias means [registry alias=champion version=6], and that version was [registry version=6 promotion=rejected].
- The API serves the same one: [serving version=6].
- Both sides compute the same features, which excludes any skew: [parity mismatch=0.0].
""",
    ),
    "imputation-mismatch": (
        "cause: imputation-mismatch\ncomponent: serving-code\nobject: kitchen_minutes\nruled_out: [unit-mismatch]",
        """
## Summary
Orders with an unknown kitchen time reach the model with 0 minutes, while training imputes the median: an imputation mismatch.

## Root cause
`serving/eta/preprocess.py` replaces a missing kitchen time by zero before the pipeline's imputer can put the median in its place, so these
orders are predicted too short.

## Evidence
- Clients leave the field out as often as ever: [raw kitchen_seconds null_share=0.21].
- After serving's preprocessing nothing is unknown: [feature kitchen_minutes null_share=0.0], but a fifth is zero: [feature kitchen_minutes zero_share=21%].
- On the training side they stay unknown: [feature kitchen_minutes side=training null_share=0.21].
""",
    ),
    "blocked-event-loop": (
        "cause: event-loop-blocking\ncomponent: serving-code\nobject: serving/eta/app.py\nruled_out: [thread-oversubscription]",
        """
## Summary
The prediction handler in `app.py` blocks the event loop with a synchronous call, so all requests wait for one another.

## Root cause
`predict` in `serving/eta/app.py` became an async function that calls time.sleep. A blocking call in an async handler stops the event loop,
so that even the health check has to wait until it is over.

## Evidence
- The health check does nothing, and still takes [latency health_p99_ms=540] during predictions.
- The 95th percentile went up to [latency p95_ms=640] from [latency window=before p95_ms=33].
- The predictions themselves are right, which excludes skew: [parity mismatch=0].
""",
    ),
    "false-alarm": (
        "cause: no-fault\ncomponent: none\nobject: none\nruled_out: [covariate-shift, dependency-version-mismatch]",
        """
## Summary
This was a false alarm: nothing is broken, and quality, parity and latency are as they were before.

## Root cause
There is no fault. The column `temperature_c` moved, but its importance is nearly zero, so no prediction depends on it. The
InconsistentVersionWarning is harmless because the same orders get the same answers and the error is unchanged.

## Evidence
- The error is what it was: [quality mae=2.71] against [quality window=before mae=2.68].
- Both sides agree on every row: [parity mismatch=0.0].
- The column that moved carries no weight: [importance temperature_c=0.0004].
""",
    ),
}
SCENARIOS = tuple(_RIGHT)


def right_answer(scenario: str) -> str:
    head, body = _RIGHT[scenario]
    tail = TAIL
    if scenario == "false-alarm":
        tail = tail.replace(
            "every estimate was affected: the mean absolute error rose from 2.7 minutes.",
            "nobody was affected: the mean absolute error stayed at 2.7 minutes.",
        ).replace(
            "We reverted the change, deployed it and saw that the hidden difference between both sides was gone.",
            "We changed nothing in the system and closed the alerts.",
        )
    return f"---\n{head}\n---\n{body}{tail}"


def postmortem(head: str, body: str) -> str:
    return f"---\n{head}\n---\n{body}"
