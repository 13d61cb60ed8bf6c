"""For those who write scenarios or look after an installation."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crashlab.cli.base import (
    Drafts,
    Json,
    OnWorkload,
    app,
    command,
    document,
    progress,
    runtime_of,
    settings,
    show,
)
from crashlab.errors import MissingPrerequisite, UsageError

if TYPE_CHECKING:
    from crashlab.model import RuntimeName
    from crashlab.scenario import Scenario


@app.command()
@command
def new(
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    as_json: Json = False,
) -> None:
    """Begin a scenario from a template that verifies as it is."""
    from crashlab import authoring

    folder = authoring.new(settings().scenarios, name)
    if as_json:
        document({"name": name, "folder": str(folder)})
    else:
        print(f"{folder}\nProve it as it is, then make it yours: crashlab verify {name}")


@app.command("catalogue")
@command
def catalogue_(
    write: Annotated[bool, typer.Option("--write", help="Bring the pages up to date.")] = False,
    as_json: Json = False,
) -> None:
    """Pages of the catalogue that the scenarios have outgrown."""
    from crashlab import pages

    found = pages.write(settings()) if write else pages.outdated(settings())
    if as_json:
        document({"written" if write else "outdated": [str(path) for path in found]})
    else:
        for path in found:
            print(path.relative_to(settings().root))
        if not found:
            print("Every page is up to date.")
    if found and not write:
        raise typer.Exit(1)


@app.command("contrast")
@command
def contrast_(
    name: Annotated[str | None, typer.Argument(help="A scenario.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Make the table again from the proofs of this host.")] = False,
    as_json: Json = False,
) -> None:
    """Facts that a scenario moves.

    They stand in the table that evidence is judged by, as differences from the healthy system, as ratios to it, or as names; with the number of seeds on which they moved.
    """
    from crashlab import contrasts, scenario

    if bool(name) == write:
        raise UsageError("Name a scenario, or give --write.", "For instance: crashlab contrast wrong-alias")
    if write:
        path = contrasts.write(settings())
        if as_json:
            document({"written": str(path)})
        else:
            print(path)
        return
    known = scenario.load(settings().scenarios, str(name))
    found = contrasts.moved(known.name)
    if as_json:
        document([{"seed": seed, "moved": facts} for seed, facts in found.items()])
        return
    from crashlab import views

    made = views.table("Fact", "Seeds", "Told")
    for fact, seeds, told in contrasts.rows(list(found.values())):
        made.add_row(fact, f"{seeds}/{len(found)}", told)
    show(made)


def placed(wanted: "Sequence[Scenario]", runtime: str | None) -> "tuple[list[tuple[str, RuntimeName]], list[Scenario]]":
    """Choose where each scenario is proved, as asked or where its needs are met. Returns also those that cannot be."""
    asked = runtime_of(runtime) if runtime or settings().runtime else None
    # Asking for an engine takes a moment, so it is left until a scenario needs one.
    containers = asked == "compose" or (
        asked is None and any(s.needs for s in wanted) and runtime_of(None) == "compose"
    )
    chosen: list[tuple[str, RuntimeName]] = []
    left = []
    for item in wanted:
        on: RuntimeName = asked or ("compose" if item.needs and containers else "embedded")
        if on in item.runtimes:
            chosen.append((item.name, on))
        else:
            left.append(item)
    return chosen, left


def without_drafts(wanted: "Sequence[Scenario]", on: str | None) -> "list[Scenario]":
    """Return the scenarios of a whole catalogue that are proved, or all of them on a workload of one's own table.

    Raises UsageError where the workload `on` has drafts alone.
    """
    from crashlab import scenario, sources

    if on in sources.own_names(settings()):
        return list(wanted)
    there = [item for item in wanted if on in (None, item.workload)]
    # What is wrong with a workload that nothing runs on is said where it is looked for.
    return scenario.without_drafts(there, on or "") if there else list(wanted)


@app.command()
@command
def verify(
    named: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Scenarios.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="The whole catalogue; drafts only if asked for.")] = False,
    runtime: Annotated[
        str | None,
        typer.Option(help="compose or embedded; each scenario on embedded unless it needs containers, by default."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, one after the other.")] = 1,
    whole: Annotated[
        bool, typer.Option("--whole", help="Prove everything on every seed, not on the first alone.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out remedies and post-mortems: alerts, margins, evidence and leaks alone."),
    ] = False,
    drafts: Drafts = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many proofs at a time, where they do not disturb another.")] = 2,
    write: Annotated[Path | None, typer.Option(help="Write the matrix as Markdown into this file as well.")] = None,
    on: OnWorkload = None,
    as_json: Json = False,
) -> None:
    """Prove that scenarios are sound.

    Each is injected into a running system, which takes minutes: its alerts fire, the right fix and the reference answer
    pass, and doing nothing, wrong fixes and wrong answers fail.
    """
    from crashlab import proofs, scenario

    if quick and whole:
        raise UsageError("--quick and --whole exclude each other.", "Give one of them.")
    if bool(named) == all_:
        raise UsageError("Name a scenario, or give --all.", "For instance: crashlab verify wrong-alias")
    wanted = [
        scenario.load(settings().scenarios, each)
        for each in dict.fromkeys(named or scenario.names(settings().scenarios))
    ]
    status = {item.name: item.status for item in wanted}
    wanted = without_drafts(wanted, on) if all_ and not drafts else wanted
    chosen, left = placed(wanted, runtime)
    if named and left:
        raise UsageError(
            f"{left[0].name} needs {' and '.join(left[0].needs)}, which only containers have.",
            "Use --runtime compose, with a Docker Engine running.",
        )
    results = []
    with progress("verify", 40 * len(chosen) * seeds, quiet=as_json) as tell:
        proving = proofs.prove(
            settings(), chosen, range(seed, seed + seeds), tell, jobs, on, whole=None if quick else whole
        )
        for result in proving:
            results.append(result)
            if not as_json:
                from crashlab import views

                show(views.matrix(result))
    if write is not None:
        from crashlab import pages

        write.write_text(pages.matrix(results), encoding="utf-8")
    if as_json:
        document(
            [
                {**result.model_dump(mode="json"), "passed": result.passed, "status": status[result.scenario]}
                for result in results
            ]
        )
    else:
        from crashlab import views

        for item in left:
            print(f"{item.name} was left out: it needs {' and '.join(item.needs)}, which only containers have.")
        show(views.proofs(results))
        print(scenario.draft_note(wanted if named else []), end="")
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
@command
def doctor(
    sweep: Annotated[
        bool, typer.Option("--sweep", help="First remove what killed commands and deleted state folders left.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check what this machine has, what is missing, and what is left over.

    Containers, networks, volumes, images and processes of systems that no incident needs are listed. What belongs to
    another state folder is left alone as long as that folder is there.
    """
    from crashlab import doctor as checks

    if sweep:
        from crashlab import leftovers

        for removed in leftovers.sweep(settings()):
            print(f"Removed {removed.name}: {removed.what}.", file=sys.stderr)
    found = checks.run(settings())
    if as_json:
        document([item.model_dump(mode="json") for item in found])
    else:
        from crashlab import views

        made = views.table("", "Check", "Found", "What to do")
        for item in found:
            mark = "[green]✓[/]" if item.ok else "[yellow]![/]"
            made.add_row(mark, item.name, item.found, "" if item.ok else item.advice)
        show(made)
    if any(item.required and not item.ok for item in found):
        raise typer.Exit(MissingPrerequisite.exit_code)


@app.command()
@command
def demo(
    svg: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write what was printed, shortened, as SVG pictures.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play one whole incident, solved before your eyes.

    The flagship scenario on the embedded runtime: brief, investigation, repair, post-mortem and verdict. Takes minutes
    the first time.
    """
    from crashlab import demo as tour
    from crashlab import views

    steps = []
    for step in tour.run(
        settings(), lambda phase: None if as_json else print(f"   … {phase}", file=sys.stderr, flush=True)
    ):
        steps.append(step)
        if not as_json:
            show(*views.step(step))
    if as_json:
        document([step.model_dump(mode="json") for step in steps])
    if svg is not None:
        from crashlab import recording

        solved = [part for step in steps[:-3] for part in views.step(step, short=True)]
        recording.write(svg / "incident.svg", solved, "crashlab demo")
        graded = [part for step in steps[-3:] for part in views.step(step, short=True)]
        recording.write(svg / "verdict.svg", graded, "crashlab submit")
    last = next((step.verdict for step in reversed(steps) if step.verdict), None)
    if last is None or not last.passed:
        raise typer.Exit(1)


@app.command()
@command
def bench(
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of each start.")] = 3,
    runtime: Annotated[str | None, typer.Option(help="One runtime only; both where Docker answers.")] = None,
    as_json: Json = False,
) -> None:
    """Measure start-up, grading time and memory.

    As ratios in one run, which takes minutes; exit code 1 where one is above its limit.
    """
    from crashlab import bench as benchmark
    from crashlab.stack import engine

    both: list[RuntimeName] = ["embedded", "compose"]
    chosen = [runtime_of(runtime)] if runtime else [name for name in both if name == "embedded" or engine.answers()]
    with progress("bench", rounds + 4, quiet=as_json) as tell:
        figures = benchmark.run(settings(), chosen, rounds, tell)
    if as_json:
        document([figure.model_dump(mode="json") for figure in figures])
    else:
        from crashlab import views

        made = views.table("Figure", "Value", "Limit", "", "Medians")
        for item in figures:
            mark = "[green]✓[/]" if item.within else "[red]above[/]"
            made.add_row(item.name, f"{item.value:.2f}", f"{item.limit:g}", mark, item.detail)
        show(made)
    if not all(item.within for item in figures):
        raise typer.Exit(1)
