"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.unreadable-estimator.fault")


def pin(truth: Truth) -> Commit:
    """Pin what the scorecards were stored with."""
    edits = kit.inverse(fault.edit(truth))
    return kit.mend("Pin scikit-learn as the scorecards were stored", *edits, relock=(fault.FOLDER,))


def lenient(_: Truth) -> Commit:
    """Call the API ready whatever it can do."""
    return kit.mend("Readiness: answer at once", Edit("serving/app.py", "        service.check()\n", ""))


def patch(_: Truth) -> Commit:
    """Give the stored imputer the attribute that it lacks."""
    old = "        self.model = model\n"
    new = old + (
        "        for step in model.get_raw_model():\n"
        '            if hasattr(step, "_fit_dtype"):\n'
        "                step._fill_dtype = step._fit_dtype\n"
    )
    return kit.mend("Scorecard: set the attribute that is asked for", Edit("serving/credit/scorecard.py", old, new))


REFERENCE: Fix = kit.committed("pin scikit-learn 1.7.2", "The release that stored the scorecards can use them.", pin)
DECOYS: tuple[Fix, ...] = (
    kit.promoted(
        "roll the model back to version 3", "Version 3 was stored by the same release and lacks the same attribute.", 3
    ),
    kit.ran(
        "train again and promote",
        "Training has the old release as well: what comes out lacks the same attribute.",
        "train", "--alias", "champion",
    ),
    kit.committed(
        "a readiness check that always succeeds", "The light is green, and every request still fails.", lenient
    ),
    kit.committed(
        "set the attribute by hand",
        "This exception is gone; what else the newer release reads otherwise, nobody has checked.",
        patch,
    ),
    kit.restart(),
)  # fmt: skip
