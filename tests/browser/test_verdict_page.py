"""verdict.html in a real browser: it asks for nothing, runs nothing, and can be read."""

from pathlib import Path

import pytest

from grader import grade, render_html
from tests.browser.chromium import Page
from tests.fast import grader_fixtures as fixtures

HOSTILE = (
    "<script>window.hit = 1; alert(1)</script><img src='http://127.0.0.1:9/x.png' onerror='window.hit = 1'>"
    "<svg onload='window.hit = 1'></svg><style>@import url(http://127.0.0.1:9/x.css);</style>"
    "<iframe src='http://127.0.0.1:9/'></iframe>"
)
LONG = "parity" * 80
ANSWERS = {
    "passed": fixtures.right_answer("unit-mismatch"),
    "failed": fixtures.right_answer("wrong-alias"),
    "hostile": fixtures.right_answer("unit-mismatch").replace("## Summary\n", f"## Summary\n{HOSTILE} {LONG} "),
    "malformed": f"---\ncause: [\n---\n{HOSTILE}",
    "empty": "",
}

CONTRAST = """
(() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), node = walk.currentNode.parentElement;
    if (!text || !node.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return poor;
})()
"""
"""Texts whose contrast is below 4.5:1, the least that WCAG 2.2 asks for (success criterion 1.4.3)."""


def written(folder: Path, name: str) -> str:
    bundle = fixtures.bundle("unit-mismatch", ANSWERS[name])
    path = folder / f"{name}.html"
    page = render_html(grade(bundle), bundle, reveal=True, reference=f"{ANSWERS['hostile']}\n{LONG}")
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def test_the_watch_sees_requests_dialogs_and_scripts(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "control.html"
    path.write_text(f"<!doctype html><body>{HOSTILE}</body>", encoding="utf-8")
    page.open(path.as_uri())
    assert "http://127.0.0.1:9/x.png" in page.requests
    assert page.dialogs == ["1"]
    assert page.value("window.hit") == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_asks_for_nothing_and_runs_nothing(page: Page, tmp_path: Path, name: str) -> None:
    url = written(tmp_path, name)
    page.open(url)
    assert page.requests == [url]
    assert page.dialogs == []
    assert page.value("typeof window.hit") == "undefined"
    assert page.value("document.scripts.length + document.images.length") == 0
    assert page.value("document.querySelector('h1').textContent.length") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["passed", "failed", "malformed"])
def test_every_text_can_be_read(page: Page, tmp_path: Path, name: str, scheme: str) -> None:
    page.prefer(scheme)
    page.open(written(tmp_path, name))
    assert page.value(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
    assert page.value(CONTRAST) == []


def test_dark_mode_is_dark(page: Page, tmp_path: Path) -> None:
    url = written(tmp_path, "passed")
    found = {}
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        page.open(url)
        red = page.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
        found[scheme] = int(red)
    assert found["dark"] < 60
    assert found["light"] > 200


def test_poor_contrast_is_found(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "control.html"
    path.write_text("<!doctype html><body style='background:#fff'><p style='color:#bbb'>pale</p><p>dark</p></body>")
    page.open(path.as_uri())
    assert len(page.value(CONTRAST)) == 1


@pytest.mark.parametrize("name", ["passed", "failed", "hostile", "malformed"])
def test_a_narrow_screen_needs_no_sideways_scroll(page: Page, tmp_path: Path, name: str) -> None:
    page.size(320)
    page.open(written(tmp_path, name))
    assert page.value("innerWidth") == 320
    assert page.value("document.documentElement.scrollWidth") <= 320


def test_a_verdict_says_its_result_in_words(page: Page, tmp_path: Path) -> None:
    for name, said in (("passed", "Passed"), ("failed", "Not passed"), ("malformed", "Not graded")):
        page.open(written(tmp_path, name))
        assert page.value("document.querySelector('.badge').textContent") == said
