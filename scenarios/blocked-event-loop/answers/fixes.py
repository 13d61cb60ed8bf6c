"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.blocked-event-loop.fault")


def unblock(truth: Truth) -> Commit:
    """Undo the change of the handler."""
    return kit.mend("Predict in the thread pool again", *kit.inverse(*fault.chosen(truth).edits))


REFERENCE: Fix = kit.committed("predict in the thread pool", "Nothing waits on the event loop any more.", unblock)
DECOYS: tuple[Fix, ...] = (kit.patient_probe(), kit.restart(), kit.larger_box())
