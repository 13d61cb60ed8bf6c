"""The population changed: orders arrive from a district farther away than any that the model was trained on."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

LONGEST = 12.0
"""Kilometres of the longest route in the history."""


def plan(rng: random.Random) -> Truth:
    """Draw the district, its share, and the onset."""
    seed = rng.randrange(2**31)
    share = rng.choice((0.28, 0.32, 0.36, 0.4))
    nearest = rng.choice((13, 14, 15))
    farthest = nearest + rng.choice((5, 6))
    return Truth(
        scenario="covariate-shift",
        workload="eta",
        seed=seed,
        cause="covariate-shift",
        component="upstream-data",
        object="route_distance_m",
        object_aliases=("distance_km", "distance", "route distance", "orders", "requests", "population", "district"),
        mechanism=Mechanism(
            sentence=(
                f"{share:.0%} of the orders now come from {nearest} to {farthest} km away, while no route of the history is "
                f"longer than {LONGEST:g} km; trees do not extrapolate, so these orders are estimated like the longest known ones."
            ),
            concepts=(
                ("distance", "distances", "route", "routes", "far", "farther", "farther away", "away", "district", "longer"),
                (
                    "never seen", "not seen", "seldom", "beyond", "outside", "out of range", "no route of the history", "unknown",
                    "not trained", "longer than any", "extrapolate", "extrapolates", "extrapolation", "not learned",
                ),
                (
                    "population", "orders come", "other orders", "new orders", "new district", "share of the orders", "customers",
                    "in addition", "some of the orders",
                ),
            ),
            numbers={"share": share, "longest": LONGEST},
        ),
        onset=kit.onset(rng, 0, 10),
        look_alikes=("concept-drift", "upstream-schema-change", "label-shift"),
        supporting=(
            "raw route_distance_m drift",
            "raw route_distance_m mean",
            "raw route_distance_m window=before mean",
            "raw route_distance_m maximum",
            "raw route_distance_m window=before maximum",
            "feature distance_km drift",
            "feature distance_km parity_mismatch",
            "quality bias",
            "quality mae",
            "quality label_mean",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=("raw route_distance_m maximum", "raw route_distance_m drift"),
        remedy=(
            "Train on the history and on recent labelled orders together, register and approve the result, and serve it."
        ),
        world={"far_share": share, "far_from_m": nearest * 1000.0, "far_to_m": farthest * 1000.0},
        parameters={"share": share, "nearest": nearest, "farthest": farthest},
    )  # fmt: skip


def inject(_: Stack, __: Truth) -> None:
    """Change nothing of the system: the world does it."""
