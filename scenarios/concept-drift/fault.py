"""The world changed: the same orders take longer than they did in the history."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

CHANGES = {
    "roads": (
        "slowness", (1.38, 1.7), "every trip takes {amount:g} times as long on the road",
        ("road", "roads", "trip", "trips", "travel", "traffic", "journey", "slower", "times as long"),
    ),
    "counter": (
        "extra_minutes", (7.0, 12.0), "every delivery takes {amount:g} minutes longer than it did",
        ("every", "all orders", "constant", "minutes longer", "kitchen", "kitchens", "handover", "same amount", "longer"),
    ),
}  # fmt: skip
"""What changes: the word of the generator, its bounds, how it is said, and words of an account of it."""


def plan(rng: random.Random) -> Truth:
    """Draw what changes, by how much, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(CHANGES))
    word, bounds, said, words = CHANGES[name]
    amount = round(rng.uniform(*bounds), 2)
    sentence = said.format(amount=amount)
    return Truth(
        scenario="concept-drift",
        workload="eta",
        seed=seed,
        cause="concept-drift",
        component="upstream-data",
        object="delivery_minutes",
        object_aliases=(
            "delivery time",
            "delivery times",
            "outcome",
            "outcomes",
            "labels",
            "deliveries",
            "travel time",
            "world",
            "relation",
            "relationship",
        ),
        mechanism=Mechanism(
            sentence=f"Since the onset {sentence}, with the same inputs: what the model learned no longer holds.",
            concepts=(
                ("same", "unchanged", "as before", "did not move", "not moved", "equal inputs"),
                (
                    "outcome",
                    "outcomes",
                    "labels",
                    "label",
                    "delivery time",
                    "delivery times",
                    "take longer",
                    "takes longer",
                    "longer",
                ),
                words,
            ),
            numbers={"amount": amount},
        ),
        onset=kit.onset(rng, 0, 10),
        look_alikes=("covariate-shift", "label-join-delay", "stale-feature-store"),
        supporting=(
            "quality bias",
            "quality window=before bias",
            "quality label_mean",
            "quality window=before label_mean",
            "quality mae",
            *(f"quality zone={zone} mae" for zone in ("suburbs", "hills", "harbour", "centre")),
            *(f"quality zone={zone} window=before mae" for zone in ("suburbs", "hills", "harbour", "centre")),
            "raw route_distance_m drift",
            "prediction drift",
            "parity mismatch",
            "table couriers age_days",
            "registry alias=champion version",
        ),
        discriminating=("quality bias", "quality label_mean"),
        remedy=(
            "Let recent labelled orders correct the model of the history, register and approve the result, and serve it; "
            "train anew when enough labels of the new world are there."
        ),
        world={word: amount},
        parameters={"how": sentence},
    )


def inject(_: Stack, __: Truth) -> None:
    """Change nothing of the system: the world does it."""
