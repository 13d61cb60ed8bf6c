"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.memory-leak.fault")


def release(truth: Truth) -> Commit:
    """Keep nothing of a request."""
    return kit.mend(fault.chosen(truth).remedy, *kit.inverse(*fault.chosen(truth).edits))


def more_memory(_: Truth) -> Commit:
    """Twice the memory."""
    return kit.mend("Serving: twice the memory", kit.setting("SERVING_MEMORY", "512m", "1024m"))


def collect(_: Truth) -> Commit:
    """Collect garbage after every request."""
    old = "        self.metrics.predictions.inc(len(rows))\n"
    edits = (
        Edit("serving/app.py", "import importlib\nimport logging\n", "import gc\nimport importlib\nimport logging\n"),
        Edit("serving/app.py", old, f"        gc.collect(0)\n{old}"),
    )
    return kit.mend("Collect garbage with every request", *edits)


REFERENCE: Fix = kit.committed("keep nothing of a request", "What a request needed is released with it.", release)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.committed("twice the memory", "The same slope ends at a higher limit, some hours later.", more_memory),
    kit.committed(
        "collect garbage", "Nothing of it is garbage: the process still holds a reference to all of it.", collect
    ),
)
