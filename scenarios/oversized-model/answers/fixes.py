"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Stack
from scenarios import kit

fault = importlib.import_module("scenarios.oversized-model.fault")


def bounded(truth: Truth) -> Commit:
    """Train models of the former size."""
    return kit.mend("Training: models of the former size", *kit.inverse(*fault.chosen(truth).edits))


def back_and_bounded(stack: Stack, truth: Truth) -> None:
    """Serve the version from before, and let the training job make small ones again."""
    stack.workspace.commit(bounded(truth))
    stack.registry.move_alias("champion", fault.APPROVED)


def larger(_: Truth) -> Commit:
    """Twice the processors and the memory."""
    edits = (kit.setting("SERVING_CPUS", "1.0", "2.0"), kit.setting("SERVING_MEMORY", "512m", "1024m"))
    return kit.mend("Serving: room to breathe", *edits)


REFERENCE: Fix = Fix(
    "serve the version before and bound the training job",
    "The older version answers in time, and the next one will.",
    back_and_bounded,
)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.committed(
        "a larger container",
        "A second processor does not shorten the work that one prediction needs on one thread.",
        larger,
    ),
    kit.committed(
        "bound the training job only",
        "The next version will be quick; the one that serves is as large as before.",
        bounded,
    ),
)
