"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.cpu-quota-threads.fault")


def within(truth: Truth) -> Commit:
    """As many threads as the quota allows."""
    return kit.mend("OpenMP: as many threads as the quota allows", *kit.inverse(*fault.chosen(truth)))


def cpus(truth: Truth) -> str:
    """What the manifest says of the quota."""
    return f"{float(truth.parameters['cpus']):g}"


def old_quota(truth: Truth) -> Commit:
    """The quota of last week, and no change of the threads."""
    return kit.mend("Serving: a whole processor again", kit.setting("SERVING_CPUS", cpus(truth), "1.0"))


def larger(truth: Truth) -> Commit:
    """Twice the quota of last week."""
    return kit.mend("Serving: two processors", kit.setting("SERVING_CPUS", cpus(truth), "2.0"))


def more_processes(_: Truth) -> Commit:
    """Two processes, with the memory for them."""
    edits = (kit.setting("WORKERS", "1", "2"), kit.setting("SERVING_MEMORY", "512m", "1024m"))
    return kit.mend("Serving: a second worker", *edits)


REFERENCE: Fix = kit.committed(
    "as many threads as the quota allows", "A prediction runs on one thread, which the quota can carry.", within
)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.committed(
        "the old quota",
        "The quota of last week is used up by the same threads; they wait for each other all the same.",
        old_quota,
    ),
    kit.committed(
        "twice the processors", "More of the same: the threads of one prediction are still too many.", larger
    ),
    kit.committed(
        "more workers", "Another process starts as many threads again within the same quota.", more_processes
    ),
)
