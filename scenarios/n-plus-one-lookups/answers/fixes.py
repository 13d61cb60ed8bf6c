"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.n-plus-one-lookups.fault")


def together(truth: Truth) -> Commit:
    """Read all couriers of a request at once again."""
    return kit.mend("Read the couriers of a request in one query", *kit.inverse(*fault.edits(truth)))


def patient(_: Truth) -> Commit:
    """Allow a lookup a minute."""
    return kit.mend(
        "Couriers: be patient", Edit(fault.COURIERS, "answer.result(timeout=10)", "answer.result(timeout=60)")
    )


REFERENCE: Fix = kit.committed("one lookup for each request", "A batch asks once, however many rows it has.", together)
DECOYS: tuple[Fix, ...] = (
    kit.larger_box(),
    kit.more_workers(),
    kit.more_threads(),
    kit.committed(
        "raise the timeout", "No lookup ever ran into it; whoever waits longer is not served sooner.", patient
    ),
)
