"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.decision-threshold.fault")


def approved_threshold(truth: Truth) -> Commit:
    """Undo the change."""
    return kit.mend("Decide at the approved threshold", *kit.inverse(*fault.chosen(truth).edits))


def bend_scores(truth: Truth) -> Commit:
    """Move the scores so that the share of approvals looks right again, and leave the threshold where it is."""
    factor = float(truth.parameters["threshold"]) / float(truth.parameters["approved"])
    return kit.mend(
        "Recalibrate the scores",
        Edit("serving/app.py", "predictions = [float(value) for", f"predictions = [{factor:g} * float(value) for"),
    )


REFERENCE: Fix = kit.committed(
    "decide at the approved threshold",
    "Scores were right all along; now decisions follow from them.",
    approved_threshold,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "bend the scores", "Right decisions from wrong probabilities: who prices by them loses.", bend_scores
    ),
    kit.roll_back(),
    kit.retrain(),
)
