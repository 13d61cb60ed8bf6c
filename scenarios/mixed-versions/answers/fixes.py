"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.mixed-versions.fault")


def by_number(_: Truth) -> Commit:
    """Let every process load version 5 by its number."""
    alias = "MlflowClient().get_model_version_by_alias(settings.model_name, settings.alias)"
    return kit.mend(
        "Serve version 5 everywhere",
        kit.setting("ROLLOUT", "1", "0"),
        Edit(fault.MODEL, alias, 'MlflowClient().get_model_version(settings.model_name, "5")'),
    )


REFERENCE: Fix = kit.committed(
    "take the rollout back",
    "Every process follows the alias again, and both answer alike.",
    lambda _: kit.mend("Take the rollout back until it is approved", kit.setting("ROLLOUT", "1", "0")),
)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.promoted(
        "finish the rollout",
        "All processes agree, and all of them answer what nobody approved.",
        fault.VERSION,
    ),
    kit.committed(
        "more processes",
        "The share of the other version is smaller, and it still depends on the connection which one answers.",
        lambda _: kit.mend("Serving: three processes", kit.setting("WORKERS", "2", "3")),
    ),
    kit.committed(
        "one process again",
        "The rollout takes the last process, and now there is no other.",
        lambda _: kit.mend("Serving: one process", kit.setting("WORKERS", "2", "1")),
    ),
    kit.committed(
        "load version 5 by its number",
        "All processes agree for as long as nobody promotes anything: the alias no longer means what serves.",
        by_number,
    ),
)
