"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.library-pin.fault")


def pin(truth: Truth) -> Commit:
    """Pin what the model was trained with."""
    return kit.mend("Pin pandas as the model was trained", *kit.inverse(fault.edit(truth)), relock=("serving",))


def fill(_: Truth) -> Commit:
    """Give every order the commonest vehicle, so that nothing is unknown."""
    return kit.mend(
        "Fill unknown vehicles",
        Edit("serving/eta/preprocess.py", '"vehicle": order["vehicle"],', '"vehicle": 0,'),
    )


REFERENCE: Fix = kit.committed("pin pandas 2.3.3", "The feature code runs where it was written for.", pin)
DECOYS: tuple[Fix, ...] = (
    kit.committed("fill the unknown category", "No value is unknown, and most are wrong.", fill),
    kit.roll_back(),
    kit.clamp_answers(5.0, 90.0),
)
