"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.undeclared-package.fault")


def declare(truth: Truth) -> Commit:
    """Install in serving what the pipeline needs."""
    return kit.mend("Serving: declare what the scorecard needs", fault.declared(truth, fault.SERVING))


def other_numpy(_: Truth) -> Commit:
    """Move numpy, which was the reason the last time a module was not found."""
    edit = Edit("serving/credit/requirements.in", "numpy==1.26.4", "numpy==2.1.3")
    return kit.mend("Serving: numpy 2", edit, relock=("serving/credit",))


REFERENCE: Fix = kit.committed(
    "declare the package for serving", "Serving installs what the pipeline imports.", declare
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted("roll the model back to version 3", "Version 3 answers; it was superseded, and version 5 was approved.", 3),
    kit.ran(
        "train again and promote",
        "Training has the package: the same pipeline comes out and needs it again.",
        "train", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.committed("another numpy", "The module that is not found is not numpy's.", other_numpy),
    kit.restart(),
)  # fmt: skip
