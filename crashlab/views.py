"""What a person sees in the terminal: Rich renderables made from the nouns. Nothing here prints."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crashlab.listing import Row
from crashlab.model import Brief, Item, ItemStatus, Verdict
from crashlab.records import Attempt, Measurement, Record
from crashlab.regrade import Regrading
from crashlab.stack.base import ServiceState
from grader.reviewing import Review

if TYPE_CHECKING:
    from crashlab.demo import Step
    from crashlab.progress import Progress
    from crashlab.verify import Matrix

MARK: dict[ItemStatus, str] = {
    "passed": "[green]✓[/]",
    "partial": "[yellow]~[/]",
    "failed": "[red]✗[/]",
    "not graded": "[dim]-[/]",
}


def table(*columns: str) -> Table:
    """Return an empty table in the house style."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def catalogue(scenarios: Iterable[Row]) -> RenderableType:
    """Scenarios by level."""
    made = table("Level", "Name", "What is practised", "Workload", "Minutes")
    for item in scenarios:
        name = item.name if item.status == "proved" else f"{item.name} [dim](draft)[/]"
        made.add_row(str(item.level), name, item.practises, item.workload, str(item.minutes))
    return made


def brief(told: Brief) -> RenderableType:
    """Alerts and timeline of an incident."""
    alerts = table("Alert", "Observed", "Healthy", "Threshold", "Unit", "Since (UTC)")
    for alert in told.alerts:
        colour = "red" if alert.severity == "page" else "yellow"
        alerts.add_row(
            f"[bold {colour}]{escape(alert.rule)}[/] [dim]({alert.severity})[/]\n{escape(alert.summary)}",
            f"{alert.observed:.3g}",
            "" if alert.baseline is None else f"{alert.baseline:.3g}",
            f"{alert.threshold:.3g}",
            escape(alert.unit),
            f"{alert.since:%a %d %b %H:%M}",
        )
    changes = table("Time (UTC)", "Kind", "What changed", "Commit")
    for change in told.timeline:
        changes.add_row(
            f"{change.at:%a %d %b %H:%M}", f"[dim]{change.kind}[/]", escape(change.summary), change.reference
        )
    return Group(
        Panel(
            f"{escape(told.objective)}\n\n{escape(told.onset_hint)}\n[dim]Sealed answer: sha256 {told.commitment}[/]",
            title=f"{escape(told.title)} · level {told.level}",
            subtitle=told.incident,
            box=box.ROUNDED,
        ),
        Text("\nAlerts that fired", style="bold"),
        alerts,
        Text("\nRecent changes", style="bold"),
        changes,
    )


NEXT = (
    (
        "crashlab measure latency p95_ms",
        "one fact, noted ready to cite; docs/reference/facts.md has them all",
    ),
    ("crashlab report", "drift report; `crashlab logs` and `crashlab shell` look into a service"),
    ('cd "$(crashlab open workspace)"', "what is deployed, with its git history; repair it there"),
    ("crashlab deploy", "ship what you changed"),
    ("crashlab open post-mortem", "the file to fill in; `crashlab taxonomy` lists the causes it can name"),
    ("crashlab submit", "hand in both, and read the verdict; as often as you like"),
)
"""What a learner can do next, in the order of an ordinary incident."""


def next_steps() -> RenderableType:
    """Commands of an incident from the first look to the verdict."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="cyan", no_wrap=True)
    made.add_column(overflow="fold")
    for command, what in NEXT:
        made.add_row(escape(command), escape(what))
    return Group(Text("\nHow to go on", style="bold"), made)


def places(rows: Sequence[tuple[str, str]]) -> RenderableType:
    """Names with addresses or paths, uncut."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, place in rows:
        made.add_row(name, escape(place))
    return made


def services(states: Iterable[ServiceState]) -> RenderableType:
    """Services with limits and use."""
    made = table("Service", "State", "Address", "Memory", "Limit", "CPUs", "")
    for state in states:
        word = "[green]healthy[/]" if state.healthy else "[yellow]running[/]" if state.running else "[dim]stopped[/]"
        made.add_row(
            state.name,
            word,
            state.url or "",
            f"{state.usage.memory_mb:.0f} MB" if state.usage else "",
            f"{state.memory_mb} MB" if state.memory_mb else "",
            f"{state.cpus:g}" if state.cpus else "",
            escape(state.detail),
        )
    return made


def status(record: Record, states: Iterable[ServiceState]) -> RenderableType:
    """Where an incident stands."""
    spent = sum(hint.cost for hint in record.hints)
    taken = ", ".join(f"{a.number}: {_score(a)}" for a in record.attempts) or "none"
    head = places(
        [
            ("incident", f"{record.id} ({record.scenario or 'blind'}, level {record.level}, {record.runtime})"),
            ("phase", record.phase),
            ("started", f"{record.created_at:%Y-%m-%d %H:%M} UTC"),
            ("deployments", ", ".join(item.commit[:7] for item in record.deployments) or "none"),
            ("submissions", taken),
            ("hints taken", f"{len(record.hints)} (-{spent:g} points)" if record.hints else "none"),
            ("sealed with", f"sha256 {record.commitment}"),
        ]
    )
    return Group(head, Text(""), services(states))


def _score(attempt: Attempt) -> str:
    if attempt.score is None:
        return "not graded" if attempt.graded else "received"
    return f"{attempt.score:.0f}{' passed' if attempt.passed else ''}"


def notebook(entries: Iterable[Measurement]) -> RenderableType:
    """Measured facts, ready to cite."""
    made = table("Measured (UTC)", "Cite as")
    for entry in entries:
        made.add_row(f"{entry.at:%H:%M:%S}", escape(entry.citation))
    return made


QUOTED = 100
"""Characters of the learner's words in the terminal; the page has them whole."""
ONE_LINE = 54
"""Characters of a reason in a recording."""


def _cut(text: str, most: int) -> str:
    return f"{text[:most].rstrip()}…" if len(text) > most else text


def _section(item: Item) -> str:
    if item.id in ("cause", "component", "object", "mechanism"):
        return "Diagnosis"
    if item.id in ("evidence", "discriminator"):
        return "Evidence"
    return "Fix" if item.id.startswith("fix-") else "Form and hints"


def verdict(result: Verdict, *, short: bool = False) -> RenderableType:
    """Score, and every item with its reason; `short` keeps one line of each."""
    if not result.graded:
        return Panel(escape(result.reason), title="Not graded", border_style="yellow", box=box.ROUNDED)
    made = table("", "Item", "Points", "Why")
    made.columns[2].justify = "right"
    sections: dict[str, list[Item]] = {}
    for item in result.items:
        sections.setdefault(_section(item), []).append(item)
    for section, items in sections.items():
        earned, most = sum(i.points or 0.0 for i in items), sum(i.max_points for i in items)
        made.add_row("", f"[bold cyan]{section}[/]", f"[bold]{earned:g}/{most:g}[/]" if most else "", "")
        for item in items:
            points = "" if item.points is None else f"{item.points:g}/{item.max_points:g}"
            why = escape(_cut(item.observed or item.quote, ONE_LINE)) if short else "\n".join(_why(item))
            made.add_row(MARK[item.status], escape(item.title), points, why)
    word, colour = ("PASSED", "green") if result.passed else ("NOT PASSED", "red")
    head = Panel(
        f"[bold {colour}]{word}[/]   {result.score:.1f} of {result.max_score:g} points",
        title=f"Verdict · {result.incident}",
        box=box.ROUNDED,
        border_style=colour,
    )
    lacks = [Text(f"✗ {each}", style="red") for each in result.lacking]
    notes = [Text(f"• {note}", style="dim") for note in result.notes]
    return Group(head, *lacks, made, *notes)


def _why(item: Item) -> list[str]:
    why = []
    if item.quote:
        why.append(f"[italic]“{escape(_cut(item.quote, QUOTED))}”[/]")
    if item.observed:
        why.append(escape(item.observed))
    why.extend(f"[dim]·[/] {escape(each)}" for each in item.details)
    if item.improve and item.status != "passed":
        why.append(f"[cyan]→[/] {escape(item.improve)}")
    return why


LONG = 8
"""Lines of a long text that a recording keeps."""


def step(done: "Step", *, short: bool = False) -> list[RenderableType]:
    """One step of the demonstration; `short` draws it closer together, cuts what is long, and says so."""
    title = Text(done.title if short and not (done.brief or done.verdict) else f"\n{done.title}", style="bold cyan")
    command = Text(f"$ crashlab {done.command}" if done.command else "", style="bold")
    lines = done.text.splitlines()
    if short and len(lines) == 1:
        return [title, Text.assemble(command, ("  →  " if command else "", "dim"), lines[0])]
    parts: list[RenderableType] = [title, command] if command else [title]
    if lines:
        kept = lines[:LONG] if short and len(lines) > LONG else lines
        parts.append(Text("\n".join(kept)))
        if len(kept) < len(lines):
            parts.append(Text(f"… {len(lines) - len(kept)} more lines", style="dim"))
    if done.brief:
        parts += [brief(done.brief), ""] if short else [brief(done.brief)]
    if done.verdict:
        parts.append(verdict(done.verdict, short=short))
    return parts


def review(found: Review) -> RenderableType:
    """What was found in a post-mortem of a real incident."""
    made = table("", "Looked at", "Why")
    for remark in found.remarks:
        why = [f"[italic]“{escape(remark.quote[:240])}”[/]"] if remark.quote else []
        why += [escape(remark.observed)] if remark.observed else []
        why += [f"[cyan]→[/] {escape(remark.improve)}"] if remark.improve else []
        made.add_row(MARK[remark.status], escape(remark.title), "\n".join(why))
    return Group(made, Text(f"\n{found.disclaimer}", style="dim"))


def regrading(report: Regrading) -> RenderableType:
    """Differences of a regrading, one row per bundle that changed."""
    made = table("Bundle", "Author", "Before", "After", "What differs")
    for each in report.differences:
        if not (each.changed or each.problem):
            continue
        before = "-" if each.before is None else f"{each.before:g}{' passed' if each.passed_before else ''}"
        what = [
            f"{c.item} {'-' if c.before is None else c.before} → {'-' if c.after is None else c.after}"
            for c in each.items
        ]
        what += [each.problem] if each.problem else []
        after = f"{each.after:g}{' passed' if each.passed_after else ''}"
        made.add_row(escape(each.bundle), escape(each.author), before, after, escape("; ".join(what)))
    word = "replaced" if report.written else "unchanged on disk"
    return Group(made, Text(f"\n{report.changed} of {len(report.differences)} bundles differ; verdicts are {word}."))


def matrix(result: "Matrix") -> RenderableType:
    """Every step of one proof, with what it showed or why it failed."""
    made = table("", f"{result.scenario} on {result.runtime}, seed {result.seed}", "Seconds", "What was proved")
    for step in result.steps:
        mark = "[green]✓[/]" if step.passed else "[red]✗[/]"
        made.add_row(mark, escape(step.name), f"{step.seconds:.0f}", escape(step.detail))
    return made


def proofs(results: "Sequence[Matrix]") -> RenderableType:
    """One line for each proof, and what most of the time went into."""
    made = table("", "Scenario", "Seed", "Seconds", "Failed")
    for result in results:
        mark = "[green]✓[/]" if result.passed else "[red]✗[/]"
        failed = "; ".join(step.name for step in result.steps if not step.passed)
        if result.in_company:
            failed = f"{failed} (beside another proof also: {'; '.join(result.in_company)})".strip()
        made.add_row(mark, result.scenario, str(result.seed), f"{result.seconds:.0f}", escape(failed))
    total: dict[str, float] = {}
    for result in results:
        for phase, seconds in result.phases.items():
            total[phase] = total.get(phase, 0.0) + seconds
    spent = table("Seconds", "Spent on")
    for phase, seconds in sorted(total.items(), key=lambda item: -item[1])[:10]:
        spent.add_row(f"{seconds:.0f}", escape(phase))
    all_of_it = sum(result.seconds for result in results)
    good = sum(result.passed for result in results)
    return Group(made, Text(f"\n{good} of {len(results)} hold; {all_of_it:.0f} seconds.\n", style="bold"), spent)


def progress(record: "Progress") -> RenderableType:
    """A learner's record, and what to practise next."""
    made = table("", "Incident", "Scenario", "Level", "Minutes", "Score", "Attempts", "Hints")
    for one in record.tried:
        made.add_row(
            "[green]✓[/]" if one.solved else "[red]✗[/]",
            one.incident,
            one.scenario,
            str(one.level),
            "" if one.minutes is None else f"{one.minutes:.0f}",
            "" if one.score is None else f"{one.score:.0f}",
            str(one.attempts),
            f"{one.hints} (-{one.hint_cost:g})" if one.hints else "",
        )
    families = table("Family", "Solved", "Tried")
    for family, (solved, tried) in record.solved_by_family.items():
        families.add_row(family, str(solved), str(tried))
    taken = table("Taken for", "Was", "Times")
    for item in record.misconceptions:
        taken.add_row(item.claimed, item.actual, str(item.times))
    advice = table("Practise next", "Why")
    for proposal in record.next:
        advice.add_row(f"[bold]{escape(proposal.command)}[/]", escape(proposal.why))
    parts: list[RenderableType] = [made, Text("")] if record.tried else [Text("No incident is over yet.\n")]
    if record.open:
        parts.append(Text(f"{record.open} still open; they count when they are over.\n", style="dim"))
    parts += [families, Text("")]
    parts += [taken, Text("")] if record.misconceptions else []
    return Group(*parts, advice)
