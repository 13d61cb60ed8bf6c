"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit
from scenarios import kit

fault = importlib.import_module("scenarios.interpreter-version.fault")


def back(_: Truth) -> Commit:
    """Serve by the Python that stored the model."""
    return kit.mend("Serving: the Python of the model", *kit.inverse(*fault.moved()))


def more_memory(_: Truth) -> Commit:
    """Twice the memory."""
    return kit.mend("Serving: twice the memory", kit.setting("SERVING_MEMORY", "512m", "1024m"))


REFERENCE: Fix = kit.committed(
    "the Python of the model in serving", "Bytecode runs on the minor version that compiled it.", back
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted(
        "roll the model back to version 5",
        "It holds no code of its own and answers, in an environment that is still not the one that it was made in.",
        fault.APPROVED,
    ),
    kit.committed(
        "twice the memory", "Nothing ran out of memory; the process reached for what is not its own.", more_memory
    ),
    kit.restart(),
)
