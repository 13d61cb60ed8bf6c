"""The right remedy, and three tempting wrong ones with the reason why each is wrong."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.my-scenario.fault")


def convert_back(truth: Truth) -> Commit:
    """Undo the change."""
    return kit.mend("Convert to kilometres", *kit.inverse(*fault.edits(truth)))


REFERENCE: Fix = kit.committed("convert to kilometres", "Both sides agree again, row by row.", convert_back)
DECOYS: tuple[Fix, ...] = (kit.scale_answers(), kit.roll_back(), kit.retrain())
