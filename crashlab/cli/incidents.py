"""Begin an incident and look around in it."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crashlab.cli.base import (
    Drafts,
    Id,
    Json,
    OnWorkload,
    Runtime,
    app,
    command,
    document,
    incident,
    progress,
    runtime_of,
    settings,
    show,
    why_this_runtime,
)
from crashlab.errors import StackError, UsageError

if TYPE_CHECKING:
    from crashlab.incident import Incident
    from crashlab.scenario import Scenario


@app.command("list")
@command
def list_(on: OnWorkload = None, drafts: Drafts = False, as_json: Json = False) -> None:
    """Show the scenarios by level.

    What each practises, and how many minutes it takes. Nothing is started. With --workload, those that run on it, and
    why others do not. Drafts are left out unless asked for.
    """
    from crashlab import listing

    if on is not None:
        list_on(on, drafts=drafts, as_json=as_json)
        return
    found = None if as_json else listing.rows(settings().scenarios)
    if found is None:
        from crashlab import scenario

        whole = scenario.catalogue(settings().scenarios)
        if as_json:
            whole = whole if drafts else scenario.without_drafts(whole)
            public = (
                "name",
                "title",
                "level",
                "status",
                "workload",
                "family",
                "practises",
                "goals",
                "minutes",
                "needs",
                "runtimes",
            )
            document([{key: getattr(item, key) for key in public} for item in whole])
            return
        found = [listing.Row(*(getattr(item, name) for name in listing.Row._fields)) for item in whole]
    rows = [item for item in found if drafts or item.status == "proved"]
    left = len(found) - len(rows)
    more = f"Left out as drafts: {left}. See them: crashlab list --drafts" if left else ""
    if not sys.stdout.isatty():
        # Without a terminal there is nothing to lay out, and Rich need not be imported.
        for item in rows:
            mark = "" if item.status == "proved" else " (draft)"
            print(f"{item.level}  {item.name:26} {item.workload:8} {item.minutes:3} min  {item.practises}{mark}")
        if more:
            print(more)
        return
    from crashlab import views

    show(views.catalogue(rows), "\nStart one: [bold]crashlab start NAME[/], or [bold]crashlab start --blind[/].")
    if more:
        show(more)


def list_on(on: str, *, drafts: bool, as_json: bool) -> None:
    """Show the scenarios that run on a workload, and for one's own table why others do not.

    On one's own table drafts are among them: nothing was proved there, so all have the same standing.
    """
    from crashlab import scenario, sources
    from crashlab.tables import ground

    given = settings()
    whole = scenario.catalogue(given.scenarios)
    refused: dict[str, str] = {}
    if on in sources.own_names(given):
        found, refused = scenario.playable([item for item in whole if item.own_table], ground.load(given, on))
    else:
        found = [item for item in whole if item.workload == on]
        if not found:
            known = sorted({item.workload for item in whole} | set(sources.own_names(given)))
            raise UsageError(f"There is no workload {on!r}.", f"Workloads: {', '.join(known)}.")
        found = found if drafts else scenario.without_drafts(found, on)
    if as_json:
        document(
            {
                "scenarios": [item.name for item in found],
                "status": {item.name: item.status for item in found},
                "refused": refused,
            }
        )
        return
    for item in found:
        mark = "" if item.proved else " (draft)"
        print(f"{item.level}  {item.name:26} {item.minutes:3} min  {item.practises}{mark}")
    for name, why in refused.items():
        print(f"-  {name:26} {why}")


@app.command()
@command
def start(
    name: Annotated[str | None, typer.Argument(help="A scenario; leave it out for a blind start.")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Hide the scenario's name and title until the end.")] = False,
    level: Annotated[int | None, typer.Option(help="Draw among the scenarios of this level, 1 to 5.")] = None,
    family: Annotated[str | None, typer.Option(help="Draw among the scenarios of this family of causes.")] = None,
    mix: Annotated[str, typer.Option(help="Weights of a blind draw: teaching or on-call.")] = "teaching",
    drafts: Drafts = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeat an incident exactly, onset and numbers included.")
    ] = None,
    on: OnWorkload = None,
    runtime: Runtime = None,
    as_json: Json = False,
) -> None:
    """Bring up a system, break it, and page you.

    Without a name one is drawn, and nothing is said of what is wrong but the alerts that fired. The first start makes
    environments and trains the models that incidents begin with, which takes minutes; later ones copy them.
    """
    from crashlab import mixes, starting

    if name and (level is not None or family is not None):
        raise UsageError("A name was given, and what to draw by.", "Give the name alone, or --level and --family.")
    if level is not None and level not in range(1, 6):
        raise UsageError(f"There is no level {level}.", "Levels go from 1 to 5.")
    weights = mixes.mix_name(mix)
    named: Scenario | None = None
    if name:
        from crashlab import scenario

        named = scenario.load(settings().scenarios, name)
    chosen = runtime_of(runtime)
    if not as_json:
        print(why_this_runtime(runtime, chosen), file=sys.stderr)
    with progress("start", 8, quiet=as_json) as report:
        starting.clean_up(settings())
        begun = starting.start(
            settings(), name, blind=blind, level=level, family=family, mix=weights, drafts=drafts, seed=seed, on=on,
            runtime=chosen, report=report, background=True,
        )  # fmt: skip
    if as_json:
        document(
            {
                "incident": begun.record.id,
                # Of one that was drawn it would be a hint at what it is.
                "status": named.status if named else None,
                "brief": begun.brief.model_dump(mode="json"),
                "places": dict(places(begun)),
            }
        )
        return
    from crashlab import views

    show(views.brief(begun.brief), "\n[bold]Where things are[/]", views.places(places(begun)), views.next_steps())
    if named and not named.proved:
        print(f"\n{scenario.draft_note([named])}", end="")


def places(one: "Incident") -> list[tuple[str, str]]:
    """Addresses and paths of an incident."""
    addresses = []
    if one.record.phase != "stopped":
        # Under Compose, what has ended has no address.
        with suppress(StackError):
            addresses = [("MLflow", one.stack.url("mlflow"))]
        with suppress(StackError):
            serving = one.stack.url("serving")
            addresses += [("API", serving), ("API docs", f"{serving}/docs"), ("metrics", f"{serving}/metrics")]
    return [
        *addresses,
        ("workspace", str(one.paths.system / "workspace")),
        ("prediction log", str(one.paths.system / "data" / "predictions.db")),
        ("labels", str(one.paths.system / "data" / "labels.db")),
        ("post-mortem", str(one.paths.postmortem)),
    ]


@app.command()
@command
def status(identifier: Id = None, as_json: Json = False) -> None:
    """Show where the incident stands and what its services do."""
    one = incident(identifier)
    from dataclasses import asdict

    from crashlab.stack.base import states

    found = states(one.stack) if one.record.phase != "stopped" else []
    if as_json:
        document({"record": one.record.model_dump(mode="json"), "services": [asdict(state) for state in found]})
        return
    from crashlab import views

    show(views.status(one.record, found))
    for text in one.hints_taken():
        show(f"[dim]hint:[/] {text}")


@app.command()
@command
def brief(identifier: Id = None, as_json: Json = False) -> None:
    """Show the alerts that fired and what changed lately."""
    one = incident(identifier)
    if as_json:
        document(one.brief.model_dump(mode="json"))
        return
    from crashlab import views

    show(views.brief(one.brief), views.next_steps())


@app.command("open")
@command
def open_(
    place: Annotated[str | None, typer.Argument(help="mlflow, api, docs, metrics, workspace, data or verdict.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--print", help="Open the place, or only print it.")] = False,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Show addresses and paths of the incident, or open one of them.

    With a place its address alone is printed, for use in scripts: cd "$(crashlab open workspace)".
    """
    one = incident(identifier)
    known = {label.lower().replace(" ", "-"): target for label, target in places(one)}
    known |= {"docs": known["api-docs"]} if "api-docs" in known else {}
    known["data"] = str(one.paths.system / "data")
    if one.record.attempts:
        known["verdict"] = str(one.paths.attempt(one.record.attempts[-1].number) / "verdict.html")
    if place is not None and place not in known:
        raise UsageError(f"There is no place {place!r}.", f"Places: {', '.join(known)}.")
    if as_json:
        document(known if place is None else {place: known[place]})
        return
    if place is None:
        from crashlab import views

        show(views.places(places(one)))
        return
    print(known[place])
    if browser:
        import webbrowser

        webbrowser.open(known[place] if known[place].startswith("http") else Path(known[place]).as_uri())


@app.command()
@command
def logs(
    service: Annotated[str, typer.Argument(help="mlflow, serving or traffic.")] = "serving",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines from the end.")] = 100,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Show the last lines of a service's log."""
    text = incident(identifier).stack.logs(service, lines)
    if as_json:
        document({"service": service, "lines": text.splitlines()})
    else:
        print(text, end="" if text.endswith("\n") else "\n")


@app.command()
@command
def shell(
    service: Annotated[str, typer.Argument(help="serving or mlflow.")] = "serving",
    run: Annotated[str | None, typer.Option("--command", "-c", help="Run this and come back.")] = None,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Open a shell in a service's environment.

    With -c, run one command there; the exit code is that command's.
    """
    one = incident(identifier)
    one.require("live", "submitted", "passed")
    stack = one.stack
    if run is None:
        if as_json:
            raise UsageError("An interactive shell has no JSON.", "Give a command with -c.")
        raise typer.Exit(stack.shell(service))
    done = stack.run(service, ["sh", "-c", run])
    if as_json:
        document({"code": done.code, "out": done.out, "err": done.err})
    else:
        print(done.out, end="")
        print(done.err, end="", file=sys.stderr)
    raise typer.Exit(done.code)
