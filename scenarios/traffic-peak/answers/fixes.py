"""The right remedy, which is none, and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit


def nothing(_: Stack, __: Truth) -> None:
    """Leave the system alone."""


def smaller_batches(_: Truth) -> Commit:
    """Refuse large batches to shed load."""
    return kit.mend("Shed load", Edit("serving/app.py", "MAX_BATCH = 500", "MAX_BATCH = 50"))


REFERENCE: Fix = Fix("change nothing", "All objectives hold.", nothing, deploys=False)
DECOYS: tuple[Fix, ...] = (
    kit.committed("refuse large batches", "Customers are turned away whom the system could serve.", smaller_batches),
    kit.patient_probe(),
    kit.roll_back(),
)
