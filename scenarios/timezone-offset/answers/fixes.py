"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.timezone-offset.fault")


def customers_clock(truth: Truth) -> Commit:
    """Read the customer's clock again."""
    return kit.mend("The hour is the customer's", *kit.inverse(*fault.edits(truth)))


def constant(truth: Truth) -> Commit:
    """Take the median offset off every order."""
    hours = truth.parameters["offset"]
    return kit.mend(
        "Correct the hour",
        Edit(
            fault.FILE,
            "        result: pd.DataFrame = featurelib.transform(frame)\n",
            "        result: pd.DataFrame = featurelib.transform(frame)\n"
            f'        result["local_hour"] = (result["local_hour"] - {hours}) % 24\n',
        ),
    )


def everybody_in_utc(truth: Truth) -> Commit:
    """Read every order's hour in UTC, which is at least a definite clock."""
    return kit.mend(
        "Hours in UTC",
        *kit.inverse(*fault.edits(truth)),
        Edit(fault.FILE, '"timezone": order["timezone"],', '"timezone": "UTC",'),
    )


REFERENCE: Fix = kit.committed("read the customer's clock", "Both sides derive the same hour again.", customers_clock)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "take a constant off the hour",
        "The day of the week stays wrong around midnight, cities can differ by other amounts, and summer time changes them.",
        constant,
    ),
    kit.committed(
        "use UTC everywhere", "A definite clock is not the one that the model was trained on.", everybody_in_utc
    ),
    kit.roll_back(),
)
