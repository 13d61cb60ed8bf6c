"""Nothing is broken: a harmless warning is logged, a column without weight moves, or a peak passes within the objectives."""

import json
import random
from datetime import timedelta
from typing import Any

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/requirements.in"
TRAINED, SERVED = "1.9.1", "1.9.0"
COLUMNS = {"basket_value": (9.0, 16.0), "temperature_c": (-11.0, -7.0)}
"""Columns without weight, with the range of what is added to them."""
HOURS = (24, 27, 30, 33)
"""How long a peak lasts."""
MESSAGES = ("Serving: share packages with the scoring jobs", "Dependencies: quarterly update of serving")
UNCHANGED = (
    "unchanged",
    "as before",
    "what it was",
    "stayed",
    "same as",
    "harmless",
    "no change in quality",
    "within",
    "kept",
)
"""Words for what customers notice."""
ALERTS = {"warning": "log-warnings", "column": "column-drift", "peak": "request-rate"}
"""The rule that each variant fires."""


def plan(rng: random.Random) -> Truth:
    """Draw what fires the alert, its numbers and the onset."""
    seed = rng.randrange(2**31)
    variant = rng.choice(sorted(ALERTS))
    chosen = {"warning": warning, "column": column, "peak": peak}[variant](rng)
    parameters = {"variant": variant, **chosen["parameters"]}
    return Truth(
        scenario="false-alarm",
        workload="eta",
        seed=seed,
        cause="no-fault",
        component="none",
        object="none",
        object_aliases=("nothing", "no object", "n/a", *chosen["aliases"]),
        mechanism=Mechanism(
            sentence=chosen["sentence"], concepts=(chosen["words"], UNCHANGED), numbers=chosen["numbers"]
        ),
        onset=kit.onset(rng, 0, 12),
        alerts=(ALERTS[variant],),
        look_alikes=chosen["look_alikes"],
        supporting=(
            *chosen["facts"],
            "parity mismatch",
            "quality mae",
            "quality window=before mae",
            "latency p95_ms",
            "errors rate",
            "registry alias=champion version",
        ),
        discriminating=(*chosen["facts"], "parity mismatch", "quality mae"),
        remedy=chosen["remedy"],
        needs_change=False,
        parameters=parameters,
    )


def warning(_: random.Random) -> dict[str, Any]:
    """Serving's estimator library is a release apart from the one that the model was made with."""
    return {
        "aliases": ("scikit-learn", "warnings"),
        "sentence": (
            f"Serving has scikit-learn {SERVED} and the model was made with {TRAINED}; the warning about it changes no "
            "prediction. Quality, parity and latency are as before."
        ),
        "words": ("warning", "warnings", "inconsistentversionwarning"),
        "numbers": {},
        "look_alikes": ("dependency-version-mismatch", "serialization-incompatibility"),
        "facts": ("logs InconsistentVersionWarning", "fingerprint version=5 mismatch"),
        "remedy": "None: close the alert, and compare answers before a warning pages anybody.",
        "parameters": {"trained": TRAINED, "served": SERVED},
    }


def column(rng: random.Random) -> dict[str, Any]:
    """Another population of orders, in a column that no prediction depends on."""
    name = rng.choice(sorted(COLUMNS))
    shift = round(rng.uniform(*COLUMNS[name]), 1)
    return {
        "aliases": (name,),
        "sentence": f"{name} moved by {shift:+g}, but carries no weight in the model. Quality, parity and latency are as before.",
        "words": (
            "importance", "no weight", "carries no weight", "does not depend", "do not depend", "not used", "unused",
            "irrelevant", "no effect",
        ),
        "numbers": {"shift": shift},
        "look_alikes": ("covariate-shift", "upstream-schema-change"),
        "facts": (f"importance {name}", f"raw {name} drift"),
        "remedy": "None: close the alert, and weight the drift alert by importance.",
        "parameters": {"column": name, "shift": shift},
    }  # fmt: skip


def peak(rng: random.Random) -> dict[str, Any]:
    """More orders than usual."""
    hours = rng.choice(HOURS)
    return {
        "aliases": ("traffic", "requests"),
        "sentence": (
            f"For {hours} hours twice as many orders arrive; latency, errors and quality stay within the objectives, so nothing "
            "has to change."
        ),
        "words": ("request", "requests", "orders", "traffic", "load", "peak", "rate"),
        "numbers": {},
        "look_alikes": ("capacity-shortage", "covariate-shift"),
        "facts": ("requests peak_per_hour", "requests window=before peak_per_hour"),
        "remedy": "None: the peak passes within the objectives.",
        "parameters": {"hours": hours},
    }


def inject(stack: Stack, truth: Truth) -> None:
    """Align serving's estimator library with other images, or let the world move."""
    drawn, begin = truth.parameters, truth.onset.isoformat()
    if drawn["variant"] == "warning":
        edit = Edit(FILE, f"scikit-learn=={TRAINED}", f"scikit-learn=={SERVED}")
        message = MESSAGES[truth.seed % len(MESSAGES)]
        stack.workspace.commit(kit.change(truth, message, edit, relock=("serving",)))
        return
    world = (
        {"adjust": {str(drawn["column"]): {"add": drawn["shift"], "from": begin}}}
        if drawn["variant"] == "column"
        else {"busy": {"from": begin, "until": (truth.onset + timedelta(hours=int(drawn["hours"]))).isoformat()}}
    )
    (stack.home / "data" / "traffic.json").write_text(json.dumps(world), encoding="utf-8")
