"""The right remedy and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit


def hard_code(_: Truth) -> Commit:
    """Load the approved version by its number and leave the alias where it is."""
    return kit.mend(
        "Serve version 5",
        Edit(
            "serving/model.py",
            "MlflowClient().get_model_version_by_alias(settings.model_name, settings.alias)",
            'MlflowClient().get_model_version(settings.model_name, "5")',
        ),
    )


REFERENCE: Fix = kit.promoted("point champion to version 5", "The alias names the approved version again.", 5)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "hard-code the version", "The registry still says another champion; the next promotion is lost.", hard_code
    ),
    kit.promoted("promote the version before", "Version 3 was superseded; it is not what was approved.", 3),
    kit.restart(),
)
