"""Pages of the documentation that are made from the catalogue and from proofs.

`docs/reference/catalogue` has one page for each scenario. Whatever gives it away is folded until a reader opens it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import grader
from crashlab import scenario
from crashlab.scenario import Scenario
from crashlab.settings import Settings

if TYPE_CHECKING:
    from crashlab.fault import Fix
    from crashlab.model import Truth
    from crashlab.verify import Matrix
    from grader.causes import Taxonomy

FOLDER = "docs/reference/catalogue"
EXAMPLE_SEED = 1
"""Seed of the incident that a page tells of."""


def catalogue(settings: Settings) -> dict[Path, str]:
    """Return every page of the catalogue by its path."""
    known = sorted(scenario.catalogue(settings.scenarios), key=lambda item: item.name)
    folder = settings.root / FOLDER
    taxonomy = grader.taxonomy()
    pages = {folder / f"{item.name}.md": _page(item, known, taxonomy) for item in known}
    return {folder / "README.md": _index(known, taxonomy), **pages}


def outdated(settings: Settings) -> list[Path]:
    """Return the pages that are missing, differ from what the catalogue says, or tell of no scenario any more."""
    wanted = catalogue(settings)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return sorted([*stale, *(path for path in (settings.root / FOLDER).glob("*.md") if path not in wanted)])


def write(settings: Settings) -> list[Path]:
    """Bring the pages up to date. Returns those that changed."""
    wanted, changed = catalogue(settings), outdated(settings)
    for path in changed:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return changed


def _index(known: Sequence[Scenario], taxonomy: "Taxonomy") -> str:
    titles = {family.id: family.title for family in taxonomy.families}
    proved, drafts = [item for item in known if item.proved], [item for item in known if not item.proved]
    lines = [
        "# Catalogue",
        "",
        "Made from `scenarios/` by `crashlab catalogue --write`. Each page tells what is practised; what goes wrong, and how it",
        "is found and repaired, is folded below. Do not unfold what you want to practise.",
        "",
        f"These {len(proved)} are proved, on the seeds that the [measurements](../measurements.md) name; blind starts draw among them.",
        "",
        *_table(proved),
        "",
        "## Drafts",
        "",
        f"The proofs of these {len(drafts)} were not repeated on five seeds. They can be started and proved by name; blind starts,",
        "`crashlab list` and `crashlab verify --all` take them with `--drafts` alone.",
        "",
        *_table(drafts),
    ]
    alike = "These fire the same alerts, those apart that a [distractor](../alerts.md#distractors) may fire as well."
    lines += ["", "## Look-alikes", "", f"{alike} They are told apart by evidence alone.", ""]
    lines += ["| family | alerts | scenarios |", "|---|---|---|"]
    for group in dict.fromkeys(item.looks_like for item in known):
        members = [item for item in known if item.looks_like == group]
        alerts = ", ".join(f"`{rule}`" for rule in min((item.alerts for item in members), key=len))
        lines.append(f"| {group} | {alerts} | {', '.join(_link(item) for item in members)} |")
    lines += ["", "## By family of cause", "", "| family | scenarios |", "|---|---:|"]
    lines += [
        f"| {titles[family]} | {sum(item.family == family for item in known)} |"
        for family in dict.fromkeys(cause.family for cause in taxonomy.causes)
        if any(item.family == family for item in known)
    ]
    return "\n".join(lines) + "\n"


def _table(members: Sequence[Scenario]) -> list[str]:
    return [
        "| level | scenario | workload | what is practised | minutes |",
        "|---:|---|---|---|---:|",
        *(
            f"| {item.level} | {_link(item)} | `{item.workload}` | {item.practises} | {item.minutes} |"
            for item in sorted(members, key=lambda item: (item.level, item.name))
        ),
    ]


def _link(item: Scenario) -> str:
    return f"[{item.name}]({item.name}.md)"


def _page(item: Scenario, known: Sequence[Scenario], taxonomy: "Taxonomy") -> str:
    truth = scenario.plan(item.name, EXAMPLE_SEED)
    reference, decoys = scenario.fixes(item.name)
    alike = [other for other in known if other.looks_like == item.looks_like and other.name != item.name]
    needs = f" It needs {' and '.join(item.needs)}, and so Compose." if item.needs else ""
    own = (
        " It runs on [your own table](../../how-to/bring-your-own-table.md#break-it) as well." if item.own_table else ""
    )
    draft = "" if item.proved else " It is a draft: its proof was not repeated on five seeds."
    lines = [
        f"# {item.title}",
        "",
        f"Scenario `{item.name}`, level {item.level}, workload `{item.workload}`, about {item.minutes} minutes.{needs}{own}{draft}",
        "",
        f"**Practises:** {item.practises}.",
        "",
        "Afterwards you can:",
        "",
        *(f"- {goal}" for goal in item.goals),
        "",
        f"**Alerts:** {', '.join(f'`{rule}`' for rule in item.alerts)}.",
        f"{'The same alerts come with ' + ', '.join(_link(other) for other in alike) + '.' if alike else ''}",
        "",
        "```",
        f"crashlab start {item.name}",
        "```",
        "",
    ]
    for number, hint in enumerate(item.hints, start=1):
        lines += _fold(f"Hint {number} ({hint.cost:g} points)", [hint.text])
    lines += _fold(
        "What goes wrong, how it is found and what repairs it", _answer(item, truth, reference, decoys, taxonomy)
    )
    return "\n".join(lines) + "\n"


def _answer(
    item: Scenario, truth: "Truth", reference: "Fix", decoys: Sequence["Fix"], taxonomy: "Taxonomy"
) -> list[str]:
    lines = []
    for fault in truth.faults:
        cause = taxonomy.by_id[fault.cause]
        lines += [
            f"**{cause.title}** (`{fault.cause}`, in `{fault.component}`). {cause.definition}",
            "",
            f"One seed gives: {fault.mechanism.sentence} The object is `{fault.object}`. Numbers and onset vary with the seed.",
            "",
        ]
    lines += (
        ["Taken for: " + ", ".join(f"`{name}`" for name in truth.look_alikes) + ".", ""] if truth.look_alikes else []
    )
    lines += ["Facts that bear it out; those in bold tell it from its look-alikes:", ""]
    lines += [f"- {_fact(name, truth.discriminating)}" for name in truth.supporting]
    lines += ["", f"**What repairs it:** {reference.name}. {reference.why} {truth.remedy}", "", "What does not:", ""]
    lines += [f"- {fix.name}: {fix.why}" for fix in decoys]
    lines += ["", "Post-mortems that are wrong:", ""]
    lines += [f"- `{decoy.file}`: {decoy.why}" for decoy in item.decoys]
    lines += ["", "It is real:", ""]
    return [*lines, *(f"- [{source.title}]({source.url})" for source in item.sources)]


def _fact(name: str, deciding: Iterable[str]) -> str:
    return f"**`{name}`**" if name in deciding else f"`{name}`"


def _fold(summary: str, body: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{summary}</summary>", "", *body, "", "</details>", ""]


def matrix(results: Sequence["Matrix"]) -> str:
    """Return proofs as Markdown: one line a scenario with what failed on any seed."""
    lines = ["| scenario | runtime | seeds | steps | failed | seconds a seed |", "|---|---|---:|---:|---|---:|"]
    for name in dict.fromkeys(result.scenario for result in results):
        mine = [result for result in results if result.scenario == name]
        failed = dict.fromkeys(step.name for result in mine for step in result.steps if not step.passed)
        seconds = sum(result.seconds for result in mine) / len(mine)
        steps = max(len(result.steps) for result in mine)
        again = dict.fromkeys(name for result in mine for name in result.in_company)
        shown = "; ".join(failed) or "none"
        if again:
            shown += f" (beside another proof, before it was made alone: {'; '.join(again)})"
        lines.append(f"| `{name}` | {mine[0].runtime} | {len(mine)} | {steps} | {shown} | {seconds:.0f} |")
    return "\n".join(lines) + "\n"
