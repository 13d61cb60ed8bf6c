"""The right remedy, which is none, and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit


def nothing(_: Stack, __: Truth) -> None:
    """Leave the system alone."""


def without(truth: Truth) -> Commit:
    """Keep the column from the model."""
    column = truth.parameters["column"]
    return kit.mend(
        f"Do without {column}",
        Edit("serving/eta/preprocess.py", f'"{column}": order["{column}"],', f'"{column}": None,'),
    )


def moved_back(truth: Truth) -> Commit:
    """Shift the column back to where it was."""
    column, amount = truth.parameters["column"], truth.parameters["amount"]
    undo = f"/ {amount}" if truth.parameters["how"] == "scale" else f"- ({amount})"
    return kit.mend(
        f"Hold {column} at its level",
        Edit("serving/eta/preprocess.py", f'"{column}": order["{column}"],', f'"{column}": order["{column}"] {undo},'),
    )


REFERENCE: Fix = Fix("change nothing", "The system is as good as it was.", nothing, deploys=False)
DECOYS: tuple[Fix, ...] = (
    kit.roll_back(),
    kit.committed("keep the column from the model", "A change to a system that needed none, and a new skew.", without),
    kit.committed("move the column back", "Serving would then read another world than training.", moved_back),
)
