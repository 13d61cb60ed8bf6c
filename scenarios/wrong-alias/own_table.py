"""The same on a person's own table, among the versions that are registered for every table."""

import random

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

RECORDS = {2: "rejected", 4: "rejected", 6: "candidate"}
"""Versions that must not serve, with what `training/table/model.py` writes into their record."""


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the version."""
    found = kit_table.felt(
        ground, "version", must="prediction-shift", what="versions whose answers differ enough from the champion's"
    )
    change = rng.choice(found)
    version, approved = int(change.value), ground.champion
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="wrong-alias",
        cause="wrong-alias",
        component="model-registry",
        target="champion",
        aliases=(
            f"version {version}",
            f"v{version}",
            f"{ground.workload}@champion",
            f"{ground.workload} version {version}",
            "champion alias",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The alias champion points to version {version}, whose promotion record says {RECORDS[version]}, "
                f"instead of version {approved}; serving loads what the alias points to."
            ),
            concepts=(
                ("alias", "champion", "pointer"),
                (
                    f"version {version}", f"v{version}", "rejected", "never approved", "not approved", "unapproved",
                    "not promoted", RECORDS[version],
                ),
            ),
        ),
        look_alikes=kit.others("wrong-alias"),
        discriminating=("registry alias=champion version", f"registry version={version} promotion", "serving version"),
        supporting=(f"registry version={approved} promotion", "parity mismatch", "prediction drift"),
        remedy=f"Point champion back to version {approved} and deploy, so that serving loads it.",
        parameters={"version": version, "approved": approved},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Move the alias."""
    kit_table.promoted(stack, int(truth.parameters["version"]))


def hard_code(truth: Truth) -> Commit:
    """Load the approved version by its number and leave the alias where it is."""
    version = truth.parameters["approved"]
    return kit.mend(
        f"Serve version {version}",
        Edit(
            "serving/model.py",
            "MlflowClient().get_model_version_by_alias(settings.model_name, settings.alias)",
            f'MlflowClient().get_model_version(settings.model_name, "{version}")',
        ),
    )


def point_back(stack: Stack, truth: Truth) -> None:
    """Point the alias to the approved version."""
    stack.registry.move_alias("champion", int(truth.parameters["approved"]))


REFERENCE: Fix = Fix(
    "point champion to the approved version", "The alias names the approved version again.", point_back
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "hard-code the version", "The registry still says another champion; the next promotion is lost.", hard_code
    ),
    kit.promoted("promote the version before", "Version 3 was superseded; it is not what was approved.", 3),
    kit.restart(),
)
