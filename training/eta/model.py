"""The model and the record of every version that was ever registered."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from training.launch import before, on

DESCRIPTION = "Minutes from order to door."
DEFAULT_PARAMS: dict[str, Any] = {"kind": "boosting"}
RAW_COLUMNS = ("route_distance_m", "temperature_c", "kitchen_seconds", "items", "basket_value")
"""Raw numeric columns that the reference sample keeps."""
PACKAGES = ("scikit-learn", "pandas", "numpy", "scipy", "cloudpickle", "mlflow-skinny", "featurelib")
"""Distributions whose versions are logged with a model."""

PREDICT = "predict"
"""What a registered model answers: minutes."""


@dataclass(frozen=True)
class Version:
    """A registered version: how it was trained, and what was decided about it."""

    params: dict[str, Any]
    start: date
    end: date
    tags: dict[str, str]
    aliases: tuple[str, ...] = ()


HISTORY: tuple[Version, ...] = (
    Version(
        {"kind": "ridge"}, before(26), before(20),
        {"promotion": "superseded", "promoted_on": on(20, 1), "promoted_by": "mira", "decision": "first model"},
    ),
    Version(
        {"kind": "boosting", "loss": "quantile", "quantile": 0.1}, before(26), before(16),
        {"promotion": "rejected", "decided_on": on(16, 2), "decided_by": "mira", "decision": "best case only"},
    ),
    Version(
        {"kind": "boosting"}, before(26), before(13),
        {"promotion": "superseded", "promoted_on": on(13, 1), "promoted_by": "jonas", "decision": "beats version 1"},
    ),
    Version(
        {"kind": "boosting", "max_iter": 6}, before(26), before(8),
        {"promotion": "rejected", "decided_on": on(8, 1), "decided_by": "jonas", "decision": "smoke run, six trees"},
    ),
    Version(
        {"kind": "boosting"}, before(26), before(1),
        {"promotion": "approved", "promoted_on": on(1, 1), "promoted_by": "mira", "decision": "beats version 3"},
        aliases=("champion",),
    ),
    Version(
        {"kind": "boosting", "loss": "quantile", "quantile": 0.92}, before(26), before(1),
        {"promotion": "candidate", "decided_by": "jonas", "decision": "late-by promise, needs a product decision"},
        aliases=("challenger",),
    ),
)  # fmt: skip
"""Versions 1 to 6, oldest first."""


def pipeline(params: dict[str, Any], seed: int) -> Pipeline:
    """Return an unfitted pipeline: median imputation, then the estimator that `params` names."""
    imputer = ("impute", SimpleImputer(strategy="median"))
    if params.get("kind") == "ridge":
        return Pipeline([imputer, ("scale", StandardScaler()), ("model", Ridge(alpha=1.0))])
    estimator = HistGradientBoostingRegressor(
        loss=params.get("loss", "squared_error"),
        quantile=params.get("quantile"),
        max_iter=int(params.get("max_iter", 150)),
        learning_rate=float(params.get("learning_rate", 0.12)),
        max_leaf_nodes=int(params.get("max_leaf_nodes", 24)),
        min_samples_leaf=20,
        random_state=seed,
    )
    return Pipeline([imputer, ("model", estimator)])


def corrected(fitted: Pipeline, features: pd.DataFrame, actual: np.ndarray[Any, np.dtype[np.float64]]) -> Pipeline:
    """Return a fitted pipeline whose answers are corrected by a ridge regression on recent rows.

    The regression sees the answer and the features, as in stacking (Wolpert, "Stacked Generalization", 1992) with one
    base model that stays as it is. It has few coefficients, so a few hundred rows are enough for it.
    """
    before = fitted[:-1]
    stack = StackingRegressor(
        [("base", FrozenEstimator(fitted[-1]))],
        final_estimator=make_pipeline(StandardScaler(), Ridge(alpha=1.0)),
        cv="prefit",
        passthrough=True,
    )
    stack.fit(before.transform(features), actual)
    return Pipeline([("prepare", before), ("model", stack)])


TARGET = "delivery_minutes"
"""Column to learn: minutes from order to door."""


def predict(model: Pipeline, features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Minutes to the door, one per row."""
    return np.asarray(model.predict(features), dtype=float)


def evaluate(
    model: Pipeline, features: pd.DataFrame, actual: np.ndarray[Any, np.dtype[np.float64]]
) -> dict[str, float]:
    """Offline metrics in minutes on rows the model has not seen, against the time to the door."""
    error = predict(model, features) - actual
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(np.mean(error)),
        "p90_abs_error": float(np.quantile(np.abs(error), 0.9)),
    }


def importance(
    model: Pipeline, features: pd.DataFrame, actual: np.ndarray[Any, np.dtype[np.float64]], seed: int
) -> dict[str, float]:
    """Permutation importance of each feature: minutes of mean absolute error lost when its column is shuffled.

    Method: Breiman, "Random Forests" (2001), as in scikit-learn's user guide, on held-out rows.
    """
    rng = np.random.default_rng(seed)
    base = float(np.mean(np.abs(predict(model, features) - actual)))
    found = {}
    for name in features.columns:
        shuffled = features.copy()
        shuffled[name] = rng.permutation(shuffled[name].to_numpy())
        found[name] = float(np.mean(np.abs(predict(model, shuffled) - actual))) - base
    return found
