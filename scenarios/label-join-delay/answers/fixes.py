"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Stack
from scenarios import kit

fault = importlib.import_module("scenarios.label-join-delay.fault")


def delivered_only(truth: Truth) -> Commit:
    """Train on whole outcomes."""
    return kit.mend("Outcomes of delivered orders", *kit.inverse(*fault.edits(truth)))


def back_and_clean(stack: Stack, truth: Truth) -> None:
    """Serve the version from before, and clean the training job."""
    stack.workspace.commit(delivered_only(truth))
    stack.registry.move_alias("champion", fault.APPROVED)


REFERENCE: Fix = Fix(
    "serve the version before and clean the training job",
    "The older version was fitted on whole outcomes, and the next one will be.",
    back_and_clean,
)
DECOYS: tuple[Fix, ...] = (
    kit.ran(
        "train again and promote",
        "The job reads the same unfinished outcomes once more.",
        "train", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.promoted(
        "roll back and leave the training job",
        "What serves is right until next week, when the job reads unfinished outcomes once more.",
        fault.APPROVED,
    ),
    kit.scale_answers(1.5),
    kit.restart(),
)  # fmt: skip
