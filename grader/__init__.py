"""The grader: pure functions from a frozen bundle, or from a text, to a verdict.

Importing this package is cheap; what a function needs is imported when it is called.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crashlab.model import Brief, Bundle, Verdict
    from grader.causes import Taxonomy
    from grader.postmortem import Postmortem
    from grader.reviewing import Review
    from grader.terms import Entry

__all__ = [
    "gates",
    "glossary",
    "grade",
    "hops",
    "parse",
    "questions",
    "render_html",
    "reveal_text",
    "review",
    "sentences",
    "taxonomy",
    "template",
]


def grade(bundle: "Bundle") -> "Verdict":
    """Grade a frozen bundle. Pure, offline and deterministic; never raises for what the learner wrote or did."""
    from grader.scoring import grade_bundle

    return grade_bundle(bundle)


def parse(text: str) -> "Postmortem":
    """Read a post-mortem. Raises `grader.postmortem.Malformed` with a reason in one sentence."""
    from grader.postmortem import parse_text

    return parse_text(text)


def questions(text: str) -> tuple[str, ...]:
    """Return what has to be asked before a post-mortem is handed in: ids that may mean several things, or nothing.

    Empty where nothing has to, and for a text that cannot be read at all, of which `parse` says why.
    """
    from grader.postmortem import Malformed, parse_text

    try:
        return parse_text(text).questions
    except Malformed:
        return ()


def sentences(text: str) -> list[str]:
    """Return the sentences of a post-mortem whose vectors `grade` can use; none for a text that cannot be read."""
    from grader import meaning
    from grader.postmortem import Malformed, parse_text
    from grader.reader import read

    try:
        return [meaning.spoken(each) for each in meaning.chosen(read(parse_text(text).body))]
    except Malformed:
        return []


def template(brief: "Brief") -> str:
    """Return the empty post-mortem of an incident, as Markdown with YAML front matter."""
    from grader.skeleton import empty

    return empty(brief)


def taxonomy() -> "Taxonomy":
    """Return the public taxonomy of causes, components and families."""
    from grader.causes import load

    return load()


def hops(left: str, right: str) -> int:
    """Distance of two causes: 0 the same, 1 neighbours or one family, 2 otherwise. Unknown causes are 2 apart."""
    from grader.causes import load

    return load().hops(left, right)


def glossary() -> "tuple[Entry, ...]":
    """Return the entries of the glossary in alphabetical order."""
    from grader.terms import load

    return load()


def render_html(verdict: "Verdict", bundle: "Bundle", *, reveal: bool, reference: str = "") -> str:
    """Return the verdict as one self-contained HTML page; with `reveal`, the truth and the `reference` answer as well."""
    from grader.page import render

    return render(verdict, bundle, reveal=reveal, reference=reference)


def reveal_text(verdict: "Verdict", bundle: "Bundle", reference: str = "") -> str:
    """Return the truth behind a graded incident as plain text, for the end of an incident."""
    from grader.answer import as_text

    return as_text(verdict, bundle, reference)


def review(text: str) -> "Review":
    """Check a post-mortem of an incident that nobody injected. Pure and deterministic; never raises."""
    from grader.reviewing import review_text

    return review_text(text)


def gates(bundle: "Bundle") -> dict[str, bool]:
    """Return what a pass needs beside the points: `cause`, `evidence` and `fix`, each met or not."""
    from grader.scoring import gates as met

    return met(bundle)
