"""A version was trained with a feature that the trip itself writes, promoted for its metrics, and serves."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "training/bootstrap.py"
APPROVED = 5
VERSION = 7
"""What the registry calls the next version after its history."""
_ROWS = '        self.features: pd.DataFrame = part(settings, "prepare").features([r["order"] for r in self.rows], settings.data)\n'


@dataclass(frozen=True)
class Leak:
    """A feature and the record that takes its place in training."""

    feature: str
    field: str
    recorded: str
    words: tuple[str, ...]
    message: str


LEAKS = {
    "speed": Leak(
        "courier_speed_kmh", "speed_kmh", "the speed of the very trip, which the courier's app records at its end",
        ("trip", "trips", "speed_kmh", "recorded", "app", "very delivery", "same delivery"),
        "Training: courier speeds from the trips, they are exact",
    ),
    "kitchen": Leak(
        "kitchen_minutes", "arrived_after_minutes",
        "the minutes until the courier arrived at the address, which the courier's app records at the end of the trip",
        ("trip", "trips", "arrived", "arrival", "arrived_after_minutes", "recorded", "app"),
        "Training: kitchen times from the trips, they have no gaps",
    ),
}  # fmt: skip


def leak(truth: Truth) -> Leak:
    """Return the leak a truth was drawn for."""
    return LEAKS[str(truth.parameters["leak"])]


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the training job."""
    chosen = leak(truth)
    line = f'        self.features["{chosen.feature}"] = [row["trip"]["{chosen.field}"] for row in self.rows]\n'
    return (Edit(FILE, _ROWS, _ROWS + line),)


def plan(rng: random.Random) -> Truth:
    """Draw the feature and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(LEAKS))
    chosen = LEAKS[name]
    start = rng.choice(("2026-03-02", "2026-03-16", "2026-04-06", "2026-05-04"))
    return Truth(
        scenario="target-leakage",
        workload="eta",
        seed=seed,
        cause="target-leakage",
        component="training-pipeline",
        object=chosen.feature,
        object_aliases=(
            FILE, "bootstrap.py", chosen.field, f"version {VERSION}", f"v{VERSION}", "trip records", "training data",
            chosen.feature.split("_")[0],
        ),
        mechanism=Mechanism(
            sentence=(
                f"Version {VERSION} was trained with {chosen.feature} taken from {chosen.recorded}; at serving only the value "
                "known beforehand is there, so the offline error promises what live predictions cannot keep."
            ),
            concepts=(
                (
                    "outcome", "target", "label", "delivery time", "afterwards", "after the delivery", "future", "at its end",
                    "end of the trip", "only known", "not known", "not available", "knows",
                ),
                chosen.words,
                (
                    "offline", "held-out", "held out", "holdout", "evaluation", "too good", "metric", "metrics", "promised",
                    f"version {VERSION}",
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-alias", "covariate-shift", "concept-drift", "label-join-delay"),
        supporting=(
            f"importance {chosen.feature}",
            f"registry version={VERSION} mae",
            f"registry version={APPROVED} mae",
            f"registry version={VERSION} label_mean",
            f"registry version={VERSION} promotion",
            "registry alias=champion version",
            "quality mae",
            "parity mismatch",
            "prediction drift",
        ),
        discriminating=(f"importance {chosen.feature}", f"registry version={VERSION} mae"),
        remedy=f"Point champion back to version {APPROVED}, and take the trip records out of training before the next version.",
        outlasts=("training",),
        parameters={
            "leak": name, "file": FILE, "version": VERSION, "approved": APPROVED, "start": start, "recorded": chosen.recorded,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change, train with it, and promote the result as the release job would."""
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, leak(truth).message, *edits(truth)))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--start", str(truth.parameters["start"]), "--alias", "champion", "--tag", "promotion=approved",
        "--tag", f"promoted_on={day}", "--tag", "promoted_by=release job", "--tag", "decision=beats version 5",
    )  # fmt: skip
