"""An incident with two faults at once: both have to be declared, in either order, and no third one."""

from typing import Any

import pytest

from crashlab.model import Contributing, Mechanism, Verdict
from grader import grade
from tests.fast import grader_fixtures as fixtures

SECOND = Contributing(
    cause="event-loop-blocking",
    component="serving-code",
    object="predict",
    object_aliases=("serving/app.py",),
    mechanism=Mechanism(
        sentence="The handler predict is async and waits on the event loop.",
        concepts=(("event loop",), ("blocks", "blocking"), ("async",)),
    ),
)
ALSO = (
    "\nIndependently, the async handler `predict` makes a blocking call on the event loop, so that /health waits too.\n"
)


def verdict(declared: str, *, beside: str = "[event-loop-blocking]", also: str = ALSO, **truth: Any) -> Verdict:
    """Grade the right answer to unit-mismatch with another claim, on an incident with a second fault."""
    _, head, body = fixtures.right_answer("unit-mismatch").split("---\n", 2)
    lines = [line for line in head.strip().splitlines() if not line.startswith(("contributing", "ruled_out"))]
    head = "\n".join([line if not line.startswith("cause") else f"cause: {declared}" for line in lines])
    body = body.replace("## Evidence", f"{also}\n## Evidence", 1)
    text = fixtures.postmortem(f"{head}\ncontributing: {beside}", body)
    return grade(fixtures.bundle("unit-mismatch", text, truth={"contributing": (SECOND,)} | truth))


def points(found: Verdict, item: str) -> float:
    return next(each.points or 0.0 for each in found.items if each.id == item)


def test_both_causes_get_all_points():
    found = verdict("unit-mismatch")
    assert found.passed
    assert points(found, "cause") == 30


def test_either_cause_may_lead():
    found = verdict("event-loop-blocking", beside="[unit-mismatch]")
    assert points(found, "cause") == 30


def test_half_the_truth_does_not_pass():
    found = verdict("unit-mismatch", beside="[]", also="")
    assert points(found, "cause") == 15
    assert not found.passed


def test_a_third_cause_costs_points():
    assert points(verdict("unit-mismatch", beside="[event-loop-blocking, wrong-alias]"), "cause") == 15


def test_a_second_cause_that_is_none_costs_points_where_there_is_one():
    found = verdict("unit-mismatch", contributing=())
    assert points(found, "cause") < 30


@pytest.mark.parametrize("beside", ["[]", "[wrong-alias]"])
def test_advice_does_not_name_the_second_fault(beside):
    found = verdict("unit-mismatch", beside=beside, also="")
    own = " ".join(f"{item.observed} {item.improve}" for item in found.items).lower()
    assert "event-loop-blocking" not in own
    assert "serving/app.py" not in own
