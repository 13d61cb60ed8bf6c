"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.applicant-units.fault")


def right_unit(truth: Truth) -> Commit:
    """Convert as the training side does."""
    return kit.mend("Preprocessing: units of the training side", *kit.inverse(*fault.unit(truth).edits))


def move_threshold(truth: Truth) -> Commit:
    """Move the threshold until the share of approvals is the usual one."""
    new = "0.08" if truth.parameters["direction"] == "better" else "0.5"
    return kit.mend(
        "Policy: approve as many as before",
        Edit("serving/credit/policy.toml", "decline_from = 0.2", f"decline_from = {new}"),
    )


REFERENCE: Fix = kit.committed("convert as the training side does", "Both sides agree on every row.", right_unit)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "move the threshold",
        "As many are approved as before, but others: the order of the applications is not the one of their risk.",
        move_threshold,
    ),
    kit.retrain(),
    kit.roll_back(),
    kit.clamp_answers(0.01, 0.6),
)
