"""A version was trained on outcomes that were read too early, promoted for its metrics, and serves."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "training/bootstrap.py"
APPROVED = 5
VERSION = 7
"""What the registry calls the next version after its history."""
WAITS = (24, 26, 28, 30, 32, 34)
"""Minutes after the order at which outcomes are read; half of the orders are still under way then."""


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the training job."""
    wait = float(truth.parameters["wait"])
    return (
        Edit(
            FILE,
            "class History:",
            f'READ_AFTER = {wait}\n"""Minutes after an order at which its outcome is read; one that is under way counts with the '
            'minutes so far."""\n\n\nclass History:',
        ),
        Edit(
            FILE,
            'np.array([row["actual"] for row in self.rows], dtype=float)',
            'np.array([min(row["actual"], READ_AFTER) for row in self.rows], dtype=float)',
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the wait and the onset."""
    seed = rng.randrange(2**31)
    wait = rng.choice(WAITS)
    return Truth(
        scenario="label-join-delay",
        workload="eta",
        seed=seed,
        cause="label-join-delay",
        component="training-pipeline",
        object="labels",
        object_aliases=(
            FILE, "bootstrap.py", "READ_AFTER", "outcomes", "delivery_minutes", "training labels", "label join",
            f"version {VERSION}", f"v{VERSION}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The training job reads outcomes {wait} minutes after the order; deliveries that are still under way count "
                f"with the {wait} minutes so far, so version {VERSION} learned that nothing takes longer."
            ),
            concepts=(
                ("label", "labels", "outcome", "outcomes"),
                (
                    "too early", "before they", "not arrived", "not yet", "still under way", "under way", "on their way",
                    "unfinished", "immature", "not matured", "censored", "so far", "delay", "delayed", "early",
                ),
                (
                    "short", "shorter", "too short", "cut", "capped", "cap", "at most", "never longer", "nothing takes longer",
                    "longest", "largest label", "maximum", f"{wait} minutes",
                ),
            ),
            numbers={"wait": float(wait)},
        ),
        onset=kit.onset(rng),
        look_alikes=("target-leakage", "wrong-alias", "label-shift", "concept-drift"),
        supporting=(
            f"registry version={VERSION} label_max",
            f"registry version={VERSION} label_mean",
            f"registry version={APPROVED} label_max",
            f"registry version={APPROVED} label_mean",
            f"registry version={VERSION} mae",
            f"registry version={VERSION} promotion",
            "registry alias=champion version",
            "quality label_max",
            "quality label_mean",
            "quality bias",
            "quality mae",
            "parity mismatch",
            "prediction drift",
        ),
        discriminating=(f"registry version={VERSION} label_max", f"registry version={VERSION} label_mean"),
        remedy=(
            f"Point champion back to version {APPROVED}, and let the training job take outcomes only of orders that were "
            "delivered, before the next version."
        ),
        outlasts=("training",),
        parameters={"wait": wait, "file": FILE, "version": VERSION, "approved": APPROVED},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change, train with it, and promote the result as the release job would."""
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, "Training: fresher outcomes", *edits(truth)))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--alias", "champion", "--tag", "promotion=approved", "--tag", f"promoted_on={day}",
        "--tag", "promoted_by=release job", "--tag", "decision=beats version 5",
    )  # fmt: skip
