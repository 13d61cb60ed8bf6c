"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.category-codes-by-request.fault")


def by_featurelib(truth: Truth) -> Commit:
    """Let the library code the names."""
    return kit.mend("Names are coded by featurelib", *kit.inverse(*fault.coding(truth).edits))


def fixed_list(truth: Truth) -> Commit:
    """Number the names by a list written by hand, which no longer depends on the request."""
    return kit.mend(
        "Number the vehicles by a fixed list",
        *kit.inverse(*fault.coding(truth).edits),
        Edit(
            fault.FILE,
            '"vehicle": order["vehicle"],',
            '"vehicle": ["bicycle", "car", "scooter"].index(order["vehicle"]),',
        ),
    )


REFERENCE: Fix = kit.committed("let featurelib code the names", "Both sides use one table again.", by_featurelib)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "number the names by a list",
        "A stable table is not yet the right one: training's is ordered by the effect on speed and not by the alphabet.",
        fixed_list,
    ),
    kit.restart(),
    kit.scale_answers(),
)
