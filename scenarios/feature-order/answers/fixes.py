"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.feature-order.fault")


def by_name(truth: Truth) -> Commit:
    """Select the columns by name; the list may have any order then."""
    edits = fault.edits(fault.order(truth))
    return kit.mend(
        "Select the features by name",
        Edit(
            fault.FILE,
            edits[1].new,
            "        result: pd.DataFrame = featurelib.transform(frame)[COLUMNS]\n        return result",
        ),
    )


def one_column(truth: Truth) -> Commit:
    """Repair the one column that looks worst and leave the others."""
    edits = fault.edits(fault.order(truth))
    name = truth.parameters["first"]
    return kit.mend(
        f"Mend {name}",
        Edit(
            fault.FILE,
            edits[1].new,
            "        transformed = featurelib.transform(frame)\n"
            "        result = pd.DataFrame(transformed.to_numpy(), columns=COLUMNS)\n"
            f'        result["{name}"] = transformed["{name}"].to_numpy()\n'
            "        return result",
        ),
    )


REFERENCE: Fix = kit.committed("select the features by name", "The order of the list no longer matters.", by_name)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "mend the column that looks worst",
        "The values it had taken are still missing under their own name.",
        one_column,
    ),
    kit.clamp_answers(10.0, 80.0),
    kit.roll_back(),
)
