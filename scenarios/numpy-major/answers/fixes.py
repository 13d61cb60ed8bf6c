"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.numpy-major.fault")


def pin(truth: Truth) -> Commit:
    """Give serving what the served version was made with."""
    return kit.mend("Serve with the numpy of the model", fault.edit(truth, fault.SERVING), relock=(fault.SERVING,))


def teach(_: Truth) -> Commit:
    """Make the old numpy know the generator in the way in which the new one writes it."""
    old = "    import mlflow\n    from mlflow import pyfunc\n"
    new = (
        "    import mlflow\n    from mlflow import pyfunc\n    from numpy.random import _pickle\n\n"
        "    _pickle.BitGenerators[_pickle.MT19937] = _pickle.MT19937\n"
    )
    return kit.mend("Model: know the generator by its class", Edit("serving/model.py", old, new))


REFERENCE: Fix = kit.committed(
    "the numpy of the model in serving",
    "What reads the file is of the major version that wrote it.",
    pin,
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted("roll the model back to version 3", "Version 3 answers; it was superseded, and version 5 was approved.", 3),
    kit.committed(
        "teach the old numpy a name",
        "The name is known and the state behind it is still in another form: the next line of the same file fails.",
        teach,
    ),
    kit.ran(
        "train again and promote",
        "Training still has the next major version: the new file is in the same form.",
        "train", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.restart(),
)  # fmt: skip
