"""Numbers as facts give them: rounded, compared, and set against the training reference."""

from collections.abc import Iterable, Sequence

from crashlab import load

TOLERANCE = 1e-6
"""Relative difference under which two transformed values are the same number."""


def number(value: float) -> float:
    """Round to six significant digits, more than any tolerance needs."""
    return float(f"{value:.6g}")


def median(values: Iterable[float]) -> float | None:
    """Return the median, None where there are no values."""
    found = list(values)
    return load.quantile(found, 0.5) if found else None


def given(values: Iterable[float | None]) -> list[float]:
    """Leave out what is unknown."""
    return [value for value in values if value is not None]


def same(left: float | None, right: float | None) -> bool:
    """Say whether two transformed values agree, unknown agreeing with unknown."""
    if left is None or right is None:
        return left is right
    return abs(left - right) <= TOLERANCE * max(1.0, abs(right))


def warm_up() -> None:
    """Import what distances need while there is something else to wait for."""
    import scipy.stats  # noqa: F401 for its cost alone


def distance(current: Sequence[float], reference: Sequence[float]) -> float:
    """Wasserstein distance over the reference's standard deviation, which is what Evidently reports by default.

    See "Data drift" in Evidently's documentation: numerical columns with more than 1000 reference rows.
    """
    import numpy as np
    from scipy.stats import wasserstein_distance

    spread = max(float(np.std(reference)), 0.001)
    return float(wasserstein_distance(current, reference)) / spread
