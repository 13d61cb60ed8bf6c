"""Frozen bundles for the labelled corpus: the seven incidents of the unit tests and five whose scenario is only data here.

Facts have the selectors that the engine measures. Truths are written as a scenario's author would write them.
"""

from typing import Any

from crashlab.model import Bundle, Mechanism, Probe, Value
from tests.fast import grader_fixtures as fixtures

TUNING = (
    "unit-mismatch", "featurelib-pin", "library-pin", "wrong-alias", "imputation-mismatch", "blocked-event-loop", "false-alarm",
    "covariate-shift", "timezone-offset", "stale-model-cache", "category-encoding-order", "concept-drift",
)  # fmt: skip
HELD_OUT = ("per-request-model-load", "upstream-schema-change", "dtype-rounding", "target-leakage")
SCENARIOS = (*TUNING, *HELD_OUT)
HELD_OUT_VOICE = "non-native"

FACTS: dict[str, dict[str, Value]] = {
    "covariate-shift": {
        "quality mae": 4.12,
        "raw route_distance_m drift": 0.94,
        "raw route_distance_m mean": 7420.0,
        "raw route_distance_m window=before mean": 4705.0,
        "feature distance_km drift": 0.94,
        "feature distance_km mean": 7.42,
        "feature distance_km window=before mean": 4.71,
        "prediction drift": 0.58,
        "prediction mean": 38.9,
    },
    "timezone-offset": {
        "parity mismatch": 1.0,
        "feature local_hour parity_mismatch": 1.0,
        "feature local_hour parity_offset": -2.0,
        "feature local_hour drift": 0.31,
        "feature local_hour mean": 14.6,
        "quality mae": 4.91,
        "prediction drift": 0.22,
    },
    "stale-model-cache": {
        "registry alias=champion version": 7,
        "registry version=7 promotion": "approved",
        "registry version=7 mae": 2.31,
        "registry latest version": 7,
        "serving version": 5,
        "serving run_id": "a1b2c3d4",
        "quality mae": 3.94,
        "prediction drift": 0.03,
    },
    "category-encoding-order": {
        "parity mismatch": 0.46,
        "feature vehicle parity_mismatch": 0.46,
        "feature vehicle drift": 0.19,
        "feature vehicle mean": 1.31,
        "feature vehicle window=before mean": 0.92,
        "quality mae": 4.57,
        "prediction drift": 0.17,
    },
    "per-request-model-load": {
        "latency p50_ms": 438.0,
        "latency p95_ms": 521.0,
        "latency p99_ms": 566.0,
        "latency client_p95_ms": 530.0,
        "latency health_p99_ms": 11.0,
    },
    "upstream-schema-change": {
        "raw kitchen_seconds null_share": 1.0,
        "feature kitchen_minutes null_share": 1.0,
        "feature kitchen_minutes side=training null_share": 1.0,
        "quality mae": 4.08,
        "prediction drift": 0.24,
    },
    "dtype-rounding": {
        "parity mismatch": 0.97,
        "feature distance_km parity_mismatch": 0.97,
        "feature distance_km parity_ratio": 0.93,
        "feature distance_km mean": 4.26,
        "quality mae": 3.61,
        "prediction drift": 0.11,
    },
    "target-leakage": {
        "registry alias=champion version": 7,
        "registry version=7 promotion": "approved",
        "registry version=7 mae": 0.88,
        "registry latest version": 7,
        "serving version": 7,
        "importance courier_tenure_days": 0.02,
        "importance temperature_c": 0.64,
        "quality mae": 5.91,
        "prediction drift": 0.44,
    },
    "concept-drift": {
        "quality mae": 5.36,
        "prediction drift": 0.02,
        "raw route_distance_m drift": 0.03,
        "feature distance_km drift": 0.03,
        "feature kitchen_minutes drift": 0.04,
    },
}
TRUTHS: dict[str, dict[str, Any]] = {
    "covariate-shift": {
        "cause": "covariate-shift",
        "component": "upstream-data",
        "object": "route_distance_m",
        "object_aliases": ("distance_km", "distance", "route distance"),
        "mechanism": Mechanism(
            sentence="Since a new suburb was opened, orders travel 7.4 km instead of 4.7 km on average; the model saw few of them.",
            concepts=(
                ("distance", "longer routes", "longer trips", "further away", "suburb"),
                ("mean", "average", "distribution", "population", "mix", "share of long", "more long", "longer", "moved", "shifted"),
                ("both sides", "parity", "raw data", "raw", "clients send", "seldom trained", "few examples", "rarely saw", "seldom seen"),
            ),
            numbers={"ratio": 7420 / 4705},
        ),
        "supporting": ("raw route_distance_m *", "feature distance_km drift", "parity mismatch", "quality mae", "prediction drift"),
        "discriminating": ("parity mismatch", "raw route_distance_m drift"),
        "look_alikes": ("unit-mismatch", "concept-drift"),
        "remedy": "Retrain on recent orders and promote the new version.",
    },
    "timezone-offset": {
        "cause": "timezone-offset",
        "component": "serving-code",
        "object": "local_hour",
        "object_aliases": ("serving/eta/preprocess.py", "preprocess.py", "placed_at"),
        "mechanism": Mechanism(
            sentence="Serving takes the hour from the UTC time stamp, training from local time, so local_hour is two hours early.",
            concepts=(
                ("utc", "gmt", "zulu", "universal time"),
                ("local time", "local", "city's time", "berlin", "cest", "restaurant's time"),
                ("hour", "hours", "shift", "offset", "early", "late"),
            ),
            numbers={"offset": 2},
        ),
        "supporting": ("feature local_hour *", "parity mismatch", "quality mae", "prediction drift"),
        "discriminating": ("feature local_hour parity_offset",),
        "look_alikes": ("unit-mismatch", "covariate-shift"),
        "remedy": "Convert placed_at to local time before taking the hour.",
        "parameters": {"file": "serving/eta/preprocess.py"},
    },
    "stale-model-cache": {
        "cause": "stale-model-cache",
        "component": "serving-runtime",
        "object": "serving/app.py",
        "object_aliases": ("model cache", "app.py", "model loader", "load_model", "version 5", "lru_cache", "api process"),
        "mechanism": Mechanism(
            sentence="champion was promoted to version 7, but the API keeps version 5, which it loaded at its start, in memory.",
            concepts=(
                ("promoted", "promotion", "alias", "champion"),
                ("version 5", "old version", "old model", "previous version", "previous model", "earlier version"),
                ("reload", "cache", "cached", "memory", "loaded at start", "loaded once", "restart", "restarted"),
            ),
            numbers={},
        ),
        "supporting": ("serving version", "registry alias=champion version", "registry version=7 *", "quality mae", "parity mismatch"),
        "discriminating": ("serving version",),
        "look_alikes": ("wrong-alias", "code-by-reference"),
        "remedy": "Load the model again when the alias moves, and restart.",
    },
    "category-encoding-order": {
        "cause": "category-encoding-order",
        "component": "serving-code",
        "object": "vehicle",
        "object_aliases": ("serving/eta/preprocess.py", "preprocess.py", "vehicle code"),
        "mechanism": Mechanism(
            sentence="Serving numbers the vehicles by order of appearance, training by the alphabet, so bike and car exchange their codes.",
            concepts=(
                ("code", "codes", "encoding", "encoder", "numbering", "numbers the"),
                ("alphabetical", "alphabet", "sorted", "order", "appearance", "permuted", "swapped", "exchanged"),
                ("vehicle", "bike", "car", "scooter", "category", "categories"),
            ),
        ),
        "supporting": ("feature vehicle *", "parity mismatch", "quality mae", "prediction drift"),
        "discriminating": ("feature vehicle parity_mismatch",),
        "look_alikes": ("feature-order", "covariate-shift"),
        "remedy": "Use the category list that was logged with the model.",
        "parameters": {"file": "serving/eta/preprocess.py"},
    },
    "per-request-model-load": {
        "cause": "per-request-model-load",
        "component": "serving-code",
        "object": "serving/app.py",
        "object_aliases": ("app.py", "predict", "predict handler", "load_model", "model loading", "handler"),
        "mechanism": Mechanism(
            sentence="The handler loads the model from the registry on every request, so each answer takes 400 ms more, load or no load.",
            concepts=(
                ("load", "loads", "loaded", "loading", "reads", "read", "fetches", "unpickles", "deserialises"),
                ("every request", "each request", "per request", "every call", "each call", "each time", "for every order", "each prediction", "every prediction"),
                ("start", "startup", "once", "alone", "single request", "constant", "disk", "registry", "median", "idle", "health"),
            ),
        ),
        "supporting": ("latency *", "parity mismatch"),
        "discriminating": ("latency p50_ms", "latency health_p99_ms"),
        "look_alikes": ("event-loop-blocking", "thread-oversubscription"),
        "remedy": "Load the model once at the start.",
    },
    "upstream-schema-change": {
        "cause": "upstream-schema-change",
        "component": "upstream-data",
        "object": "kitchen_seconds",
        "object_aliases": ("kitchen_minutes", "prep_time_s", "restaurant portal", "kitchen time"),
        "mechanism": Mechanism(
            sentence="The restaurant portal renamed kitchen_seconds to prep_time_s, so the field is missing in every order on both sides.",
            concepts=(
                ("renamed", "rename", "renames", "new name", "other name", "another name", "different name", "changed the name", "called"),
                ("portal", "producer", "upstream", "provider", "partner", "restaurants' system", "sender", "source"),
                ("missing", "null", "nulls", "empty", "none", "unknown", "no value", "lost", "gone"),
            ),
        ),
        "supporting": ("raw kitchen_seconds *", "feature kitchen_minutes *", "parity mismatch", "quality mae"),
        "discriminating": ("raw kitchen_seconds null_share", "parity mismatch"),
        "look_alikes": ("imputation-mismatch", "feature-absent-at-serving"),
        "remedy": "Read the new name at ingestion.",
    },
    "dtype-rounding": {
        "cause": "dtype-rounding",
        "component": "serving-code",
        "object": "distance_km",
        "object_aliases": ("serving/eta/preprocess.py", "preprocess.py", "distance", "route_distance_m"),
        "mechanism": Mechanism(
            sentence="Serving casts the distance to whole kilometres, training keeps the fraction, so short trips lose up to a kilometre.",
            concepts=(
                ("whole", "integer", "integers", "int", "rounded", "rounds", "truncated", "truncates", "floor", "cut off", "whole kilometres"),
                ("fraction", "fractions", "decimal", "decimals", "metres", "float", "precision", "digits", "exact"),
                ("short", "shorter", "small", "smaller", "lose", "loses", "lost", "too low", "lower"),
            ),
        ),
        "supporting": ("feature distance_km *", "parity mismatch", "quality mae", "prediction drift"),
        "discriminating": ("feature distance_km parity_mismatch", "feature distance_km parity_ratio"),
        "look_alikes": ("unit-mismatch", "covariate-shift"),
        "remedy": "Keep the fraction in serving/eta/preprocess.py.",
        "parameters": {"file": "serving/eta/preprocess.py"},
    },
    "target-leakage": {
        "cause": "target-leakage",
        "component": "training-pipeline",
        "object": "temperature_c",
        "object_aliases": ("version 7", "temperature", "training job", "training/features.py", "food temperature"),
        "mechanism": Mechanism(
            sentence="Version 7 was trained on the temperature of the food at the door, which tells how long the trip took and is unknown at order time.",
            concepts=(
                ("offline", "test set", "validation", "held-out", "in training", "training error", "0.88"),
                ("known", "unknown", "available", "after delivery", "after the delivery", "at the door", "future", "afterwards", "measured later", "at order time",
                 "at prediction time", "not yet"),
                ("temperature", "column", "feature"),
            ),
            numbers={"offline error": 0.88},
        ),
        "supporting": ("registry version=7 *", "registry alias=champion version", "importance temperature_c", "quality mae", "parity mismatch", "serving version"),
        "discriminating": ("registry version=7 mae", "importance temperature_c"),
        "look_alikes": ("concept-drift", "wrong-alias"),
        "remedy": "Train without the temperature at the door and promote version 8.",
    },
    "concept-drift": {
        "cause": "concept-drift",
        "component": "upstream-data",
        "object": "delivery time",
        "object_aliases": ("label", "labels", "target", "delivery_minutes", "delivery times", "actual delivery time"),
        "mechanism": Mechanism(
            sentence="Since bridge works began the same order takes five minutes longer; inputs look as before, the relation changed.",
            concepts=(
                ("same order", "same orders", "same input", "same inputs", "inputs unchanged", "inputs are unchanged", "inputs did not", "no feature",
                 "no column", "features look", "inputs look", "like before", "identical orders"),
                ("takes longer", "take longer", "longer", "slower", "relation", "relationship", "outcome", "later"),
                ("bridge", "world", "traffic", "roads", "road works", "labels", "actual", "reality"),
            ),
            numbers={},
        ),
        "supporting": ("quality *", "parity mismatch", "prediction drift", "raw route_distance_m drift", "feature * drift"),
        "discriminating": ("prediction drift", "raw route_distance_m drift", "feature distance_km drift"),
        "look_alikes": ("covariate-shift", "label-shift"),
        "remedy": "Retrain on recent labels and promote the new version.",
    },
}  # fmt: skip


def broken_probe(scenario: str) -> Probe:
    """Return what is measured where nothing was repaired."""
    if scenario == "false-alarm":
        # Nothing was broken; what fails is a change that nobody needed.
        return fixtures.probe(alias_version=3, served_version=3, approved_versions=(3, 5))
    return fixtures.probe(rows=fixtures.rows(wrong=60), mae=5.2, live_mismatch=0.75, latency=fixtures.GOOD_LATENCY)


def bundle(scenario: str, text: str, *, fixed: bool = True, **changes: Any) -> Bundle:
    """Return the frozen bundle of one incident of the corpus with a post-mortem; `fixed` says whether it was repaired."""
    fields = dict(changes)
    fields.setdefault("probe", fixtures.probe() if fixed else broken_probe(scenario))
    if scenario in TRUTHS:
        fields["facts"] = FACTS[scenario] | fields.get("facts", {})
        fields["truth"] = TRUTHS[scenario] | {"scenario": scenario} | fields.get("truth", {})
        return fixtures.bundle("unit-mismatch", text, **_without_unit_mismatch(fields))
    return fixtures.bundle(scenario, text, **fields)


def _without_unit_mismatch(fields: dict[str, Any]) -> dict[str, Any]:
    """Start from the healthy system instead of from the unit mismatch that the fixture brings."""
    healthy = fixtures.healthy_facts()
    neutral = {key: healthy[key] for key in fixtures.BROKEN["unit-mismatch"]}
    neutral |= {f"feature {name} parity_offset": 0.0 for name in fixtures.FEATURES}
    truth = {"object_aliases": (), "parameters": {}, "look_alikes": ()} | fields["truth"]
    return fields | {"facts": neutral | fields["facts"], "truth": truth}
