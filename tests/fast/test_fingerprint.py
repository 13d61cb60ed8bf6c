"""Whether the version that is said to serve gives the answers, whatever features it is given."""

from datetime import UTC, datetime

import pytest

from crashlab.hidden import _fingerprint
from crashlab.model import ProbeRow
from crashlab.production import Prediction
from crashlab.stack.base import Finished
from crashlab.stack.fake import FakeStack

AT = datetime(2026, 9, 5, tzinfo=UTC)


def row(key: str, expected: float, observed: float | None) -> ProbeRow:
    return ProbeRow(key=key, expected=expected, observed=observed, actual=30, touched=True)


def logged(key: str) -> Prediction:
    return Prediction(key, AT, AT, {}, {"a": 1.0}, 0.0, 5, "r", 1.0)


@pytest.fixture
def stack(tmp_path):
    return FakeStack(tmp_path, answers={"fingerprint": Finished(0, '{"5": 24.0}\n', "")})


def test_without_a_skew_the_answers_are_compared_with_the_training_sides(stack):
    rows = [row("a", 20, 20), row("b", 21, None)]
    assert _fingerprint(stack, 5, rows, {}, skewed=False, thorough=True) is True
    assert _fingerprint(stack, 5, [row("a", 20, 24)], {}, skewed=False, thorough=True) is False
    assert not stack.calls


def test_a_skew_is_no_other_version(stack):
    known = {"a": logged("a")}
    assert _fingerprint(stack, 5, [row("a", 20, 24)], known, skewed=True, thorough=True) is True
    assert _fingerprint(stack, 5, [row("a", 20, 25)], known, skewed=True, thorough=True) is False
    assert _fingerprint(stack, 6, [row("a", 20, 24)], known, skewed=True, thorough=True) is False


def test_what_is_not_worth_a_job_is_not_known(stack):
    assert _fingerprint(stack, 5, [row("a", 20, 24)], {"a": logged("a")}, skewed=True, thorough=False) is None
    assert _fingerprint(stack, 5, [row("a", 20, 24)], {}, skewed=True, thorough=True) is None
    assert not stack.calls


def test_no_answer_is_no_fingerprint(stack):
    assert _fingerprint(stack, 5, [row("a", 20, None)], {}, skewed=False, thorough=True) is False
