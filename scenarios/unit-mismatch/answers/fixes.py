"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.unit-mismatch.fault")


def convert_back(truth: Truth) -> Commit:
    """Undo the conversion."""
    return kit.mend("Convert to the unit of training", *kit.inverse(*fault.target(truth).edits))


REFERENCE: Fix = kit.committed("convert to the unit of training", "Both sides agree again, row by row.", convert_back)
DECOYS: tuple[Fix, ...] = (kit.scale_answers(), kit.clamp_answers(5.0, 90.0), kit.roll_back())
