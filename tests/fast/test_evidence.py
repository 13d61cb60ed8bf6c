from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashlab import evidence, load, production, workload
from crashlab.errors import StackError, UsageError
from crashlab.evidence.features import feature_facts, parity_facts
from crashlab.evidence.figures import distance, same
from crashlab.evidence.observer import Observer, Windows
from crashlab.evidence.predictions import answer_facts, fingerprint_facts, prediction_facts
from crashlab.evidence.requests import busiest
from crashlab.stack.base import Finished
from crashlab.stack.fake import FakeStack

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("registry alias=champion version", "registry alias=champion version"),
        ("[registry version alias=champion]", "registry version alias=champion"),
        ("Feature distance_km side=training null_share", "feature distance_km side=training null_share"),
        ("feature window=before distance_km drift", "feature distance_km window=before drift"),
        ("  latency   p95_ms ", "latency p95_ms"),
    ],
)
def test_selectors_have_one_form(written, key):
    assert evidence.normalise(written) == key


@pytest.mark.parametrize("selector", ["", "[]", "   "])
def test_an_empty_selector_is_refused(selector):
    with pytest.raises(UsageError):
        evidence.normalise(selector)


def test_an_unknown_family_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        evidence.function_for("weather tomorrow")
    assert "registry" in caught.value.hint


def test_parity_of_a_feature_is_answered_by_parity():
    assert evidence.function_for("feature distance_km parity_ratio") is parity_facts
    assert evidence.function_for("feature distance_km mean") is feature_facts


def test_parity_of_predictions_is_answered_apart_from_their_distribution():
    assert evidence.function_for("prediction parity_mismatch") is answer_facts
    assert evidence.function_for("prediction side=training mean") is answer_facts
    assert evidence.function_for("prediction mean") is prediction_facts


@pytest.mark.parametrize(
    ("selector", "subject"),
    [
        ("feature distance_km window=before drift", "feature distance_km"),
        ("category zone=centre side=training code", "category zone=centre"),
        ("raw route_distance_m zone=hills median", "raw route_distance_m"),
        ("latency window=before p95_ms", "latency"),
        ("registry alias=champion version", "registry alias=champion"),
    ],
)
def test_what_a_fact_is_about_is_said_without_its_qualifiers(selector, subject):
    assert evidence.subject(selector) == subject


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(None, None, True), (None, 0.0, False), (1.0, 1.0 + 1e-9, True), (1.0, 1.001, False), (1e9, 1e9 + 1, True)],
)
def test_unknown_agrees_with_unknown_alone(left, right, expected):
    assert same(left, right) is expected


def test_the_distance_of_a_shift_is_the_shift_in_standard_deviations():
    reference = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert distance([x + 2**0.5 for x in reference], reference) == pytest.approx(1.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_a_quantile_lies_between_the_extremes(values, q):
    assert min(values) <= load.quantile(values, q) <= max(values)


def test_a_quantile_is_the_one_of_numpy():
    import numpy as np

    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    for q in (0.0, 0.1, 0.5, 0.95, 1.0):
        assert load.quantile(values, q) == pytest.approx(np.quantile(values, q))


def test_the_busiest_hours_are_found_anywhere():
    start = datetime(2026, 9, 5, tzinfo=UTC)
    quiet = [start + timedelta(hours=hour) for hour in range(48)]
    rush = [start + timedelta(hours=20, minutes=10 * n) for n in range(36)]
    assert busiest(quiet) == 1
    assert busiest(quiet + rush) == 7
    assert busiest([]) == 0


def answered(prediction, version, process):
    at = datetime(2026, 9, 5, 12, tzinfo=UTC)
    return production.Prediction("o1", at, at, {}, {"a": 1.0}, prediction, version, "r", 5.0, None, process)


def observed(stack, rows):
    span = (datetime(2026, 8, 31, tzinfo=UTC), datetime(2026, 9, 4, tzinfo=UTC))
    seen = Observer(stack, workload.load(ROOT, "eta"), Windows(span, span))
    seen.__dict__.update(now=rows, before=[])
    return seen


def test_answers_are_counted_by_version_and_by_process(tmp_path):
    rows = [answered(30.0, 5, 11), answered(32.0, 5, 12), answered(50.0, 7, 12), answered(34.0, 5, 11)]
    facts = prediction_facts(observed(FakeStack(tmp_path), rows))
    assert facts["prediction processes"] == 2
    assert facts["prediction version=5 share"] == 0.75
    assert facts["prediction version=5 mean"] == 32.0
    assert facts["prediction version=7 share"] == 0.25


def test_the_version_that_answers_is_known_by_its_answers(tmp_path):
    stack = FakeStack(tmp_path)
    stack.answers["fingerprint"] = Finished(0, '{"5": 40.0, "6": 30.0}\n{"5": 41.0, "6": 32.0}\n', "")
    facts = fingerprint_facts(observed(stack, [answered(30.0, 5, 11), answered(32.0, 5, 11)]))
    assert facts == {"fingerprint version=5 mismatch": 1.0, "fingerprint version=6 mismatch": 0.0}


def test_without_requests_there_is_no_fingerprint(tmp_path):
    with pytest.raises(StackError):
        fingerprint_facts(observed(FakeStack(tmp_path), []))
