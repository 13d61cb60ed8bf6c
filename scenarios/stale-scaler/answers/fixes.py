"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.stale-scaler.fault")


def own_pipeline(truth: Truth) -> Commit:
    """Let the served version prepare its features itself."""
    return kit.mend("Scorecard: the served version prepares its own features", *kit.inverse(*fault.serving(truth)))


def names_again(_: Truth) -> Commit:
    """Hand frames over, so that nothing warns any more."""
    return kit.mend("Scorecard: features with their names", Edit(fault.FILE, "features.to_numpy()", "features"))


REFERENCE: Fix = kit.committed(
    "let the served version prepare its own features",
    "Preprocessing and estimator are one artifact again, whichever version is promoted next.",
    own_pipeline,
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted(
        "point champion back to version 5",
        "Far better than before, since both scale alike, and still no row is answered as version 5 would: the statistics are of "
        "another run.",
        5,
    ),
    kit.committed(
        "hand frames over",
        "The warning is gone, and the features are scaled by the old version as before.",
        names_again,
    ),
    kit.retrain(),
    kit.scale_answers(0.6),
    kit.mute_warnings(),
)
