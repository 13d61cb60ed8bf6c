"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.imported-model-code.fault")
FACTORS = {"kitchen": 1.73, "ride": 1.35}
"""By how much the mean answer is too small."""


def follow(truth: Truth) -> Commit:
    """Install in serving the release that the version was trained with."""
    return kit.mend("Serving: the release that the model was trained with", fault.pin(truth, fault.SERVING))


def scaled(truth: Truth) -> Commit:
    """Multiply every answer so that the mean looks right."""
    return kit.scaled(FACTORS[str(truth.parameters["part"])])


REFERENCE: Fix = kit.committed(
    "install the package's newer release in serving",
    "The class that was fitted and the class that predicts are one.",
    follow,
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted("roll the model back to version 3", "Version 3 was superseded; version 5 is the one that was approved.", 3),
    kit.ran(
        "train again and promote",
        "The new file names the same class, and serving looks it up in the same place.",
        "train", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.committed("scale the answers", "The mean looks right; single answers do not.", scaled),
    kit.restart(),
)  # fmt: skip
