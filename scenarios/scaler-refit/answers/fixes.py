"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.scaler-refit.fault")


def plain(truth: Truth) -> Commit:
    """Hand the feature over as it is."""
    return kit.mend("Features are handed over as they are", *kit.inverse(*fault.edits(truth)))


def fixed_statistics(truth: Truth) -> Commit:
    """Use statistics of a report instead of the request's: stable, and still not what the model was trained on."""
    column = fault.COLUMNS[truth.object]
    body = fault.METHODS[str(truth.parameters["method"])].body
    fixed = f"(column - {column.low}) / {column.high - column.low}"
    return kit.mend("Fixed statistics", Edit(fault.FILE, f"    return {body}\n", f"    return {fixed}\n"))


REFERENCE: Fix = kit.committed("hand the feature over as it is", "Both sides agree, alone and in company.", plain)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "use fixed statistics",
        "The answer no longer depends on company, but the model was trained on plain values and not on scaled ones.",
        fixed_statistics,
    ),
    kit.scale_answers(1.3),
    kit.roll_back(),
)
