"""The right remedy, which is none, and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit


def nothing(_: Stack, __: Truth) -> None:
    """Leave the system alone."""


def sooner(_: Truth) -> Commit:
    """Read outcomes sooner."""
    return kit.mend(
        "Labels sooner", Edit("training/eta/stream.py", "label_delay=timedelta(hours=2)", "label_delay=timedelta(0)")
    )


REFERENCE: Fix = Fix(
    "change nothing", "The outcomes will arrive; the system is as good as it was.", nothing, deploys=False
)
DECOYS: tuple[Fix, ...] = (
    kit.scale_answers(0.8),
    kit.roll_back(),
    kit.committed(
        "read outcomes sooner", "Reading more often brings no outcome forward; a change that none needed.", sooner
    ),
)
