"""Reference pages made from the grader's own data. `python -m grader.pages` writes them into `docs/reference`."""

from collections.abc import Callable, Iterable
from pathlib import Path

from grader import causes, terms

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "-"


def taxonomy_page() -> str:
    """Return the taxonomy as Markdown: components, causes by family, distances and deciding tests."""
    known = causes.load()
    lines = [
        "# Taxonomy of causes",
        "",
        "<!-- Made by `python -m grader.pages` from grader/taxonomy.toml. -->",
        "",
        "A post-mortem declares one `cause`, one `component` and, where more took part, `contributing` causes, all from",
        f"this list. It is closed and the same for every scenario: {len(known.causes)} causes in {len(known.families)} families.",
        "`crashlab taxonomy` prints it.",
        "",
        "Distance counts for partial credit: 0 hops is the cause itself, 1 hop is a cause of the same family or a listed",
        "neighbour and keeps half of the credit for the cause, anything further keeps none.",
        "",
        "## Components",
        "",
        "| id | what it is |",
        "|---|---|",
        *(f"| `{component.id}` | {component.title} |" for component in known.components),
    ]
    for family in known.families:
        lines += ["", f"## {family.title}", ""]
        for cause in known.causes:
            if cause.family != family.id:
                continue
            also = f" (also `{'`, `'.join(cause.also)}`)" if cause.also else ""
            lines += [
                f"### `{cause.id}`{also}",
                "",
                cause.definition,
                "",
                f"- Precise term: {cause.precise}. Often wrongly called: {_listed(cause.imprecise)}.",
                f"- Sits in: {_listed(cause.components)}. Neighbours: {_listed(cause.neighbours)}.",
                f"- Sources: {'; '.join(cause.sources)}.",
                "",
            ]
        lines.pop()
    lines += ["", "## Often confused, and the test that decides", "", "| causes | test |", "|---|---|"]
    lines += [f"| {', '.join(f'`{name}`' for name in each.causes)} | {each.test} |" for each in known.confusions]
    return "\n".join(lines) + "\n"


def glossary_page() -> str:
    """Return the glossary as Markdown."""
    entries = terms.load()
    lines = [
        "# Glossary",
        "",
        "<!-- Made by `python -m grader.pages` from grader/glossary.toml. -->",
        "",
        f"{len(entries)} terms. `crashlab glossary TERM` prints one. 'Not' names what a term is often confused with.",
        "",
        "| term | meaning | also | not | source |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| **{e.term}** | {e.definition} | {_listed(e.synonyms)} | {_listed(e.confused_with)} | {e.source} |"
        for e in entries
    ]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {"taxonomy.md": taxonomy_page, "glossary.md": glossary_page}
"""Pages by file name."""


def write() -> None:
    """Write every page into `FOLDER`."""
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    write()
