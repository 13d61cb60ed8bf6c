"""The serving image pins an old release of the in-house feature library."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/internal.txt"
TRAINED = "2.1.0"
DETOUR = {"1.3.0": 1.35, "1.4.2": 1.45}
"""Old releases, with the factor each multiplies distances by."""
MESSAGES = {
    "1.3.0": "Packaging: follow the release branch",
    "1.4.2": "Packaging: follow the long-term branch",
}


def plan(rng: random.Random) -> Truth:
    """Draw the release and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(sorted(DETOUR))
    return Truth(
        scenario="featurelib-pin",
        workload="eta",
        seed=seed,
        cause="feature-library-version-mismatch",
        component="serving-environment",
        object="featurelib",
        object_aliases=(FILE, "internal.txt", f"featurelib=={version}", f"featurelib {version}"),
        mechanism=Mechanism(
            sentence=(
                f"Serving has featurelib {version}, the model was trained with {TRAINED}: distances are multiplied by "
                f"{DETOUR[version]}, categories coded in another order, hours taken in UTC, and a calendar is built "
                "in every request, which makes requests slow."
            ),
            concepts=(
                ("featurelib", "feature library", "preprocessing library", "in-house library"),
                (
                    "detour",
                    "category codes",
                    "codes of the categories",
                    "categories in another order",
                    "utc",
                    "means something else",
                    "mean something else",
                    "other features",
                    "different features",
                    "computes features differently",
                    "other meaning",
                    "different values",
                    "computes other",
                ),
                (
                    "calendar",
                    "slow",
                    "slower",
                    "longer",
                    "latency",
                    "row by row",
                    "per order",
                    "each order",
                    "every order",
                    "per request",
                    "each request",
                    "every request",
                    "in every call",
                    "per call",
                ),
            ),
            numbers={"detour": DETOUR[version]},
        ),
        onset=kit.onset(rng),
        look_alikes=kit.others("feature-library-version-mismatch"),
        supporting=(
            "pin serving featurelib",
            "pin model featurelib",
            "pin training featurelib",
            "latency p95_ms",
            "latency window=latest p50_ms",
            "feature distance_km parity_ratio",
            "feature vehicle parity_mismatch",
            "feature local_hour parity_mismatch",
            "parity mismatch",
            "registry alias=champion version",
        ),
        discriminating=(
            "pin serving featurelib",
            "feature vehicle parity_mismatch",
            "feature local_hour parity_mismatch",
        ),
        remedy=f"Pin featurelib=={TRAINED} in {FILE} and deploy.",
        parameters={"version": version, "trained": TRAINED, "detour": DETOUR[version]},
    )


def edit(truth: Truth) -> Edit:
    """Return the change of the pin."""
    return Edit(FILE, f"featurelib=={TRAINED}", f"featurelib=={truth.parameters['version']}")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the pin."""
    stack.workspace.commit(kit.change(truth, MESSAGES[str(truth.parameters["version"])], edit(truth)))
