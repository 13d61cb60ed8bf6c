"""Nothing is broken: more orders arrive than usual, and the system carries them within its objectives."""

import json
import random
from datetime import timedelta

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit


def plan(rng: random.Random) -> Truth:
    """Draw how long it is busy, and the onset."""
    seed = rng.randrange(2**31)
    hours = rng.choice((24, 27, 30, 33))
    return Truth(
        scenario="traffic-peak",
        workload="eta",
        seed=seed,
        cause="no-fault",
        component="none",
        object="none",
        object_aliases=("nothing", "no object", "n/a", "traffic", "requests"),
        mechanism=Mechanism(
            sentence=(
                f"For {hours} hours twice as many orders arrive; latency, errors and quality stay within the objectives, so "
                "nothing has to change."
            ),
            concepts=(
                ("request", "requests", "orders", "traffic", "load", "peak", "rate"),
                ("objective", "objectives", "within", "as before", "unchanged", "what it was", "stayed", "kept"),
            ),
        ),
        onset=kit.onset(rng, 0, 12),
        look_alikes=("capacity-shortage", "covariate-shift"),
        supporting=(
            "requests peak_per_hour",
            "requests window=before peak_per_hour",
            "requests per_hour",
            "latency p95_ms",
            "latency window=before p95_ms",
            "latency client_p95_ms",
            "errors rate",
            "quality mae",
            "quality window=before mae",
            "prediction drift",
            "parity mismatch",
            "registry alias=champion version",
        ),
        discriminating=("latency p95_ms", "errors rate"),
        remedy="None: the peak passes within the objectives.",
        needs_change=False,
        parameters={"hours": hours},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Let more customers order."""
    until = truth.onset + timedelta(hours=int(truth.parameters["hours"]))
    world = {"busy": {"from": truth.onset.isoformat(), "until": until.isoformat()}}
    (stack.home / "data" / "traffic.json").write_text(json.dumps(world), encoding="utf-8")
