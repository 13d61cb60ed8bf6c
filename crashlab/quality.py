"""Quality metrics over pairs of prediction and outcome. Those that a workload is held to are losses: less is better."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

Pairs = Sequence[tuple[float, float]]
"""Prediction and outcome of each labelled request; for a probability the outcome is 1 or 0."""
Loss = Literal["mae", "log_loss", "brier"]
"""Metrics that a workload can be held to."""
Extra = Literal["bias", "brier", "log_loss", "auc", "event_rate"]
"""Metrics that are measured beside it."""
CLIP = 1e-6
"""Least probability that the log loss believes: an answer of exactly 0 would make it infinite."""


def mae(pairs: Pairs) -> float:
    """Mean absolute error."""
    return sum(abs(prediction - actual) for prediction, actual in pairs) / len(pairs)


def bias(pairs: Pairs) -> float:
    """Mean of prediction minus outcome."""
    return sum(prediction - actual for prediction, actual in pairs) / len(pairs)


def log_loss(pairs: Pairs) -> float:
    """Mean negative log likelihood of the outcomes, in nats."""
    total = 0.0
    for prediction, actual in pairs:
        p = min(max(prediction, CLIP), 1 - CLIP)
        total -= math.log(p if actual else 1 - p)
    return total / len(pairs)


def brier(pairs: Pairs) -> float:
    """Mean squared difference of probability and outcome (Brier, 1950)."""
    return sum((prediction - actual) ** 2 for prediction, actual in pairs) / len(pairs)


def event_rate(pairs: Pairs) -> float:
    """Share of positive outcomes."""
    return sum(actual for _, actual in pairs) / len(pairs)


def auc(pairs: Pairs) -> float:
    """Area under the ROC curve, by mid-ranks (Mann and Whitney, 1947). NaN where one class is missing."""
    ordered = sorted(pairs)
    positives = sum(1 for _, actual in ordered if actual)
    negatives = len(ordered) - positives
    if not positives or not negatives:
        return math.nan
    total, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        # Equal predictions share the mean of their ranks, which count from 1.
        total += (start + end + 1) / 2 * sum(1 for _, actual in ordered[start:end] if actual)
        start = end
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


METRICS: dict[str, Callable[[Pairs], float]] = {
    "mae": mae,
    "bias": bias,
    "log_loss": log_loss,
    "brier": brier,
    "auc": auc,
    "event_rate": event_rate,
}
"""Every metric by name."""
UNITS: dict[str, str] = {
    "mae": "{unit} (mean absolute error)",
    "log_loss": "nats (log loss)",
    "brier": "(Brier score)",
}
"""How an alert names a loss; `unit` is what the workload predicts in."""
