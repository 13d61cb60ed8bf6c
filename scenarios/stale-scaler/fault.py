"""The scorecard prepares features with the scaler of an old version, and the model that reads them is of a new one."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/credit/scorecard.py"
TRAINING = "training/credit/model.py"
VERSION = 7
"""What the registry calls the next version after its history."""
APPROVED = 5
PREPARED_BY = (1, 3)
"""Versions that a policy review has gone through, and whose preprocessing somebody could think of as the validated one."""
_HEAD = "POSITIVE = 1.0\n"
_IMPORT = "from typing import TYPE_CHECKING, Any\n\nif TYPE_CHECKING:\n"
_INIT = (
    "        self.model = model\n"
    "        # Columns follow the order of the classes in training, which is nobody's promise.\n"
    "        self.column = list(model.get_raw_model().classes_).index(POSITIVE)\n"
)
_PREDICT = "        return self.model.predict(features)[:, self.column]\n"


@dataclass(frozen=True)
class Scaling:
    """What the new version scales by: the class, how it is made, what it does, and its words."""

    name: str
    made: str
    does: str
    words: tuple[str, ...]
    message: str


SCALINGS = {
    "range": Scaling(
        "MinMaxScaler", "MinMaxScaler()", "scales every feature to its range from minimum to maximum",
        ("minmaxscaler", "min-max", "minimum", "maximum", "range"),
        "Scorecard: scale to the range, weights are easier to explain",
    ),
    "percentiles": Scaling(
        "RobustScaler", "RobustScaler(quantile_range=(5.0, 95.0))",
        "scales every feature by the median and by the distance from the 5th to the 95th percentile",
        ("robustscaler", "robust", "median", "percentile", "percentiles", "quantile"),
        "Scorecard: robust scaling, large amounts no longer set the scale",
    ),
    "deciles": Scaling(
        "RobustScaler", "RobustScaler(quantile_range=(10.0, 90.0))",
        "scales every feature by the median and by the distance from the 10th to the 90th percentile",
        ("robustscaler", "robust", "median", "percentile", "percentiles", "quantile", "decile"),
        "Scorecard: scale by deciles, outliers have too much to say",
    ),
}  # fmt: skip


def scaling(truth: Truth) -> Scaling:
    """Return the scaling of the new version."""
    return SCALINGS[str(truth.parameters["scaling"])]


def training(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the recipe, which is right by itself."""
    found = scaling(truth)
    return (
        Edit(TRAINING, "preprocessing import StandardScaler\n", f"preprocessing import {found.name}\n"),
        Edit(TRAINING, '("scale", StandardScaler())', f'("scale", {found.made})'),
    )


def serving(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the scorecard: preprocessing of one version, the estimator of another one."""
    version = truth.parameters["prepared_by"]
    return (
        Edit(FILE, _IMPORT, "from typing import TYPE_CHECKING, Any\n\nfrom mlflow.sklearn import load_model\n\nif TYPE_CHECKING:\n"),
        Edit(
            FILE,
            _HEAD,
            f'PREPARED_BY = {version}\n"""Version whose imputation and scaling are used: those that the committee has reviewed."""\n{_HEAD}',
        ),
        Edit(
            FILE,
            _INIT,
            '        self.prepare = load_model(f"models:/credit/{PREPARED_BY}")[:-1]\n'
            "        self.estimator = model.get_raw_model()[-1]\n"
            "        # Columns follow the order of the classes in training, which is nobody's promise.\n"
            "        self.column = list(self.estimator.classes_).index(POSITIVE)\n",
        ),
        Edit(
            FILE,
            _PREDICT,
            "        ready = self.prepare.transform(features.to_numpy())\n"
            "        return self.estimator.predict_proba(ready)[:, self.column]\n",
        ),
    )  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the scaling of the new version, the version that prepares, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(SCALINGS))
    prepared_by = rng.choice(PREPARED_BY)
    found = SCALINGS[name]
    return Truth(
        scenario="stale-scaler",
        workload="credit",
        seed=seed,
        cause="stale-scaler-statistics",
        component="serving-code",
        object="PREPARED_BY",
        object_aliases=(
            FILE, "scorecard.py", "scorecard", "prepare", "preprocessing", "preprocessor", "scaler", "scaling", found.name,
            "StandardScaler", f"version {prepared_by}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The scorecard prepares features with the fitted imputation and scaling of version {prepared_by}, which subtracts "
                f"means and divides by standard deviations, while the estimator of version {VERSION} was fitted on features of a "
                f"pipeline that {found.does}; so its coefficients meet values on another scale."
            ),
            concepts=(
                ("scaler", "scaling", "scaled", "preprocessing", "preprocessor", "standardscaler", "statistics", *found.words),
                (
                    f"version {prepared_by}", f"v{prepared_by}", "another version", "other version", "older version", "old version",
                    "another run", "other run", "different run", "different runs", "fixed version", "prepared_by",
                ),
                (
                    f"version {VERSION}", f"v{VERSION}", "estimator", "coefficients", "regression", "champion", "served model",
                    "new version", "current version",
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=(
            "class-order-flip", "dependency-version-mismatch", "wrong-alias", "label-shift", "covariate-shift", "miscalibration",
        ),
        supporting=(
            "prediction mean",
            "prediction side=training mean",
            "prediction parity_mismatch",
            "prediction parity_offset",
            "parity mismatch",
            "registry alias=champion version",
            f"registry version={VERSION} promotion",
            f"registry version={VERSION} log_loss",
            f"registry version={APPROVED} log_loss",
            "decision approve share",
            "decision threshold",
            "logs UserWarning",
            "pin serving scikit-learn",
            "pin model scikit-learn",
        ),
        discriminating=("prediction parity_mismatch", f"registry version={VERSION} log_loss"),
        remedy="Let the served version prepare its own features, with the pipeline that it was logged with, and deploy.",
        parameters={
            "scaling": name, "prepared_by": prepared_by, "file": FILE, "version": VERSION, "approved": APPROVED, "does": found.does,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Pin the preprocessing in serving; then train a version that prepares otherwise, and promote it."""
    stack.up(["mlflow"])
    stack.workspace.commit(
        kit.change(truth, "Scorecard: score arrays, with the preprocessing that was reviewed", *serving(truth))
    )
    stack.workspace.commit(kit.change(truth, scaling(truth).message, *training(truth)))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--alias", "champion", "--tag", "promotion=approved", "--tag", f"promoted_on={day}",
        "--tag", "promoted_by=release job", "--tag", "decision=as good as version 5",
    )  # fmt: skip
