"""Serving moves to pandas 3, on which two idioms of the feature code silently give other values."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/requirements.in"
TRAINED = "2.3.3"
VERSIONS = ("3.0.5", "3.0.6")
MESSAGES = ("Serving: smaller image, fewer old packages", "Dependencies: quarterly update of serving")


def plan(rng: random.Random) -> Truth:
    """Draw the release and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(VERSIONS)
    return Truth(
        scenario="library-pin",
        workload="eta",
        seed=seed,
        cause="dependency-version-mismatch",
        component="serving-environment",
        object="pandas",
        object_aliases=(
            FILE,
            "serving/requirements.txt",
            "requirements.txt",
            f"pandas {version}",
            f"pandas=={version}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving has pandas {version}, training {TRAINED}: time stamps come in microseconds, so the courier's "
                "tenure is a thousand times too small, and text columns are no longer of dtype object, so vehicle, "
                "zone and weather become unknown."
            ),
            concepts=(
                ("pandas",),
                (
                    "microsecond",
                    "microseconds",
                    "nanosecond",
                    "nanoseconds",
                    "time stamp",
                    "timestamp",
                    "resolution",
                    "tenure",
                    "dtype",
                    "string column",
                    "text column",
                    "object column",
                    "categories become",
                    "unknown",
                    "null",
                    "nan",
                ),
            ),
            numbers={"factor": 1000.0},
        ),
        onset=kit.onset(rng),
        look_alikes=kit.others("dependency-version-mismatch"),
        supporting=(
            "pin serving pandas",
            "pin model pandas",
            "pin training pandas",
            "feature vehicle null_share",
            "feature zone null_share",
            "feature weather null_share",
            "feature vehicle window=before null_share",
            "feature courier_tenure_days parity_mismatch",
            "parity mismatch",
            "registry alias=champion version",
        ),
        discriminating=("pin serving pandas", "feature vehicle null_share", "feature zone null_share"),
        remedy=f"Pin pandas=={TRAINED} in {FILE}, lock, and deploy; or make the feature code independent of both.",
        parameters={"version": version, "trained": TRAINED},
    )


def edit(truth: Truth) -> Edit:
    """Return the change of the pin."""
    return Edit(FILE, f"pandas=={TRAINED}", f"pandas=={truth.parameters['version']}")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the pin with its lock file."""
    message = MESSAGES[truth.seed % len(MESSAGES)]
    stack.workspace.commit(kit.change(truth, message, edit(truth), relock=("serving",)))
