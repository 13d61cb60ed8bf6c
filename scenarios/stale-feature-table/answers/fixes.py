"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.stale-feature-table.fault")


def newest(truth: Truth) -> Commit:
    """Let the job look for the newest day."""
    return kit.mend("Refresh from the newest records", *kit.inverse(*fault.edits(truth)))


REFERENCE: Fix = kit.ran(
    "take the end date out and refresh", "The job is right, and so is the table.", "refresh", commit=newest
)
DECOYS: tuple[Fix, ...] = (
    kit.ran("run the refresh again", "The job does what it is told, and copies the same old day once more.", "refresh"),
    kit.committed(
        "repair the job only", "The next run will be right; until then everybody reads the old table.", newest
    ),
    kit.retrain(),
)
