"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.dtype-rounding.fault")
_RESULT = "        result: pd.DataFrame = featurelib.transform(frame)\n"


def all_digits(truth: Truth) -> Commit:
    """Hand the number over as it is."""
    return kit.mend("Keep all digits", *kit.inverse(*fault.loss(truth).edits))


def finer(truth: Truth) -> Commit:
    """Lose less: whole numbers instead of coarse steps."""
    feature = fault.loss(truth).feature
    return kit.mend(
        "Whole numbers are fine enough",
        *kit.inverse(*fault.loss(truth).edits),
        Edit(fault.FILE, _RESULT, f'{_RESULT}        result["{feature}"] = (result["{feature}"] / 2).round() * 2\n'),
    )


def centred(truth: Truth) -> Commit:
    """Add what is lost on average."""
    feature = fault.loss(truth).feature
    middle = {"courier_tenure_days": 180.0, "courier_speed_kmh": 5.0, "distance_km": 1.0}[feature]
    return kit.mend(
        "Use the middle of each step",
        Edit(
            fault.FILE,
            "        return result\n",
            f'        result["{feature}"] = result["{feature}"] + {middle}\n        return result\n',
        ),
    )


REFERENCE: Fix = kit.committed("keep all digits", "The model gets the number that it was trained on.", all_digits)
DECOYS: tuple[Fix, ...] = (
    kit.committed("use finer steps", "The error shrinks; the two sides still disagree on most orders.", finer),
    kit.committed("add what is lost on average", "The mean is right again, and hardly any single value.", centred),
    kit.roll_back(),
)
