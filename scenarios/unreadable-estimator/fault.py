"""Serving moves to a newer scikit-learn, whose imputer needs what an imputer stored by an older release does not have."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FOLDER = "serving/credit"
FILE = f"{FOLDER}/requirements.in"
TRAINED = "1.7.2"
VERSIONS = ("1.8.0", "1.9.0", "1.9.1")
"""Releases that load the stored scorecards and cannot impute with them."""
MESSAGES = ("Credit: scikit-learn as in the other services", "Dependencies: quarterly update of the scorecard API")


def plan(rng: random.Random) -> Truth:
    """Draw the release and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(VERSIONS)
    return Truth(
        scenario="unreadable-estimator",
        workload="credit",
        seed=seed,
        cause="serialization-incompatibility",
        component="serving-environment",
        object="scikit-learn",
        object_aliases=(
            FILE, f"{FOLDER}/requirements.txt", "requirements.txt", "sklearn", f"scikit-learn {version}",
            f"scikit-learn=={version}", "SimpleImputer",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving has scikit-learn {version}, the scorecard was stored by {TRAINED}: it loads, but the imputer of the "
                "newer release reads the attribute _fill_dtype, which the stored one lacks, so every prediction raises."
            ),
            concepts=(
                ("scikit-learn", "sklearn"),
                (
                    "_fill_dtype", "attribute", "stored", "pickle", "pickled", "unpickled", "serialized", "serialised",
                    "state of the imputer", "saved by",
                ),
                (
                    "every prediction raises", "predictions raise", "cannot predict", "predict fails", "fails to predict",
                    "every prediction fails", "prediction fails", "status 500", "503", "loads but", "attributeerror",
                    "exception", "fails at the first prediction",
                ),
            ),
        ),
        onset=kit.onset(rng, 36, 44),
        look_alikes=tuple(name for name in kit.DEAD if name != "serialization-incompatibility"),
        supporting=(
            "pin serving scikit-learn",
            "pin model scikit-learn",
            "pin training scikit-learn",
            "logs error",
            "logs error_message",
            "requests failed_share",
            "requests status=500 share",
            "service serving running",
            "service serving ready",
            "registry alias=champion version",
            "serving version",
        ),
        discriminating=("pin serving scikit-learn", "logs error_message", "requests status=500 share"),
        remedy=f"Pin scikit-learn=={TRAINED} in {FILE}, lock, and deploy.",
        parameters={"version": version, "trained": TRAINED},
    )  # fmt: skip


def edit(truth: Truth) -> Edit:
    """Return the change of the pin."""
    return Edit(FILE, f"scikit-learn=={TRAINED}", f"scikit-learn=={truth.parameters['version']}")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the pin with its lock file."""
    message = MESSAGES[truth.seed % len(MESSAGES)]
    stack.workspace.commit(kit.change(truth, message, edit(truth), relock=(FOLDER,)))
