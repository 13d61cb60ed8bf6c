"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.featurelib-pin.fault")


def pin(truth: Truth) -> Commit:
    """Pin what the model was trained with."""
    return kit.mend("Pin featurelib as the model was trained", *kit.inverse(fault.edit(truth)))


def divide(truth: Truth) -> Commit:
    """Take the detour factor out by hand, and leave the rest of the old release."""
    factor = truth.parameters["detour"]
    return kit.mend(
        "Correct the distance",
        Edit("serving/eta/preprocess.py", "/ METRES_PER_KM\n", f"/ METRES_PER_KM / {factor}\n"),
    )


REFERENCE: Fix = kit.committed("pin featurelib 2.1.0", "Serving computes the features the model was trained on.", pin)
DECOYS: tuple[Fix, ...] = (
    kit.committed("divide the distance", "One feature is right again; codes, hours and latency are not.", divide),
    kit.roll_back(),
    kit.retrain(),
)
