"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.category-encoding-order.fault")


def by_featurelib(truth: Truth) -> Commit:
    """Let the library code the names."""
    return kit.mend("Names are coded by featurelib", *kit.inverse(*fault.coding(truth).edits))


def by_alphabet(truth: Truth) -> Commit:
    """Code the names by hand, sorted, which at least no longer depends on the request."""
    feature = truth.object
    names = sorted(fault.LEVELS[feature])
    return kit.mend(
        "Sort the names before they are coded",
        *kit.inverse(*fault.coding(truth).edits),
        Edit(fault.FILE, f'"{feature}": order["{feature}"],', f'"{feature}": {names!r}.index(order["{feature}"]),'),
    )


REFERENCE: Fix = kit.committed("let featurelib code the names", "Both sides use one table again.", by_featurelib)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "sort the names by hand",
        "A stable table is not yet the right one: training's is ordered by the effect on speed and not by the alphabet.",
        by_alphabet,
    ),
    kit.scale_answers(),
    kit.roll_back(),
    kit.retrain(),
)
