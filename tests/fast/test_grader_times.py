"""Points in time, their order, and durations; numbers in prose; causes that act together."""

from typing import Any

import pytest

from crashlab.model import Contributing, Mechanism
from grader import grade
from grader.times import disorder, moments, span_minutes, stated_minutes
from tests.fast import grader_fixtures as fixtures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- 09:05 a\n- 09:31 b\n- 10:20 c", None),
        ("- 09:31 a\n- 09:05 b", "09:05"),
        ("- 23:50 a\n- 00:10 b\n- 01:00 c", None),
        ("- 2026-09-05 06:30 a\n- 2026-09-07 09:00 b", None),
        ("- 2026-09-07 09:00 a\n- 2026-09-05 06:30 b", "2026-09-05 06:30"),
        ("- 5 Sep 06:30 a\n- 7 Sep 05:00 b", None),
        ("- T+5 a\n- T+20 b\n- T+10 c", "T+10"),
        ("- Saturday 06:30 a\n- Monday 05:00 b", None),
        ("At 99:99 nothing is a time, and neither is 1.5.", None),
    ],
)  # fmt: skip
def test_order(text: str, expected: str | None) -> None:
    wrong = disorder(moments(text))
    assert (wrong[1].text if wrong else None) == expected


def test_durations() -> None:
    assert stated_minutes("for 45 minutes") == 45
    assert stated_minutes("for about two hours") == 120
    assert stated_minutes("no duration") is None
    assert span_minutes("from 09:10 to 10:45") == 95
    assert span_minutes("from 23:30 until 00:15") == 45
    assert span_minutes("from 2026-09-05 06:30 until 2026-09-06 06:30") == 1440


def points(text: str, item: str, **changes: Any) -> float:
    verdict = grade(fixtures.bundle("unit-mismatch", text, **changes))
    return next(each.points or 0.0 for each in verdict.items if each.id == item)


def test_a_window_of_another_year_is_not_this_incidents() -> None:
    text = fixtures.right_answer("unit-mismatch")
    assert points(text, "impact") == 1
    assert (
        points(text.replace("2026-09-05 06:30 UTC until 2026-09-07", "2026-03-05 06:30 UTC until 2026-03-07"), "impact")
        == 0.5
    )


def test_a_timeline_out_of_order_is_worth_half() -> None:
    text = fixtures.right_answer("unit-mismatch").replace(
        "2026-09-05 09:10 UTC: the alert", "2026-09-04 09:10 UTC: the alert"
    )
    assert points(text, "timeline") == 0.5


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("The p95 rose to 912 ms.", True),
        ("The p95 is 34 ms as before.", False),
        ("The importance of distance_km is 0.71.", False),
        ("The importance of distance_km is 0.12.", True),
        ("The drift of distance_km is 0.61.", False),
        ("The drift of distance_km is 3.7.", True),
        ("Serving runs pandas 2.3.3.", False),
        ("Serving runs pandas 1.5.3.", True),
        ("Serving runs pandas 2.3.", False),
    ],
)
def test_numbers_in_prose_are_checked(sentence: str, wrong: bool) -> None:
    text = fixtures.right_answer("unit-mismatch").replace("## Evidence\n", f"## Evidence\n{sentence}\n")
    notes = grade(fixtures.bundle("unit-mismatch", text)).notes
    assert any(sentence[:20] in note for note in notes) == wrong


def test_two_causes_have_both_to_be_named_and_either_may_lead() -> None:
    second = Contributing(
        cause="memory-leak",
        component="serving-runtime",
        object="recent_orders",
        mechanism=Mechanism(sentence="A list of recent orders grows without bound.", concepts=(("list",), ("grows",))),
    )
    together = {"contributing": (second,)}
    text = fixtures.right_answer("unit-mismatch")
    assert not grade(fixtures.bundle("unit-mismatch", text, truth=together)).passed
    assert points(text, "cause", truth=together) == pytest.approx(15)
    both = text.replace("\n---\n", "\ncontributing: [memory-leak]\n---\n", 1)
    assert points(both, "cause", truth=together) == 30
    assert grade(fixtures.bundle("unit-mismatch", both, truth=together)).passed
    assert points(both, "cause") == 15
    other = "cause: memory-leak\ncontributing: [unit-mismatch]\ncomponent: serving-runtime\nobject: recent_orders"
    led = f"---\n{other}\n---\n" + both.split("---\n", 2)[2].replace(
        "## Root cause\n",
        "## Root cause\nThe list recent_orders of the server process grows by 3 MB an hour, a memory leak.\n",
    )
    assert points(led, "component", truth=together) == 5
    assert points(led, "object", truth=together) == 5


def test_nothing_of_the_truth_is_told_before_the_end() -> None:
    from grader import render_html, reveal_text

    head = "cause: concept-drift\ncomponent: upstream-data\nobject: temperature_c"
    text = fixtures.postmortem(
        head, "\n## Root cause\nThe concept drift of the temperature changed predictions by 2.\n"
    )
    bundle = fixtures.bundle("unit-mismatch", text)
    verdict = grade(bundle)
    page = render_html(verdict, bundle, reveal=False, reference="the secret reference")
    for secret in ("unit-mismatch", "unit mismatch", "miles", "1.609", "the secret reference", bundle.truth.remedy):
        assert secret not in page.lower()
    opened = render_html(verdict, bundle, reveal=True, reference="the secret <reference>")
    assert "the secret &lt;reference&gt;" in opened
    assert bundle.truth.mechanism.sentence in opened.replace("&#39;", "'")
    told = reveal_text(verdict, bundle, "the secret reference")
    assert "the secret reference" in told
    assert "How it came about" in told
