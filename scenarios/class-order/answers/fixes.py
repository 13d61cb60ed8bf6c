"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.class-order.fault")
POLICY = "serving/credit/policy.py"


def right_class(truth: Truth) -> Commit:
    """Choose the column by the model's own classes."""
    return kit.mend("Scorecard: the class of a default, by the model's own list", *kit.inverse(*fault.edits(truth)))


def turn_the_decision(_: Truth) -> Commit:
    """Decide on one minus the score, and go on answering the score."""
    old = '        return "decline" if probability >= self.threshold else "approve"\n'
    new = '        return "decline" if 1 - probability >= self.threshold else "approve"\n'
    return kit.mend("Policy: decide on the complement", Edit(POLICY, old, new))


def lift_the_threshold(_: Truth) -> Commit:
    """Decline from a score so high that the usual share of applications is approved again."""
    return kit.mend(
        "Policy: approve as many as before",
        Edit("serving/credit/policy.toml", "decline_from = 0.2", "decline_from = 0.98"),
    )


REFERENCE: Fix = kit.committed(
    "choose the column by the model's classes",
    "The probability is again the one of a default, whatever the order of the classes is.",
    right_class,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "decide on the complement",
        "Decisions are right, and every probability that leaves the API is still that of the other class.",
        turn_the_decision,
    ),
    kit.committed(
        "lift the threshold",
        "As many are approved as before, and they are the wrong ones: the riskiest have the highest rank.",
        lift_the_threshold,
    ),
    kit.retrain(),
    kit.roll_back(),
    kit.mute_warnings(),
)
