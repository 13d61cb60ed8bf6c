"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.thread-oversubscription.fault")


def within(truth: Truth) -> Commit:
    """As many threads as the quota allows."""
    return kit.mend("OpenMP: as many threads as the quota allows", *kit.inverse(*fault.chosen(truth)))


def larger(_: Truth) -> Commit:
    """Twice the processors."""
    return kit.mend("Serving: two processors", kit.setting("SERVING_CPUS", "1.0", "2.0"))


def more_processes(_: Truth) -> Commit:
    """Two processes, with the memory for them."""
    edits = (kit.setting("WORKERS", "1", "2"), kit.setting("SERVING_MEMORY", "512m", "1024m"))
    return kit.mend("Serving: a second worker", *edits)


REFERENCE: Fix = kit.committed(
    "as many threads as the quota allows", "A prediction runs on the one processor that the container has.", within
)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.committed(
        "twice the processors",
        "Twice the quota is used up by the same threads; they wait for each other all the same.",
        larger,
    ),
    kit.committed(
        "more workers", "Another process starts as many threads again within the same quota.", more_processes
    ),
)
