"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.unknown-customers.fault")


def unknown(truth: Truth) -> Commit:
    """Let what is unknown be unknown."""
    return kit.mend("Customers without a file are unknown", *kit.inverse(*fault.edits(truth)))


def zeros(truth: Truth) -> Commit:
    """Make the file of an unknown customer a clean one."""
    made = fault.FILES[str(truth.parameters["file_kind"])]
    return kit.mend(
        "A clean file for unknown customers",
        Edit(
            fault.FILE,
            f'"utilisation_percent": {made.utilisation}, "delinquencies_24m": {made.late}, "inquiries_6m": {made.inquiries}, '
            f'"open_accounts": {made.accounts}',
            '"utilisation_percent": 0.0, "delinquencies_24m": 0, "inquiries_6m": 0, "open_accounts": 0',
        ),
    )


REFERENCE: Fix = kit.committed(
    "let unknown values be unknown",
    "The imputation that was fitted with the model fills them, as in training.",
    unknown,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "hand out a clean file",
        "The constants are friendlier and still constants: nobody knows that these customers owe nothing.",
        zeros,
    ),
    kit.retrain(),
    kit.roll_back(),
    kit.clamp_answers(0.0, 0.5),
)
