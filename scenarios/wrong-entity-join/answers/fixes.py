"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.wrong-entity-join.fault")


def own_key(truth: Truth) -> Commit:
    """Look couriers up by their id."""
    return kit.mend("Couriers are looked up by their id", *kit.inverse(*fault.edits(truth)))


def no_courier(_: Truth) -> Commit:
    """Leave the suspicious features out; the model's imputer fills them."""
    return kit.mend(
        "Do without the courier's record",
        *(
            Edit(fault.PREPROCESS, old, new)
            for old, new in (
                ('courier.get("avg_speed_kmh")', "None"),
                ('courier.get("deliveries_30d")', "None"),
                ('courier.get("on_time_rate")', "None"),
                ('courier.get("hired_on")', "None"),
            )
        ),
    )


REFERENCE: Fix = kit.committed("look couriers up by their id", "Every order gets its own courier's record.", own_key)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "leave the courier out", "Nobody's record instead of a wrong one: still not what was trained on.", no_courier
    ),
    kit.restart(),
    kit.retrain(),
)
