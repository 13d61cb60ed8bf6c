"""The right remedy and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit

APPROVED = ("--alias", "champion", "--tag", "promotion=approved", "--tag", "decision=extended by recent orders")


def extend(stack: Stack, truth: Truth) -> None:
    """Train on the history and the labelled orders since the onset."""
    kit.run(stack, "train", "--recent", truth.onset.isoformat(), *APPROVED)


def clip(_: Truth) -> Commit:
    """Hold distances in the range of training."""
    return kit.mend(
        "Hold distances in the range of training",
        Edit(
            "serving/eta/preprocess.py",
            '        distance_km = order["route_distance_m"] / METRES_PER_KM\n',
            '        distance_km = min(order["route_distance_m"] / METRES_PER_KM, 12.0)\n',
        ),
    )


REFERENCE: Fix = Fix(
    "train on the history and recent orders", "What the history says still holds; recent orders say the rest.", extend
)
DECOYS: tuple[Fix, ...] = (
    kit.ran(
        "train again on the history", "The history has no such orders: the same model comes out.", "train", *APPROVED
    ),
    kit.committed("clip distances", "The model is spared the values, and the customers are told too little.", clip),
    kit.roll_back(),
)
