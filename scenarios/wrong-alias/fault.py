"""The alias that serving loads points to a version that was never to be promoted."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

APPROVED = 5
RECORDS = {2: "rejected", 4: "rejected", 6: "candidate"}
"""Versions that must not serve, with what their promotion record says."""


def plan(rng: random.Random) -> Truth:
    """Draw the version and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(sorted(RECORDS))
    return Truth(
        scenario="wrong-alias",
        workload="eta",
        seed=seed,
        cause="wrong-alias",
        component="model-registry",
        object="champion",
        object_aliases=(
            f"version {version}",
            f"v{version}",
            "eta@champion",
            f"eta version {version}",
            "champion alias",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The alias champion points to version {version}, whose promotion record says {RECORDS[version]}, "
                f"instead of version {APPROVED}; serving loads what the alias points to."
            ),
            concepts=(
                ("alias", "champion", "pointer"),
                (
                    f"version {version}",
                    f"v{version}",
                    "rejected",
                    "never approved",
                    "not approved",
                    "unapproved",
                    "not promoted",
                    RECORDS[version],
                ),
            ),
            numbers={},
        ),
        onset=kit.onset(rng),
        look_alikes=kit.others("wrong-alias"),
        supporting=(
            "registry alias=champion version",
            f"registry version={version} promotion",
            f"registry version={APPROVED} promotion",
            "serving version",
            "parity mismatch",
            "prediction drift",
        ),
        discriminating=("registry alias=champion version", f"registry version={version} promotion", "serving version"),
        remedy=f"Point champion back to version {APPROVED} and deploy, so that serving loads it.",
        parameters={"version": version, "approved": APPROVED},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Move the alias."""
    stack.up(["mlflow"])
    stack.registry.move_alias("champion", int(truth.parameters["version"]))
