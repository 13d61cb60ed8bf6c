"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.per-request-model-load.fault")


def once(truth: Truth) -> Commit:
    """Serve what was loaded at start."""
    return kit.mend("Load the model once, at start", *kit.inverse(*fault.edits(truth)))


REFERENCE: Fix = kit.committed("load the model at start", "No request pays for a model any more.", once)
DECOYS: tuple[Fix, ...] = (kit.more_workers(), kit.larger_box(), kit.cache_answers(), kit.restart())
