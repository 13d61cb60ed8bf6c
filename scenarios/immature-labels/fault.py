"""Nothing is broken: outcomes of long deliveries are reported late, so those that have arrived look short."""

import json
import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

ABOVE = (38, 40, 42, 44, 46)
"""Minutes from which on outcomes are late."""
HOURS = (60, 72, 84, 96)
"""How late they are: longer than what has passed since any onset, by some deployments' worth of orders."""


def plan(rng: random.Random) -> Truth:
    """Draw which outcomes are late, by how much, and the onset."""
    seed = rng.randrange(2**31)
    above, hours = rng.choice(ABOVE), rng.choice(HOURS)
    return Truth(
        scenario="immature-labels",
        workload="eta",
        seed=seed,
        cause="no-fault",
        component="none",
        object="none",
        object_aliases=("nothing", "no object", "n/a", "labels", "outcomes"),
        mechanism=Mechanism(
            sentence=(
                f"Outcomes of deliveries above {above} minutes are reported {hours} hours late, so the labels that have arrived "
                "are a selection of short ones; predictions, quality and parity are as before."
            ),
            concepts=(
                ("label", "labels", "outcome", "outcomes"),
                (
                    "late", "delayed", "not arrived", "have not arrived", "not matured", "immature", "missing", "coverage",
                    "incomplete", "still to come", "not yet",
                ),
                (
                    "long", "longer", "longest", "slow", "selection", "short ones", "only the short", "quick", "biased sample",
                    "selected",
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("label-shift", "label-join-delay", "concept-drift"),
        supporting=(
            "quality coverage",
            "quality window=before coverage",
            "quality label_mean",
            "quality window=before label_mean",
            "quality label_max",
            "quality window=before label_max",
            "quality mae",
            "quality window=before mae",
            "prediction mean",
            "prediction window=before mean",
            "prediction drift",
            "parity mismatch",
            "latency p95_ms",
            "registry alias=champion version",
        ),
        discriminating=("quality coverage", "quality label_max"),
        remedy="None: wait until the outcomes have matured, and let the alert wait with you.",
        needs_change=False,
        parameters={"above": above, "hours": hours},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Let long deliveries report late."""
    late = {"from": truth.onset.isoformat(), "above": truth.parameters["above"], "hours": truth.parameters["hours"]}
    (stack.home / "data" / "traffic.json").write_text(json.dumps({"late": late}), encoding="utf-8")
