"""The world changed: far more applicants default than in the history, and each kind looks as it always did."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

ODDS = (5.0, 7.5)
"""Bounds of the odds of a default over what they were. One loan in eight becomes four in ten, or half of them."""


def plan(rng: random.Random) -> Truth:
    """Draw the odds and the onset."""
    seed = rng.randrange(2**31)
    odds = round(rng.uniform(*ODDS), 1)
    return Truth(
        scenario="prior-shift",
        workload="credit",
        seed=seed,
        cause="label-shift",
        component="upstream-data",
        object="default_90d",
        object_aliases=(
            "default rate", "share of defaults", "defaults", "base rate", "prior", "event rate", "event_rate", "outcome",
            "outcomes", "applicants", "class prior", "world",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Since the onset the odds of a default are {odds:g} times what they were, while applicants who default, and "
                "those who do not, look as they always did: the share of the classes changed and nothing within them, so the "
                "probabilities of a scorecard that learned the old share are too small."
            ),
            concepts=(
                (
                    "share of defaults", "default rate", "base rate", "prior", "event rate", "share of events", "more defaults",
                    "more applicants default", "share of the classes",
                ),
                (
                    "look as before", "looks as before", "as they always did", "within each class", "within the classes",
                    "given the outcome", "given outcome", "same outcome", "p(x|y)", "class-conditional", "mixture",
                    "another mix of the same", "explains",
                ),
                (
                    "too small", "too low", "underestimate", "underestimates", "understates", "understated", "intercept", "odds",
                    "old share", "share of the history", "prior of the history",
                ),
            ),
        ),
        onset=kit.onset(rng, 0, 10),
        look_alikes=("covariate-shift", "concept-drift", "unit-mismatch", "sentinel-default", "class-order-flip"),
        supporting=(
            "prior event_rate",
            "prior window=before event_rate",
            "prior unexplained",
            "prior utilisation unexplained",
            "prior instalment_ratio unexplained",
            "feature utilisation drift",
            "feature instalment_ratio drift",
            "prediction mean",
            "prediction drift",
            "prediction parity_mismatch",
            "parity mismatch",
            "decision approve share",
            "decision threshold",
            "quality labels",
            "registry alias=champion version",
        ),
        discriminating=("prior event_rate", "prior utilisation unexplained"),
        remedy=(
            "Estimate the new share of defaults from the applications since the onset, move the scorecard's prior to it, register "
            "and approve the result, and serve it; train anew when outcomes are there."
        ),
        world={"default_odds": odds},
        parameters={"odds": odds},
    )  # fmt: skip


def inject(_: Stack, __: Truth) -> None:
    """Change nothing of the system: the world does it."""
