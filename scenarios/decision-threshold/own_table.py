"""The same on a person's own table: the policy that answers `yes` or `no` decides at another probability."""

import random
from dataclasses import dataclass

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table


@dataclass(frozen=True)
class Change:
    """One way in which another threshold gets in: the file, what in it is at fault, and the edits that do it."""

    file: str
    object: str
    component: str
    phrase: str
    message: str
    edits: tuple[Edit, ...]


def change(workload: str, kind: str, threshold: float, approved: float) -> Change:
    """Return a change of the policy's file, or of the code that reads it."""
    if kind == "file":
        path = kit_table.policy(workload)
        return Change(
            path,
            "yes_from",
            "serving-runtime",
            f"{path} says yes from {threshold:g} on",
            "Policy: settings for the autumn",
            (
                Edit(path, f"yes_from = {approved}", f"yes_from = {threshold:g}"),
                Edit(path, "# Somebody looks", "# Back office: somebody looks"),
            ),
        )
    path = kit_table.init(workload)
    return Change(
        path,
        "YES_FROM",
        "serving-code",
        f"{path} takes YES_FROM from the environment, {threshold:g} where it is not set, and no longer the policy's file",
        "Policy: let operations override settings",
        (
            Edit(path, "from pathlib import Path\n", "import os\nfrom pathlib import Path\n"),
            Edit(
                path,
                '        super().__init__(Path(__file__).with_name("policy.toml"))\n',
                '        super().__init__(Path(__file__).with_name("policy.toml"))\n'
                f'        self.threshold = float(os.environ.get("YES_FROM", "{threshold:g}"))\n',
            ),
        ),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw where the threshold comes from, and its value."""
    found = kit_table.felt(
        ground, "threshold", must="decision-rate", least=1, what="decision threshold whose change would be noticed"
    )
    reaction, kind = rng.choice(found), rng.choice(("file", "code"))
    threshold, approved = reaction.value, float(ground.threshold or 0.0)
    chosen = change(ground.workload, kind, threshold, approved)
    more = "fewer" if threshold > approved else "more"
    return kit_table.truth(
        rng,
        ground,
        reaction,
        scenario="decision-threshold",
        cause="threshold-mismatch",
        component=chosen.component,
        target=chosen.object,
        aliases=(
            chosen.file, chosen.file.rsplit("/", 1)[1], "yes_from", "decision threshold", "threshold", "policy",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The probabilities are right, but {chosen.phrase}, while {approved:g} was approved with the version; so {more} "
                "rows are answered with yes than the policy means."
            ),
            concepts=(
                ("threshold", "cut-off", "cutoff", "operating point", "yes_from"),
                (
                    "approved threshold", "registered threshold", "version's record", "registry", "registered with",
                    "approved with", "decision_threshold", "record of the version", "approved one",
                ),
            ),
            numbers={"served": threshold, "approved": approved},
        ),
        look_alikes=("class-order-flip", "miscalibration", "label-shift", "covariate-shift", "wrong-alias"),
        discriminating=("decision threshold", "decision yes min_prediction", "decision no max_prediction"),
        supporting=(
            "decision yes share",
            "decision yes window=before share",
            f"registry version={ground.champion} decision_threshold",
            "prediction drift",
            "parity mismatch",
        ),
        remedy=f"Decide at {approved:g} again, the threshold that is registered with version {ground.champion}, and deploy.",
        parameters={"kind": kind, "threshold": threshold, "approved": approved, "file": chosen.file},
    )  # fmt: skip


def chosen_for(truth: Truth) -> Change:
    """Return the change a truth was drawn for."""
    said = truth.parameters
    return change(truth.workload, str(said["kind"]), float(said["threshold"]), float(said["approved"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change."""
    chosen = chosen_for(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))


def approved_threshold(truth: Truth) -> Commit:
    """Undo the change."""
    return kit.mend("Decide at the approved threshold", *kit.inverse(*chosen_for(truth).edits))


def bend_scores(truth: Truth) -> Commit:
    """Move the scores so that the share looks right again, and leave the threshold where it is."""
    factor = float(truth.parameters["threshold"]) / float(truth.parameters["approved"])
    return kit.mend(
        "Recalibrate the scores",
        Edit("serving/app.py", "predictions = [float(value) for", f"predictions = [{factor:g} * float(value) for"),
    )


REFERENCE: Fix = kit.committed(
    "decide at the approved threshold",
    "Probabilities were right all along; now decisions follow from them.",
    approved_threshold,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed("bend the scores", "Right decisions from wrong probabilities.", bend_scores),
    kit_table.roll_back(),
    kit.retrain(),
)
