"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.stale-model-cache.fault")


def by_version(truth: Truth) -> Commit:
    """Keep one copy of each version."""
    old = f'settings.data / "models" / {fault.key(truth).expression}\n'
    new = 'settings.data / "models" / f"{settings.model_name}-{version}"\n'
    return kit.mend("Model: one copy of each version", Edit(fault.FILE, old, new))


def honest(truth: Truth) -> Commit:
    """Report the version that the copy is of."""
    return kit.mend(
        "Report what is served",
        Edit(
            fault.FILE, "        version=int(version.version),", f"        version={int(truth.parameters['version'])},"
        ),
    )


REFERENCE: Fix = kit.committed(
    "keep a copy of each version",
    "A promotion asks for another copy, so no version can answer in the name of another.",
    by_version,
)
DECOYS: tuple[Fix, ...] = (
    kit.promoted(
        "promote version 5 again", "The alias was right all the time; the start does not ask what it is for.", 5
    ),
    kit.restart(),
    kit.ran(
        "train again and promote",
        "The new version is reported as the others were, and the same copy answers.",
        "train", "--alias", "champion", "--tag", "promotion=approved",
    ),
    kit.committed(
        "report the version that answers",
        "Now the API says what it serves, and it serves what nobody approved.",
        honest,
    ),
    kit.executed(
        "empty the folder",
        "The next start keeps a copy of today's version, which then answers in the name of every later one.",
        "serving", "sh", "-c", 'rm -rf "$DATA_DIR/models"',
    ),
)  # fmt: skip
