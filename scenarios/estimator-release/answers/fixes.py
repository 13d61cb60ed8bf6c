"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.estimator-release.fault")


def pin(truth: Truth) -> Commit:
    """Pin what the scorecard was trained with."""
    return kit.mend(
        "Pin scikit-learn as the scorecard was trained", *kit.inverse(fault.edit(truth)), relock=(fault.FOLDER,)
    )


def sharpen_the_policy(_: Truth) -> Commit:
    """Decline from a lower score on, so that the share of approvals is the usual one."""
    return kit.mend(
        "Policy: decline as many as before",
        Edit("serving/credit/policy.toml", "decline_from = 0.2", "decline_from = 0.0588"),
    )


REFERENCE: Fix = kit.committed(
    "pin scikit-learn 1.7.2",
    "The estimator is read by the release that wrote it, and answers what it was fitted to.",
    pin,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "decline from a lower score",
        "The ranking is intact, so decisions look right; whoever prices by the probability still believes half of the risk.",
        sharpen_the_policy,
    ),
    kit.scale_answers(2.0),
    kit.retrain(),
    kit.roll_back(),
    kit.mute_warnings(),
)
