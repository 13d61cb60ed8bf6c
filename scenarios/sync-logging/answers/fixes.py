"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.sync-logging.fault")


def behind(truth: Truth) -> Commit:
    """Write the log in the background again."""
    return kit.mend("Prediction log: write in the background again", *kit.inverse(*fault.edits(truth)))


REFERENCE: Fix = kit.committed("log in the background", "A request queues its rows and waits for no disk.", behind)
DECOYS: tuple[Fix, ...] = (kit.sample_log(), kit.larger_box(), kit.more_threads(), kit.cache_answers())
