"""The right remedy, which is none, and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Stack
from scenarios import kit


def nothing(_: Stack, __: Truth) -> None:
    """Leave the system alone."""


REFERENCE: Fix = Fix("change nothing", "The system is as good as it was.", nothing, deploys=False)
DECOYS: tuple[Fix, ...] = (kit.roll_back(), kit.mute_warnings(), kit.scale_answers())
