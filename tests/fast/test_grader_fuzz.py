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


MEGABYTE = 990_000
HEAPS = (
    "word ", "[", "<a ", "<!--", "> ", "- ", "*a_", "`", "not ", "a, ", "|", "unit mismatch ", "[a b=c] ", "# h\n", "((((", "\u0430", "1.609 ",
    "either a unit mismatch or ", "[a=", "<div hidden ", ".", ". ", "a. ", "e.g. ", "etc. ", "? ", "?! ", "no. ", "a\u0301\u0327", "\u0327\u0301",
    "\u0316\u0301\u0327", "\ufdfa", "![", "](", "<div>", "<b><i>", "&amp;", "&#", "~~a", "|a|b|\n|-|-|\n", "a:\n\n- b\n\n", "\u200b", "a\u200b",
    "It was not the unit mismatch. ", "The unit mismatch, which was not the cause, ", "12:30 ", "2026-11-28 07:45 UTC ", "distance_km is 1.609. ",
    "- owner: x, due 2026-11-28\n", "\n", "\t", "because ", "[feature distance_km parity_ratio=0.62] ", "<?x ", "<!X ", "<![CDATA[", "Nobody checked. ",
)  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("piece", HEAPS, ids=repr)
def test_a_megabyte_of_anything_takes_two_seconds_of_the_processor_at_most(piece: str) -> None:
    body = (piece * (MEGABYTE // len(piece.encode()) + 1)).encode()[:MEGABYTE].decode(errors="ignore")
    bundle = fixtures.bundle("unit-mismatch", fixtures.postmortem("cause: unit-mismatch", body))
    grade(fixtures.bundle("unit-mismatch", ""))  # what is read once
    started = time.process_time()
    verdict = grade(bundle)
    assert time.process_time() - started < 2
    bounded(verdict)
    assert not verdict.passed


@pytest.mark.thorough
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(HEAPS), min_size=1, max_size=5), st.integers(0, 3))
def test_a_megabyte_of_any_mixture_does_too(pieces: list[str], lines: int) -> None:
    test_a_megabyte_of_anything_takes_two_seconds_of_the_processor_at_most("".join(pieces) + "\n" * lines)


@pytest.mark.thorough
@pytest.mark.parametrize("head", ["cause: " + "9" * 900_000, "ruled_out: [" + "a, " * 300_000 + "]", "a: b\n" * 200_000, "cause: " + "1:" * 400_000,
                                  "- " * 400_000, "{" * 900_000, "cause: &a " * 90_000, "? " * 400_000], ids=lambda head: head[:12])  # fmt: skip
def test_a_megabyte_of_front_matter_does_too(head: str) -> None:
    started = time.process_time()
    verdict = grade(fixtures.bundle("unit-mismatch", f"---\n{head}\n---\nHello\n"))
    assert time.process_time() - started < 2
    assert not verdict.graded


def test_an_ordinary_post_mortem_takes_a_fraction_of_a_second() -> None:
    bundle = fixtures.bundle("featurelib-pin", fixtures.right_answer("featurelib-pin"))
    grade(bundle)
    times = []
    for _ in range(7):
        started = time.perf_counter()
        grade(bundle)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.2
