"""The verdict as one HTML page that asks for nothing else: no script, no font, no picture, no request."""

from collections.abc import Sequence

from crashlab.model import Bundle, Item, Verdict
from grader import answer, resources

NEEDED = "A pass needs 70 points, the right cause asserted and supported by evidence, and every check of the fix."
_DIAGNOSIS = ("cause", "component", "object", "mechanism")
_EVIDENCE = ("evidence", "discriminator")


def _groups(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    def heading(item: Item) -> str:
        if item.id in _DIAGNOSIS:
            return "Diagnosis"
        if item.id in _EVIDENCE:
            return "Evidence"
        return "Fix" if item.id.startswith("fix-") else "Hints" if item.id == "hints" else "Prevention and form"

    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(heading(item), []).append(item)
    return list(found.items())


def number(value: float) -> str:
    """Write points without superfluous zeros."""
    return f"{value:.1f}".removesuffix(".0")


def _total(items: Sequence[Item]) -> str:
    most = sum(item.max_points for item in items)
    return f"{number(sum(item.points or 0.0 for item in items))} of {number(most)}" if most else ""


def render(verdict: Verdict, bundle: Bundle, *, reveal: bool, reference: str = "") -> str:
    """Render a verdict. Everything that anybody wrote is escaped; `reveal` adds the truth and the reference answer."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = resources.read("page.html")
    css = resources.read("page.css")
    return environment.from_string(source).render(
        css=Markup(css),  # noqa: S704 - the grader's own file
        title=bundle.brief.title or bundle.incident,
        author=bundle.submission.author,
        received=f"{bundle.submission.received_at:%Y-%m-%d %H:%M}",
        verdict=verdict,
        groups=_groups(verdict.items),
        total=_total,
        number=number,
        needed=NEEDED,
        reveal=reveal,
        facts=list(answer.facts(bundle)) if reveal else [],
        chain=answer.chain(bundle) if reveal else [],
        telling=answer.telling_facts(bundle) if reveal else [],
        checked=answer.checked_citations(bundle) if reveal else [],
        reference=reference if reveal else "",
    )
