"""Nothing is broken: a column that no prediction depends on moves, and a harmless warning is logged."""

import json
import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/requirements.in"
TRAINED, SERVED = "1.9.1", "1.9.0"
COLUMNS = {"basket_value": (9.0, 16.0), "temperature_c": (-11.0, -6.0)}
"""Columns without weight, with the range of what is added to them."""


def plan(rng: random.Random) -> Truth:
    """Draw the column, the shift and the onset."""
    seed = rng.randrange(2**31)
    column = rng.choice(sorted(COLUMNS))
    shift = round(rng.uniform(*COLUMNS[column]), 1)
    return Truth(
        scenario="false-alarm",
        workload="eta",
        seed=seed,
        cause="no-fault",
        component="none",
        object="none",
        object_aliases=("nothing", "no object", "n/a", column),
        mechanism=Mechanism(
            sentence=(
                f"{column} moved by {shift:+g}, but carries no weight in the model; the scikit-learn warning changes "
                "no prediction. Quality, parity and latency are as before."
            ),
            concepts=(
                (
                    "importance",
                    "no weight",
                    "carries no weight",
                    "does not depend",
                    "do not depend",
                    "not used",
                    "unused",
                    "irrelevant",
                    "no effect",
                ),
                (
                    "warning",
                    "inconsistentversionwarning",
                    "harmless",
                    "unchanged",
                    "no change in quality",
                    "as before",
                    "stayed",
                ),
            ),
            numbers={"shift": shift},
        ),
        onset=kit.onset(rng),
        look_alikes=("covariate-shift", "dependency-version-mismatch"),
        supporting=(
            f"importance {column}",
            f"raw {column} drift",
            "parity mismatch",
            "quality mae",
            "quality window=before mae",
            "latency p95_ms",
            "logs InconsistentVersionWarning",
            "registry alias=champion version",
        ),
        discriminating=(f"importance {column}", "parity mismatch", "quality mae"),
        remedy="None: close the alerts, and weight the drift alert by importance.",
        needs_change=False,
        parameters={"column": column, "shift": shift},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Let the world move, and align serving's estimator library with another team's image."""
    column = str(truth.parameters["column"])
    world = {"adjust": {column: {"add": truth.parameters["shift"], "from": truth.onset.isoformat()}}}
    (stack.home / "data" / "traffic.json").write_text(json.dumps(world), encoding="utf-8")
    edit = Edit(FILE, f"scikit-learn=={TRAINED}", f"scikit-learn=={SERVED}")
    message = "Serving: share packages with the base image"
    stack.workspace.commit(kit.change(truth, message, edit, relock=("serving",)))
