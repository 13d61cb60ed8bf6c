"""Models of a table's target and the record of every version that was ever registered."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, roc_auc_score, root_mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.launch import before, on
from training.table import schema as schemas

POSITIVE = 1.0
"""Outcome that stands for the schema's positive class; every other class is 0."""
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Version:
    """A registered version: how it was trained, and what was decided about it."""

    params: dict[str, Any]
    start: date
    end: date
    tags: dict[str, str]
    aliases: tuple[str, ...] = ()


def history(kind: str, threshold: dict[str, float]) -> tuple[Version, ...]:
    """Return versions 1 to 6, oldest first, with `kind` as the champion's. `threshold` is empty for a regression."""
    other = "boosting" if kind == "linear" else "linear"
    start = before(26)
    return (
        Version(
            {"kind": "mean", **threshold}, start, before(18),
            {"promotion": "superseded", "promoted_on": on(18, 1), "promoted_by": "mira", "decision": "the mean, to begin with"},
        ),
        Version(
            {"kind": kind, "shrink": 50.0, **threshold}, start, before(14),
            {"promotion": "rejected", "decided_on": on(14, 2), "decided_by": "mira", "decision": "shrunk too far"},
        ),
        Version(
            {"kind": kind, **threshold}, start, before(11),
            {"promotion": "superseded", "promoted_on": on(11, 1), "promoted_by": "jonas", "decision": "beats version 1"},
        ),
        Version(
            {"kind": "high", **threshold}, start, before(8),
            {"promotion": "rejected", "decided_on": on(8, 1), "decided_by": "jonas", "decision": "smoke run of the job"},
        ),
        Version(
            {"kind": kind, **threshold}, start, before(0),
            {"promotion": "approved", "promoted_on": on(0, 1), "promoted_by": "mira", "decision": "more data than version 3"},
            aliases=("champion",),
        ),
        Version(
            {"kind": other, **threshold}, start, before(0),
            {"promotion": "candidate", "decided_by": "jonas", "decision": "to be compared"},
            aliases=("challenger",),
        ),
    )  # fmt: skip


class Part:
    """Model, record and metrics of one workload."""

    PACKAGES = ("scikit-learn", "pandas", "numpy", "scipy", "cloudpickle", "mlflow-skinny")
    HOLDOUT_DAYS = 42
    """A table's past is thin: a quarter of it, and not a week, is what versions are evaluated on."""

    def __init__(self, workload: str) -> None:
        self.schema = schemas.load(workload)
        self.classifies = self.schema.task == "classification"
        threshold = {"decision_threshold": self.schema.threshold} if self.classifies else {}
        self.HISTORY = history(self.schema.kind, threshold)
        self.DEFAULT_PARAMS: dict[str, Any] = {"kind": self.schema.kind, **threshold}
        self.PREDICT = "predict_proba" if self.classifies else "predict"
        self.RAW_COLUMNS = tuple(column.name for column in self.schema.columns if not column.levels)
        self.TARGET = self.schema.target
        what = f"Probability that {self.TARGET} is {self.schema.positive}." if self.classifies else f"{self.TARGET}."
        self.DESCRIPTION = what
        if self.classifies:
            # Only what decides has this name: a service without a threshold asks for none.
            self.decide = decide

    Version = Version

    def pipeline(self, params: dict[str, Any], seed: int) -> Pipeline:
        """Return an unfitted pipeline: median imputation, scaling and one-hot codes, then the estimator of `params`."""
        numbers = [column.name for column in self.schema.columns if not column.levels]
        names = [column.name for column in self.schema.columns if column.levels]
        number = Pipeline(
            [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
        )
        filled = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
        category = Pipeline([("impute", filled), ("code", OneHotEncoder(handle_unknown="ignore", sparse_output=False))])
        columns = ColumnTransformer([("numbers", number, numbers), ("categories", category, names)])
        return Pipeline([("columns", columns), ("model", self._estimator(params, seed))])

    def _estimator(self, params: dict[str, Any], seed: int) -> Any:
        kind, shrink = params.get("kind", self.schema.kind), float(params.get("shrink", 1.0))
        if kind in ("mean", "high"):
            if self.classifies:
                return DummyClassifier(strategy="prior")
            return DummyRegressor(strategy="mean" if kind == "mean" else "quantile", quantile=0.9)
        if kind == "linear":
            if self.classifies:
                return LogisticRegression(C=0.3 / shrink**2, max_iter=2000, random_state=seed)
            return Ridge(alpha=3.0 * shrink)
        boosting = HistGradientBoostingClassifier if self.classifies else HistGradientBoostingRegressor
        return boosting(max_iter=max(3, int(120 / shrink)), learning_rate=0.08, min_samples_leaf=10, random_state=seed)

    def predict(self, model: Pipeline, features: pd.DataFrame) -> Numbers:
        """Predicted values, or probabilities of the positive class, one per row."""
        if not self.classifies:
            return np.asarray(model.predict(features), dtype=float)
        column = list(model.classes_).index(POSITIVE)
        return np.asarray(model.predict_proba(features)[:, column], dtype=float)

    def evaluate(self, model: Pipeline, features: pd.DataFrame, actual: Numbers) -> dict[str, float]:
        """Offline metrics on rows the model has not seen."""
        answers = self.predict(model, features)
        if not self.classifies:
            return {
                "mae": float(mean_absolute_error(actual, answers)),
                "rmse": float(root_mean_squared_error(actual, answers)),
                "bias": float(np.mean(answers - actual)),
            }
        found = {
            "log_loss": float(log_loss(actual, np.clip(answers, 1e-6, 1 - 1e-6), labels=[0.0, 1.0])),
            "brier": float(brier_score_loss(actual, answers, labels=[0.0, 1.0])),
            "event_rate": float(np.mean(actual)),
        }
        return {**found, "auc": float(roc_auc_score(actual, answers))} if len(set(actual)) > 1 else found

    def importance(self, model: Pipeline, features: pd.DataFrame, actual: Numbers, seed: int) -> dict[str, float]:
        """Permutation importance of each feature: absolute error, or Brier score, lost when its column is shuffled.

        Method: Breiman, "Random Forests" (2001), as in scikit-learn's user guide, on held-out rows.
        """
        rng = np.random.default_rng(seed)

        def loss(rows: pd.DataFrame) -> float:
            error = self.predict(model, rows) - actual
            return float(np.mean(error**2 if self.classifies else np.abs(error)))

        base = loss(features)
        found = {}
        for name in features.columns:
            shuffled = features.copy()
            shuffled[name] = rng.permutation(shuffled[name].to_numpy())
            found[name] = loss(shuffled) - base
        return found


def decide(probability: float, threshold: float) -> str:
    """Return the decision on a row: `yes` from the threshold of its model version on."""
    return "yes" if probability >= threshold else "no"
