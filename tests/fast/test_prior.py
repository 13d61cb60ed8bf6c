"""Priors: what scores alone say of the share of events, and whether that explains what moved."""

import numpy as np
import pytest

from crashlab import prior


def scored(share, count=4000, seed=1):
    """Values of one column and outcomes of a world with a share of events, and the scores that go by a share of 0.2."""
    rng = np.random.default_rng(seed)
    events = rng.random(count) < share
    values = rng.normal(np.where(events, 1.0, 0.0))
    odds = np.exp(values - 0.5) * 0.2 / 0.8
    return values, events.astype(float), odds / (1 + odds)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.8])
def test_the_share_of_events_is_told_from_scores(share):
    assert prior.event_rate(scored(share)[2], 0.2) == pytest.approx(share, abs=0.03)


def test_certain_scores_stay_what_they_are():
    assert prior.event_rate([0.0, 1.0, 1.0, 1.0], 0.2) == pytest.approx(0.75, abs=1e-3)


def test_another_share_of_events_explains_a_shift_of_a_column_and_nothing_else_does():
    before, actual, _ = scored(0.2)
    labelled = list(zip(before.tolist(), actual.tolist(), strict=True))
    moved, _, scores = scored(0.7, seed=2)
    share = prior.event_rate(scores, 0.2)
    assert prior.unexplained(moved, labelled, 0.2) > 0.4
    assert prior.unexplained(moved, labelled, share) < 0.1
    assert prior.unexplained(before - 0.5, labelled, share) > 0.5
    assert prior.unexplained(3 * before, labelled, share) > 0.5
