"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.feature-absent-at-serving.fault")


def read_again(truth: Truth) -> Commit:
    """Read the features for every order."""
    return kit.mend("Read the courier's record for every order", *kit.inverse(*fault.gap(truth).edits))


def average(truth: Truth) -> Commit:
    """Put the fleet's average in, so that no value is missing any more."""
    first = fault.gap(truth).features[0]
    return kit.mend(
        "Fill in the fleet's average",
        Edit(
            fault.FILE,
            "        result: pd.DataFrame = featurelib.transform(frame)\n",
            "        result: pd.DataFrame = featurelib.transform(frame)\n"
            f'        result["{first}"] = result["{first}"].fillna(21.0)\n',
        ),
    )


REFERENCE: Fix = kit.committed("read the record for every order", "The features arrive again.", read_again)
DECOYS: tuple[Fix, ...] = (
    kit.committed("fill in an average", "No value is missing any more, and every courier is the same one.", average),
    kit.roll_back(),
    kit.restart(),
)
