"""Nothing is broken: a column that no prediction depends on moves."""

import json
import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

MOVES = {
    "dearer": ("basket_value", "scale", (1.45, 1.9)),
    "surcharge": ("basket_value", "add", (10.0, 17.0)),
    "cold-spell": ("temperature_c", "add", (-11.0, -6.5)),
    "heat": ("temperature_c", "add", (6.5, 11.0)),
}
"""Columns without weight, with how they move and by how much."""


def plan(rng: random.Random) -> Truth:
    """Draw the column, the move and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(MOVES))
    column, how, bounds = MOVES[name]
    amount = round(rng.uniform(*bounds), 2)
    return Truth(
        scenario="drift-in-unused-column",
        workload="eta",
        seed=seed,
        cause="no-fault",
        component="none",
        object="none",
        object_aliases=("nothing", "no object", "n/a", column),
        mechanism=Mechanism(
            sentence=f"{column} moved ({how} {amount:+g}), but carries no weight in the model; quality and parity are as before.",
            concepts=(
                (
                    "importance", "no weight", "carries no weight", "does not depend", "do not depend", "not used", "unused",
                    "irrelevant", "no effect",
                ),
                ("unchanged", "as before", "what it was", "stayed", "same as", "harmless", "no change in quality"),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("covariate-shift", "upstream-schema-change"),
        supporting=(
            f"importance {column}",
            f"raw {column} drift",
            f"raw {column} mean",
            f"raw {column} window=before mean",
            "parity mismatch",
            "prediction drift",
            "quality mae",
            "quality window=before mae",
            "latency p95_ms",
            "registry alias=champion version",
        ),
        discriminating=(f"importance {column}", "quality mae"),
        remedy="None: close the alert, and weight it by importance.",
        needs_change=False,
        parameters={"column": column, "how": how, "amount": amount},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Let the world move."""
    move = {str(truth.parameters["how"]): truth.parameters["amount"], "from": truth.onset.isoformat()}
    world = {"adjust": {str(truth.parameters["column"]): move}}
    (stack.home / "data" / "traffic.json").write_text(json.dumps(world), encoding="utf-8")
