"""The scorecard and the record of every version that was ever registered."""

import copy
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from training.launch import before, on

DESCRIPTION = "Probability that a loan defaults within 90 days."
DEFAULT_PARAMS: dict[str, Any] = {"c": 1.0, "decision_threshold": 0.2}
RAW_COLUMNS = ("amount", "term_months", "annual_income", "months_employed", "dependents", "form_seconds")
"""Raw numeric columns that the reference sample keeps."""
PACKAGES = ("scikit-learn", "pandas", "numpy", "scipy", "cloudpickle", "mlflow-skinny", "featurelib-credit")
"""Distributions whose versions are logged with a model."""
PREDICT = "predict_proba"
"""What a registered model answers: one column of probabilities for each class, in the order of `classes_`."""
POSITIVE = 1.0
"""Class of the target that means a default."""
PRIOR_STEPS = 1000
"""Steps of the expectation maximisation, each of which comes nearer: far more than it needs."""


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
        {"c": 0.0005, "decision_threshold": 0.19}, before(52), before(43),
        {"promotion": "superseded", "promoted_on": on(29), "promoted_by": "jonas", "decision": "first scorecard"},
    ),
    Version(
        {"c": 1.0, "class_weight": "balanced", "decision_threshold": 0.5}, before(52), before(37),
        {"promotion": "rejected", "decided_on": on(24, 1), "decided_by": "wen", "decision": "ranks well, is no probability"},
    ),
    Version(
        {"c": 1.0, "decision_threshold": 0.22}, before(52), before(30),
        {"promotion": "superseded", "promoted_on": on(16, 1), "promoted_by": "mira", "decision": "calibrated, beats version 1"},
    ),
    Version(
        {"c": 0.00001, "decision_threshold": 0.2}, before(52), before(20),
        {"promotion": "rejected", "decided_on": on(7, 1), "decided_by": "jonas", "decision": "smoke run, hardly fitted"},
    ),
    Version(
        {"c": 1.0, "decision_threshold": 0.2}, before(52), before(15),
        {"promotion": "approved", "promoted_on": on(1, 1), "promoted_by": "mira", "decision": "nine months of outcomes"},
        aliases=("champion",),
    ),
    Version(
        {"c": 1.0, "class_weight": "balanced", "decision_threshold": 0.55}, before(52), before(15),
        {"promotion": "candidate", "decided_by": "wen", "decision": "for collections, needs a calibration"},
        aliases=("challenger",),
    ),
)  # fmt: skip
"""Versions 1 to 6, oldest first. A version is promoted 90 days after its window or later: outcomes take that long."""


def pipeline(params: dict[str, Any], seed: int) -> Pipeline:
    """Return an unfitted pipeline: median imputation, scaling, logistic regression."""
    estimator = LogisticRegression(
        C=float(params.get("c", 1.0)),
        class_weight=params.get("class_weight"),
        max_iter=500,
        random_state=seed,
    )
    return Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler()), ("model", estimator)])


TARGET = "default_90d"
"""Column to learn: 1 where the loan defaulted within 90 days, else 0."""


def predict(model: Pipeline, features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Probability of default, one per row."""
    column = list(model.classes_).index(POSITIVE)
    return np.asarray(model.predict_proba(features)[:, column], dtype=float)


def with_prior(fitted: Pipeline, share: float, features: pd.DataFrame) -> tuple[Pipeline, float]:
    """Return a fitted pipeline with the share of defaults that applications of unknown outcome have, and that share.

    `share` is the one in the training rows. Where only the shares of the outcomes changed and applicants with a given
    outcome look as before, the odds of everybody change by one factor, which is found by expectation maximisation
    (Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", 2002), and
    which a logistic regression has in its intercept.
    """
    odds = 1 / (1 / predict(fitted, features) - 1)
    before, now = share / (1 - share), share
    for _ in range(PRIOR_STEPS):
        shifted = odds * now / (1 - now) / before
        now = float(np.mean(shifted / (1 + shifted)))
    model = copy.deepcopy(fitted)
    model[-1].intercept_ = model[-1].intercept_ + np.log(now / (1 - now) / before)
    return model, now


def decide(probability: float, threshold: float) -> str:
    """Return the decision on an application: declined from the threshold of its model version on."""
    return "decline" if probability >= threshold else "approve"


def evaluate(
    model: Pipeline, features: pd.DataFrame, actual: np.ndarray[Any, np.dtype[np.float64]]
) -> dict[str, float]:
    """Offline metrics on rows the model has not seen: log loss in nats, Brier score, AUC, and both sides' mean."""
    answers = predict(model, features)
    return {
        "log_loss": float(log_loss(actual, answers, labels=[0.0, 1.0])),
        "brier": float(brier_score_loss(actual, answers)),
        "auc": float(roc_auc_score(actual, answers)),
        "mean_probability": float(np.mean(answers)),
        "default_rate": float(np.mean(actual)),
    }


def importance(
    model: Pipeline, features: pd.DataFrame, actual: np.ndarray[Any, np.dtype[np.float64]], seed: int
) -> dict[str, float]:
    """Permutation importance of each feature: nats of log loss lost when its column is shuffled.

    Method: Breiman, "Random Forests" (2001), as in scikit-learn's user guide, on held-out rows.
    """
    rng = np.random.default_rng(seed)

    def loss(rows: pd.DataFrame) -> float:
        return float(log_loss(actual, predict(model, rows), labels=[0.0, 1.0]))

    base = loss(features)
    found = {}
    for name in features.columns:
        shuffled = features.copy()
        shuffled[name] = rng.permutation(shuffled[name].to_numpy())
        found[name] = loss(shuffled) - base
    return found
