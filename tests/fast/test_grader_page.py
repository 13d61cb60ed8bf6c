"""The report: one page that asks for nothing, escapes everything, and tells the answer only when it may."""

import re
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from crashlab.model import Verdict
from grader import grade, render_html, reveal_text
from tests.fast import grader_fixtures as fixtures

HOSTILE = "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'&"


class Reader(HTMLParser):
    """Collects tags and attributes."""

    VOID: ClassVar[set[str]] = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(text: str, *, reveal: bool, scenario: str = "unit-mismatch") -> tuple[str, Verdict]:
    bundle = fixtures.bundle(scenario, text)
    verdict = grade(bundle)
    return render_html(verdict, bundle, reveal=reveal), verdict


@pytest.mark.parametrize("reveal", [True, False])
def test_the_page_is_whole_and_asks_for_nothing(reveal: bool) -> None:
    html, _ = page(fixtures.right_answer("unit-mismatch"), reveal=reveal)
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    tags = {tag for tag, _ in reader.seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not any(name in attributes for _, attributes in reader.seen for name in ("src", "href", "onclick", "style"))
    assert "url(" not in html
    assert "@import" not in html
    policy = next(
        a["content"] for t, a in reader.seen if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "prefers-color-scheme: dark" in html
    assert sum(tag == "h1" for tag, _ in reader.seen) == 1


def test_what_anybody_wrote_is_escaped() -> None:
    prose = f"The unit mismatch {HOSTILE} in preprocess.py gives miles instead of kilometres by 1.609."
    text = fixtures.right_answer("unit-mismatch").replace("object: distance_km", f"object: |\n  {HOSTILE}")
    text = text.replace("## Root cause\n", f"## Root cause\n{prose}\n")
    html, verdict = page(text, reveal=True)
    assert verdict.graded
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_the_score_and_every_item_are_shown() -> None:
    html, verdict = page(fixtures.right_answer("unit-mismatch"), reveal=False)
    assert "Passed" in html
    for item in verdict.items:
        assert item.title in html


def test_a_submission_that_was_not_graded_says_why() -> None:
    html, verdict = page("no front matter", reveal=False)
    assert "Not graded" in html
    assert verdict.reason in html


def test_the_answer_is_told_only_at_the_end() -> None:
    mechanism = fixtures.TRUTHS["unit-mismatch"]["mechanism"].sentence.replace("'", "&#39;")
    text = fixtures.postmortem("cause: memory-leak", "## Root cause\nThe memory of the service leaked for 3 days.")
    hidden, _ = page(text, reveal=False)
    shown, _ = page(text, reveal=True)
    for word in ("unit-mismatch", "serving-code", "distance_km", mechanism, "parity_ratio"):
        assert word not in hidden
        assert word in shown


def test_the_answer_as_text() -> None:
    bundle = fixtures.bundle("featurelib-pin", fixtures.right_answer("featurelib-pin"))
    text = reveal_text(grade(bundle), bundle)
    for word in (
        "feature-library-version-mismatch",
        "serving-environment",
        "[pin serving featurelib=1.2.0]",
        "healthy: 2.1.0",
    ):
        assert word in text


def test_contrast_of_text_on_both_papers() -> None:
    html, _ = page("x", reveal=False)
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part)) for part in html.split("prefers-color-scheme: dark", 1)
    )
    for colours in (light, dark):
        for name in ("ink", "soft", "good", "half", "bad", "none"):
            assert contrast(colours[name], colours["card"]) >= 4.5, name


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
