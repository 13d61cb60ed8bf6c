"""How often an event happens now, told from scores alone, and whether that explains what else has moved.

Both go by the assumption of label shift: the share of events changed, and requests with a given outcome look as before.
"""

from collections.abc import Sequence

STEPS = 500
"""Steps of the expectation maximisation, each of which comes nearer."""
SURE = 1e-6
"""A score of exactly 0 or 1 could not be moved by any prior."""


def event_rate(scores: Sequence[float], share: float) -> float:
    """Estimate the share of events among requests from their scores, probabilities that go by the share `share`.

    Method: expectation maximisation of Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a
    priori probabilities: a simple procedure" (2002).
    """
    import numpy as np

    held = np.clip(np.asarray(scores, dtype=float), SURE, 1 - SURE)
    odds, before = held / (1 - held), share / (1 - share)
    now = share
    for _ in range(STEPS):
        shifted = odds * now / (1 - now) / before
        now = float(np.clip(np.mean(shifted / (1 + shifted)), SURE, 1 - SURE))
    return now


def unexplained(now: Sequence[float], labelled: Sequence[tuple[float, float]], share: float) -> float:
    """Distance of a column from what it was, once earlier rows are weighted so that events have the share `share`.

    `labelled` are earlier values with their outcome, 1 or 0, of both kinds. The distance is the one of drift: Wasserstein's
    over the standard deviation of the earlier values. Near 0 where another share of events is all that changed.
    """
    import numpy as np
    from scipy.stats import wasserstein_distance

    values = np.array([value for value, _ in labelled], dtype=float)
    events = np.array([actual > 0 for _, actual in labelled])
    weights = np.where(events, share / events.mean(), (1 - share) / (1 - events.mean()))
    spread = max(float(np.std(values)), 0.001)
    return float(wasserstein_distance(now, values, v_weights=weights)) / spread
