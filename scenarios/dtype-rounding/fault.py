"""Serving loses digits of a feature, by a type that is too small or by steps that are too coarse."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
_RESULT = "        result: pd.DataFrame = featurelib.transform(frame)\n"


@dataclass(frozen=True)
class Loss:
    """One loss of digits: what happens to the feature, the words of an account of it, and the edits."""

    feature: str
    raw: str
    sentence: str
    words: tuple[str, ...]
    message: str
    edits: tuple[Edit, ...]


LOSSES = {
    "small-type": Loss(
        "courier_tenure_days", "hired_on",
        "casts courier_tenure_days to int8, which holds nothing above 127, so that longer tenures wrap around to small and "
        "negative numbers",
        ("int8", "8 bit", "8-bit", "eight bits", "overflow", "overflows", "wrap", "wraps", "127", "128", "small type", "small integer"),
        "Preprocessing: days are small numbers",
        (Edit(FILE, _RESULT, f'{_RESULT}        result["courier_tenure_days"] = result["courier_tenure_days"].astype("int64").astype("int8")\n'),),
    ),
    "whole-years": Loss(
        "courier_tenure_days", "hired_on",
        "counts courier_tenure_days in whole years of 365 days, so that everybody in the first year has been there for 0 days",
        ("year", "years", "365", "whole years", "truncated", "truncates", "rounded", "rounds", "floor", "integer division"),
        "Preprocessing: tenure in steps that people understand",
        (Edit(FILE, _RESULT, f'{_RESULT}        result["courier_tenure_days"] = result["courier_tenure_days"] // 365 * 365\n'),),
    ),
    "speed-classes": Loss(
        "courier_speed_kmh", "avg_speed_kmh",
        "rounds courier_speed_kmh down to classes of 10 km/h, so that 19 km/h become 10",
        ("10 km/h", "ten", "tens", "class", "classes", "step", "steps", "truncated", "truncates", "rounded", "rounds", "floor", "integer division"),
        "Preprocessing: speed classes, so that answers can be cached",
        (
            Edit(FILE, '        courier_speed_kmh = courier.get("avg_speed_kmh")\n', '        courier_speed_kmh = speed_class(courier.get("avg_speed_kmh"))\n'),
            Edit(
                FILE,
                "def minutes(",
                'def speed_class(kmh: float | None) -> float | None:\n    """Return the class of a speed, in steps of ten."""\n'
                "    return None if kmh is None else kmh // 10 * 10\n\n\ndef minutes(",
            ),
        ),
    ),
    "route-cells": Loss(
        "distance_km", "route_distance_m",
        "cuts distance_km down to cells of 2 km, so that 3.9 km become 2 and anything below 2 km becomes 0",
        ("2 km", "two kilometres", "two kilometers", "cell", "cells", "step", "steps", "truncated", "truncates", "cut down", "rounded", "rounds", "floor", "integer division"),
        "Preprocessing: route cells, so that answers can be cached",
        (
            Edit(FILE, "METRES_PER_KM = 1000.0", "METRES_PER_KM = 1000.0\nCELL_KM = 2.0"),
            Edit(FILE, '        distance_km = order["route_distance_m"] / METRES_PER_KM\n', '        distance_km = order["route_distance_m"] / METRES_PER_KM // CELL_KM * CELL_KM\n'),
        ),
    ),
}  # fmt: skip


def loss(truth: Truth) -> Loss:
    """Return the loss a truth was drawn for."""
    return LOSSES[str(truth.parameters["loss"])]


def plan(rng: random.Random) -> Truth:
    """Draw the loss and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(LOSSES))
    chosen = LOSSES[name]
    feature = chosen.feature
    return Truth(
        scenario="dtype-rounding",
        workload="eta",
        seed=seed,
        cause="dtype-rounding",
        component="serving-code",
        object=feature,
        object_aliases=(FILE, "preprocess.py", chosen.raw, feature.rsplit("_", 1)[0]),
        mechanism=Mechanism(
            sentence=f"Serving {chosen.sentence}; the model was trained on the full number.",
            concepts=(
                (
                    "precision", "digits", "rounding", "rounded", "rounds", "truncated", "truncates", "cast", "casts", "type",
                    "wrap", "wraps", "overflow", "overflows", "coarse", "cut",
                ),
                chosen.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("unit-mismatch", "timezone-offset", "imputation-mismatch", "wrong-alias"),
        supporting=(
            f"feature {feature} distinct",
            f"feature {feature} window=before distinct",
            f"feature {feature} mode",
            f"feature {feature} mode_share",
            f"feature {feature} parity_mismatch",
            f"feature {feature} parity_ratio",
            f"feature {feature} parity_offset",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {feature} distinct", f"feature {feature} parity_offset"),
        remedy=f"Hand {feature} over with all of its digits, as the training side does.",
        parameters={"loss": name, "file": FILE, "how": chosen.sentence},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the loss."""
    chosen = loss(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))
