"""The right remedy and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Stack
from scenarios import kit

APPROVED = ("--alias", "champion", "--tag", "promotion=approved", "--tag", "decision=adapted to the weekend")


def correct(stack: Stack, truth: Truth) -> None:
    """Let the labelled orders since the onset correct the model of the history."""
    kit.run(stack, "train", "--recent", truth.onset.isoformat(), "--correct", *APPROVED)


def add(stack: Stack, truth: Truth) -> None:
    """Add the labelled orders since the onset to the history."""
    kit.run(stack, "train", "--recent", truth.onset.isoformat(), *APPROVED)


REFERENCE: Fix = Fix(
    "correct the model on recent labels",
    "Few labels are enough for a correction; the history no longer has to be right.",
    correct,
)
DECOYS: tuple[Fix, ...] = (
    kit.ran(
        "train again on the history",
        "The history tells of a world that is gone: the same model comes out.",
        "train", *APPROVED,
    ),
    Fix("add the weekend to the history", "Some hundred orders are outvoted by half a year that says otherwise.", add),
    kit.restart(),
)  # fmt: skip
