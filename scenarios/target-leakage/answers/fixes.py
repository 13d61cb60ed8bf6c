"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Stack
from scenarios import kit

fault = importlib.import_module("scenarios.target-leakage.fault")


def known_beforehand(truth: Truth) -> Commit:
    """Train on what is known when a prediction is made."""
    return kit.mend("Train on what is known beforehand", *kit.inverse(*fault.edits(truth)))


def back_and_clean(stack: Stack, truth: Truth) -> None:
    """Serve the version from before, and clean the training job."""
    stack.workspace.commit(known_beforehand(truth))
    stack.registry.move_alias("champion", fault.APPROVED)


REFERENCE: Fix = Fix(
    "serve the version before and clean the training job",
    "The older version was fitted on what serving has, and the next one will be.",
    back_and_clean,
)
DECOYS: tuple[Fix, ...] = (
    kit.ran(
        "train with more regularisation",
        "A smaller model leans on the same feature: its error on held-out days is good because these days leak as well.",
        "train", "--param", "max_iter=40", "--param", "max_leaf_nodes=6", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.committed(
        "clean the training job only",
        "The next version will be right; the one that serves was fitted on the records all the same.",
        known_beforehand,
    ),
    kit.promoted(
        "roll back and leave the training job",
        "What serves is right until next week, when the job makes the same version once more.",
        fault.APPROVED,
    ),
    kit.scale_answers(1.4),
)  # fmt: skip
