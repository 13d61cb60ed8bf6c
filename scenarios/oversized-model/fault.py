"""A version with a hundred times the trees is promoted for a slightly better error, and takes too long to evaluate."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "training/eta/model.py"
APPROVED = 5
VERSION = 7
"""What the registry calls the next version after its history."""
TREES = 150
"""Trees of the version before."""


@dataclass(frozen=True)
class Growth:
    """A change of the training job that makes the model larger: what is set, what it comes to in trees, and the edits."""

    setting: str
    trees: int
    phrase: str
    message: str
    edits: tuple[Edit, ...]


def growth(kind: str, size: int) -> Growth:
    """Return one way to make the model larger: `size` is its number of trees, or of models that are averaged."""
    if kind == "rounds":
        return Growth(
            "max_iter",
            size,
            f"{size} boosting rounds at a small learning rate",
            "Training: small steps, and as many of them as it takes",
            (
                Edit(FILE, 'params.get("max_iter", 150)', f'params.get("max_iter", {size})'),
                Edit(FILE, 'params.get("learning_rate", 0.12)', f'params.get("learning_rate", {60 / size:.2g})'),
                Edit(FILE, 'params.get("max_leaf_nodes", 24)', 'params.get("max_leaf_nodes", 8)'),
            ),
        )
    return Growth(
        "n_estimators",
        size * TREES,
        f"an average of {size} boosted models",
        f"Training: an average of {size} models is steadier than one",
        (
            Edit(
                FILE,
                "from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor\n",
                "from sklearn.ensemble import BaggingRegressor, HistGradientBoostingRegressor, StackingRegressor\n",
            ),
            Edit(
                FILE,
                '    return Pipeline([imputer, ("model", estimator)])\n',
                f"    average = BaggingRegressor(estimator, n_estimators={size}, random_state=seed)\n"
                '    return Pipeline([imputer, ("model", average)])\n',
            ),
            Edit(FILE, 'params.get("max_leaf_nodes", 24)', 'params.get("max_leaf_nodes", 12)'),
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw what makes the model larger, by how much, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(("rounds", "average"))
    size = rng.choice((34_000, 38_000, 42_000) if kind == "rounds" else (52, 58, 64))
    chosen = growth(kind, size)
    return Truth(
        scenario="oversized-model",
        workload="eta",
        seed=seed,
        cause="oversized-model",
        component="training-pipeline",
        object=chosen.setting,
        object_aliases=(
            FILE, "model.py", f"version {VERSION}", f"v{VERSION}", "number of trees", "trees", "boosting rounds",
            "averaged models", "champion",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Version {VERSION} was trained as {chosen.phrase}, {chosen.trees} trees instead of {TREES}, so evaluating it takes "
                "longer than a request may."
            ),
            concepts=(
                (
                    "trees", "rounds", "iterations", "max_iter", "n_estimators", "estimators", "averaged models",
                    "average of", "ensemble", "bagging",
                ),
                (f"version {VERSION}", f"v{VERSION}", "new version", "new champion", "promoted", "promotion"),
                (
                    "evaluate", "evaluates", "evaluating", "evaluation", "evaluated", "predict", "compute", "computing", "larger",
                    "size", "mb", "times the trees", "processor time",
                ),
            ),
            numbers={"size": float(size), "trees": float(chosen.trees)},
        ),
        # Late, as every slow request of the replay has to be waited for.
        onset=kit.onset(rng, 34, 40),
        look_alikes=("thread-oversubscription", "per-request-model-load", "event-loop-blocking", "capacity-shortage"),
        supporting=(
            f"registry version={VERSION} size_mb",
            f"registry version={APPROVED} size_mb",
            f"registry version={VERSION} mae",
            "registry alias=champion version",
            "usage serving threads",
            "latency p95_ms",
            "latency p50_ms",
            "latency window=before p95_ms",
            "quality mae",
        ),
        discriminating=(f"registry version={VERSION} size_mb",),
        remedy=f"Point champion back to version {APPROVED}, and bound the size of what the training job makes in {FILE}.",
        parameters={
            "kind": kind, "size": size, "trees": chosen.trees, "phrase": chosen.phrase, "file": FILE, "version": VERSION,
            "approved": APPROVED, "before": TREES,
        },
    )  # fmt: skip


def chosen(truth: Truth) -> Growth:
    """Return the change that a truth was drawn for."""
    return growth(str(truth.parameters["kind"]), int(truth.parameters["size"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change, train with it, and promote the result as the release job would."""
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, chosen(truth).message, *chosen(truth).edits))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--end", kit.day(truth, "2026-08-24"), "--alias", "champion", "--tag", "promotion=approved",
        "--tag", f"promoted_on={day}", "--tag", "promoted_by=release job", "--tag", "decision=beats version 5",
    )  # fmt: skip
