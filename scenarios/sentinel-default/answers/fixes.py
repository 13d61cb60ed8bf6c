"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.sentinel-default.fault")


def whole_table(truth: Truth) -> Commit:
    """Look every courier up."""
    return kit.mend("Look every courier up", *kit.inverse(*fault.edits(truth)))


def unknown_is_missing(_: Truth) -> Commit:
    """Hand nothing over for couriers that are not kept."""
    return kit.mend(
        "No record for couriers that are not kept",
        Edit(
            fault.FILE,
            "{key: held.get(key, UNKNOWN) for key in wanted}",
            "{key: held[key] for key in wanted if key in held}",
        ),
    )


def plausible(truth: Truth) -> Commit:
    """Hand an average speed over instead."""
    default = fault.DEFAULTS[str(truth.parameters["default"])]
    return kit.mend(
        "A plausible record for the others",
        Edit(fault.FILE, f'"avg_speed_kmh": {default.speed}', '"avg_speed_kmh": 21.0'),
    )


REFERENCE: Fix = kit.committed("look every courier up", "Every order gets its courier's own record.", whole_table)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "hand over nothing instead",
        "Better than a made-up record, and still not the record that training has and the table holds.",
        unknown_is_missing,
    ),
    kit.committed("hand over an average", "A less conspicuous number that nobody measured either.", plausible),
    kit.clamp_answers(10.0, 90.0),
)
