"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.imputation-mismatch.fault")


def leave_unknown(truth: Truth) -> Commit:
    """Undo the replacement."""
    return kit.mend("Unknown kitchen times stay unknown", *kit.inverse(*fault.edits(truth)))


def own_average(_: Truth) -> Commit:
    """Fill in a plausible average by hand instead."""
    return kit.mend(
        "Use an average kitchen time",
        Edit(
            "serving/eta/preprocess.py",
            '            "kitchen_minutes": kitchen_minutes,',
            '            "kitchen_minutes": kitchen_minutes if (kitchen_minutes or 40.0) < 40.0 else 15.0,',
        ),
    )


REFERENCE: Fix = kit.committed(
    "leave unknown values unknown", "The model's own imputer fills them, as in training.", leave_unknown
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "fill in an average by hand", "Close to the median today, and a second truth from now on.", own_average
    ),
    kit.roll_back(),
    kit.scale_answers(),
)
