"""The lending policy decides at another probability than the one that was approved with the scorecard."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

APPROVED = 0.2
POLICY = "serving/credit/policy.toml"
CODE = "serving/credit/policy.py"
THRESHOLDS = (0.05, 0.08, 0.1, 0.5, 0.55)
"""Far enough from the approved one for the share of approvals to move by well over the alert's threshold."""


@dataclass(frozen=True)
class Change:
    """One way in which another threshold gets in: the file, what in it is at fault, and the edits that do it."""

    file: str
    object: str
    aliases: tuple[str, ...]
    phrase: str
    message: str
    edits: tuple[Edit, ...]


def change(kind: str, threshold: float) -> Change:
    """Return a change of the policy's file, or of the code that reads it."""
    if kind == "file":
        return Change(
            POLICY,
            "decline_from",
            (POLICY, "policy.toml", "decision threshold", "threshold", "lending policy", "policy"),
            f"{POLICY} declines from {threshold:g} on",
            "Policy: settings of the autumn campaign",
            (
                Edit(POLICY, f"decline_from = {APPROVED:g}", f"decline_from = {threshold:g}"),
                Edit(POLICY, "# An analyst sees", "# Campaign desk: an analyst sees"),
            ),
        )
    return Change(
        CODE,
        "DECLINE_FROM",
        (CODE, "policy.py", "decline_from", "decision threshold", "threshold", "lending policy", "policy"),
        f"{CODE} takes DECLINE_FROM from the environment, {threshold:g} where it is not set, and no longer the policy's file",
        "Policy: let operations override settings",
        (
            Edit(CODE, "import tomllib\n", "import os\nimport tomllib\n"),
            Edit(
                CODE,
                'self.threshold = float(self.settings["decline_from"])',
                f'self.threshold = float(os.environ.get("DECLINE_FROM", "{threshold:g}"))',
            ),
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw where the threshold comes from, its value, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(("file", "code"))
    threshold = rng.choice(THRESHOLDS)
    chosen = change(kind, threshold)
    more = "more" if threshold > APPROVED else "fewer"
    return Truth(
        scenario="decision-threshold",
        workload="credit",
        seed=seed,
        cause="threshold-mismatch",
        component="serving-runtime" if kind == "file" else "serving-code",
        object=chosen.object,
        object_aliases=chosen.aliases,
        mechanism=Mechanism(
            sentence=(
                f"The probabilities are right, but {chosen.phrase}, while {APPROVED:g} was approved with the scorecard; "
                f"so {more} applications are approved than the policy means."
            ),
            concepts=(
                ("threshold", "cut-off", "cutoff", "operating point", "decline_from"),
                (
                    "approved threshold", "registered threshold", "version's record", "registry", "registered with",
                    "approved with", "decision_threshold", "record of the version", "approved one",
                ),
            ),
            numbers={"served": threshold, "approved": APPROVED},
        ),
        onset=kit.onset(rng),
        look_alikes=("class-order-flip", "miscalibration", "label-shift", "covariate-shift", "wrong-alias"),
        supporting=(
            "decision threshold",
            "decision approve max_prediction",
            "decision decline min_prediction",
            "decision approve share",
            "decision approve window=before share",
            "registry version=5 decision_threshold",
            "registry alias=champion version",
            "prediction drift",
            "parity mismatch",
        ),
        discriminating=("decision threshold", "decision approve max_prediction", "decision decline min_prediction"),
        remedy=f"Decide at {APPROVED:g} again, the threshold that is registered with version 5, and deploy.",
        parameters={"kind": kind, "threshold": threshold, "approved": APPROVED, "file": chosen.file},
    )  # fmt: skip


def chosen(truth: Truth) -> Change:
    """Return the change a truth was drawn for."""
    return change(str(truth.parameters["kind"]), float(truth.parameters["threshold"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change."""
    stack.workspace.commit(kit.change(truth, chosen(truth).message, *chosen(truth).edits))
