"""What a sentence does with what it mentions."""

import pytest

from grader.phrases import find_any
from grader.reader import read, stems
from grader.status import status
from tests.grader.mutations import FRAMES

ASSERTED = [
    "The root cause was a unit mismatch.",
    "It is not drift but a unit mismatch.",
    "It is not drift, it is a unit mismatch.",
    "This is not only slow, there is a unit mismatch.",
    "The unit mismatch is not just a symptom.",
    "The served distance did not match the training unit because of a unit mismatch.",
    "The cause is a unit mismatch, not drift.",
    "The unit mismatch is not visible in the drift report.",
    "We did not notice the unit mismatch for two days.",
    "No errors were logged, and the unit mismatch stayed silent.",
    "Without any exception, the unit mismatch skewed 80 requests.",
    "The unit mismatch did not raise any error.",
    "Drift was excluded, leaving the unit mismatch.",
    "After we excluded drift, the unit mismatch was proven by the ratio 1.609.",
    "Not a model problem: a unit mismatch in preprocess.py.",
    "The model is unchanged, so the unit mismatch is in serving.",
    "No retraining was needed since the unit mismatch sits in serving.",
    "There is no doubt that a unit mismatch caused it.",
    "Nothing but a unit mismatch explains a constant ratio.",
    "The unit mismatch was not caught by any test.",
    "We found a unit mismatch and no other fault.",
    "Predictions fell because a unit mismatch was deployed at 06:30.",
    "The registry was fine; the unit mismatch was in preprocess.py.",
    "It was the unit mismatch that did it, not the alias.",
]
RULED_OUT = [
    "It was not a unit mismatch.",
    "We ruled out drift, a wrong alias and a unit mismatch.",
    "A unit mismatch was ruled out because parity is 1.0.",
    "Neither drift nor a unit mismatch explains the error.",
    "The incident had nothing to do with a unit mismatch.",
    "It is not the case that a unit mismatch caused this.",
    "Rather than a unit mismatch, we found a wrong alias.",
    "There is no evidence of a unit mismatch.",
    "The unit mismatch did not cause the alert.",
    "The unit mismatch isn't the root cause.",
    "There was no unit mismatch.",
    "Nothing points to a unit mismatch.",
    "I do not think it is a unit mismatch.",
    "A unit mismatch can be excluded, as the ratio is 1.",
    "This was never a unit mismatch.",
    "The ratio of 1.0 speaks against a unit mismatch.",
    "A unit mismatch is out of the question.",
    "The parity of all rows excludes a unit mismatch.",
    "We ruled a wrong alias out and dismissed a unit mismatch.",
    "It is an imputation mismatch, not a unit mismatch.",
    "The problem was unrelated to a unit mismatch.",
    "A unit mismatch had no part in it.",
]
OTHER = [
    ("We first thought of a unit mismatch.", "superseded"),
    ("At first we suspected a unit mismatch, but parity was fine.", "superseded"),
    ("Our initial guess was wrong: our first suspicion was a unit mismatch.", "superseded"),
    ("If there were a unit mismatch, the ratio would be constant.", "hypothetical"),
    ("It might be a unit mismatch.", "hypothetical"),
    ("It is either a unit mismatch or drift.", "hypothetical"),
    ("A unit mismatch cannot be ruled out.", "hypothetical"),
    ("Is it a unit mismatch?", "hypothetical"),
    ("We wondered whether a unit mismatch was there.", "hypothetical"),
    ("To prevent a unit mismatch we add a check.", "preventive"),
    ("A test would have caught the unit mismatch.", "preventive"),
]


def of(text: str) -> set[str]:
    sentences = read(text).sentences
    found = {status(s, span) for s in sentences for span in find_any(("unit mismatch",), stems(s.words))}
    assert found, text
    return {str(each) for each in found}


@pytest.mark.parametrize("text", ASSERTED)
def test_assertions_are_not_taken_for_denials(text: str) -> None:
    assert of(text) == {"asserted"}


@pytest.mark.parametrize("text", RULED_OUT)
def test_denials_are_found(text: str) -> None:
    assert of(text) == {"ruled out"}


@pytest.mark.parametrize(("text", "expected"), OTHER)
def test_suppositions_are_neither(text: str, expected: str) -> None:
    assert of(text) == {expected}


def test_a_list_under_ruled_out_is_ruled_out() -> None:
    assert of("We ruled out:\n\n- a unit mismatch, since the ratio is 1\n- drift\n") == {"ruled out"}
    assert of("We found:\n\n- a unit mismatch, since the ratio is 1.6\n- drift\n") == {"asserted"}


def test_a_section_of_excluded_causes_is_ruled_out() -> None:
    assert of("## Ruled out\n\nA unit mismatch in preprocess.py.\n") == {"ruled out"}


LONG = "the release came on Friday, the tests were green, and with it a unit mismatch went out, so every distance was too small"
"""An account of several clauses, further than the scope of any one of them."""


@pytest.mark.parametrize("frame", FRAMES)
def test_a_denial_reaches_over_every_clause_of_what_it_denies(frame: str) -> None:
    assert "asserted" not in of(frame.format(LONG))


@pytest.mark.parametrize(
    "frame",
    [
        "We found that {}.", "The reason is that {}.", "It turned out that {}.", "The log shows that {}.", "It is clear that {}.",
        "The claim that nothing changed is false: {}.", "Nobody noticed that {}.", "The parity check confirms that {}.",
    ],
)  # fmt: skip
def test_an_assertion_does_so_too(frame: str) -> None:
    assert of(frame.format(LONG)) == {"asserted"}
