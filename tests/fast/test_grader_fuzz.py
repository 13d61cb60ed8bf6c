"""Whatever is handed in, the grader answers with a verdict, in bounds, the same one each time."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crashlab.model import Verdict
from grader import grade, render_html
from tests.fast import grader_fixtures as fixtures

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PIECES = (
    "---\n", "---", "cause: ", "unit-mismatch", "wrong-alias\n", "contributing: [", "]", "&a ", "*a", "!!x ", "{", "}", "\n", "# ", "## Root cause\n",
    "- ", "> ", "```", "<!--", "-->", "<div hidden>", "</div>", "[feature distance_km parity_ratio=", "0.62]", "[[", "=]", "not ", "neither ", "nor ",
    "either ", "or ", "because ", "the unit mismatch ", "miles ", "kilometres ", "distance_km ", "1.609 ", "\u200b", "\u0430", "\ufeff", "\x00", "|a|b|\n|-|-|\n",
    "1e999", "%", "\U0001f600", "\ud800", "]: http://x\n", "    ", "\t", "; ", "? ", "... ", ", ", "(", ")",
)  # fmt: skip


def bounded(verdict: Verdict) -> None:
    assert 0 <= verdict.score <= verdict.max_score <= 100
    for item in verdict.items:
        assert item.points is None or item.points <= item.max_points
        assert item.id == "hints" or item.points is None or item.points >= 0
        assert (item.points is None) == (item.status == "not graded")
    if not verdict.graded:
        assert verdict.reason


@QUICK
@given(st.text(max_size=2000))
def test_any_text(text: str) -> None:
    bounded(grade(fixtures.bundle("unit-mismatch", text)))


@QUICK
@given(st.text(max_size=2000))
def test_any_body(text: str) -> None:
    head = "cause: unit-mismatch\ncomponent: serving-code\nobject: distance_km"
    bundle = fixtures.bundle("unit-mismatch", fixtures.postmortem(head, text))
    verdict = grade(bundle)
    bounded(verdict)
    assert verdict.graded
    assert not verdict.passed
    render_html(verdict, bundle, reveal=True)


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_mixture_of_marks(pieces: list[str]) -> None:
    text = "".join(pieces)
    bundle = fixtures.bundle("unit-mismatch", text)
    bounded(grade(bundle))
    bounded(grade(fixtures.bundle("unit-mismatch", fixtures.postmortem("cause: unit-mismatch", text))))


@pytest.mark.parametrize("scenario", fixtures.SCENARIOS)
def test_damaged_right_answers(scenario: str) -> None:
    text = fixtures.right_answer(scenario)
    rng = random.Random(scenario)
    for _ in range(15):
        chars = list(text)
        for _ in range(rng.randrange(1, 60)):
            at = rng.randrange(len(chars))
            chars[at] = rng.choice(["", chars[at] * 2, "\u200b", "[", "=", "\n", "<", "&", "0"])
        bounded(grade(fixtures.bundle(scenario, "".join(chars))))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "body",
    ["word " * 190_000, "[" * 900_000, "<a " * 300_000, "<!--" * 200_000, "> " * 400_000, "- " * 400_000, "*a_" * 300_000, "`" * 900_000,
     "not " * 200_000, "a, " * 300_000, "|" * 900_000, "unit mismatch " * 60_000, "[a b=c] " * 100_000, "# h\n" * 200_000, "((((" * 200_000,
     "\u0430" * 400_000, "1.609 " * 150_000, "either a unit mismatch or " * 30_000, "[a=" * 300_000, "<div hidden " * 70_000],
    ids=lambda body: body[:14],
)  # fmt: skip
def test_a_megabyte_takes_seconds_at_most(body: str) -> None:
    started = time.perf_counter()
    verdict = grade(fixtures.bundle("unit-mismatch", fixtures.postmortem("cause: unit-mismatch", body[:990_000])))
    assert time.perf_counter() - started < 10
    bounded(verdict)
    assert not verdict.passed


def test_an_ordinary_post_mortem_takes_a_fraction_of_a_second() -> None:
    bundle = fixtures.bundle("featurelib-pin", fixtures.right_answer("featurelib-pin"))
    grade(bundle)
    times = []
    for _ in range(7):
        started = time.perf_counter()
        grade(bundle)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.2
