"""The command line: the only part of the engine that prints, exits or reads the environment.

Every command takes `--json` for one JSON document on standard output. Heavy packages are imported by the command that
needs them, so that `--help` and `list` answer at once.
"""

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from crashlab import settings as settings_module
from crashlab.errors import CrashlabError, Interrupted, MissingPrerequisite, StackError, UsageError, from_os

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crashlab.incident import Incident
    from crashlab.model import RuntimeName, Verdict
    from crashlab.scenario import Scenario
    from crashlab.settings import Settings
    from crashlab.tables.table import Task

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    name="crashlab",
    help="Break a model deployment on purpose, diagnose it in precise terms, fix it, and have the post-mortem graded.",
    epilog="A first incident: `crashlab doctor`, then `crashlab start --blind --level 2`. README.md says how to go on; "
    "docs/reference/commands.md has every command.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

READ_BYTES = 50_000_000
"""Bytes of a post-mortem that are read at most, far above what is graded."""

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Id = Annotated[str | None, typer.Option("--incident", "-i", help="Incident id; the one started last by default.")]
Runtime = Annotated[
    str | None,
    typer.Option(help="compose (Docker) or embedded (local processes); compose where Docker answers, else embedded."),
]
OnWorkload = Annotated[
    str | None,
    typer.Option("--workload", metavar="NAME", help="A workload of your own table instead of the scenario's own."),
]
Drafts = Annotated[
    bool, typer.Option("--drafts", help="Take drafts as well: scenarios whose proof was not repeated on five seeds.")
]
Judge = Annotated[
    str | None,
    typer.Option(metavar="URL", help="OpenAI-compatible endpoint that advises on the prose; off by default."),
]
JudgeModel = Annotated[str, typer.Option(metavar="NAME", help="Model to ask there; the key is CRASHLAB_JUDGE_KEY.")]


def settings() -> "Settings":
    """Settings of this process."""
    return settings_module.from_environment(os.environ)


def show(*parts: "RenderableType") -> None:
    """Print renderables to standard output."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    for part in parts:
        console.print(part)


def document(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


@contextmanager
def progress(title: str, steps: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show a bar that moves on with every phase; plain lines on standard error where there is no terminal."""
    if quiet or not sys.stderr.isatty():

        def plain(phase: str) -> None:
            if not quiet:
                print(f"{title}: {phase}", file=sys.stderr, flush=True)

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=steps)
        started = False

        def report(phase: str) -> None:
            nonlocal started
            bar.update(task, description=f"{title}: {phase}", advance=1 if started else 0)
            started = True

        yield report


def fail(error: CrashlabError, *, as_json: bool) -> NoReturn:
    """Say what went wrong and what to do, and exit with the error's code."""
    if as_json:
        document({"error": {"message": error.message, "hint": error.hint, "code": error.exit_code}})
    else:
        print(f"Error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
    raise typer.Exit(error.exit_code)


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn known failures of a command into one sentence and an exit code."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        try:
            return function(*args, **kwargs)
        except CrashlabError as error:
            fail(error, as_json=as_json)
        except OSError as error:
            known = from_os(error)
            if known is None:
                raise
            fail(known, as_json=as_json)
        except KeyboardInterrupt:
            fail(Interrupted(), as_json=as_json)

    return wrapped


def incident(identifier: str | None) -> "Incident":
    """Return the named incident or the current one."""
    from crashlab import incident as incidents

    return incidents.current(settings(), identifier)


def runtime_of(value: str | None) -> "RuntimeName":
    """Choose the runtime: as asked, as set, or compose where a Docker Engine answers."""
    asked = value or settings().runtime
    if asked == "embedded":
        return "embedded"
    if asked not in (None, "compose"):
        raise UsageError(f"There is no runtime {asked!r}.", "Use --runtime compose or --runtime embedded.")
    from crashlab.stack import engine

    if asked:
        engine.require()
        return "compose"
    return "compose" if engine.answers() else "embedded"


def why_this_runtime(given: str | None, chosen: "RuntimeName") -> str:
    """Say which runtime was chosen, and why."""
    if given:
        return f"Runtime: {chosen}, as asked."
    if settings().runtime:
        return f"Runtime: {chosen}, as CRASHLAB_RUNTIME says."
    if chosen == "compose":
        return "Runtime: compose, because a Docker Engine answers; --runtime embedded does without."
    return "Runtime: embedded, because no Docker Engine answers."


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
    from crashlab import incident as incidents
    from crashlab import mixes

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
        incidents.clean_up(settings())
        begun = incidents.start(
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


@app.command()
@command
def measure(
    selector: Annotated[list[str], typer.Argument(help="For instance: registry alias=champion version")],
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Measure one fact and note it, ready to cite.

    The answer has the form in which a post-mortem cites it: [SELECTOR=value]. A selector that does not exist is answered
    with those that do; docs/reference/facts.md explains each.
    """
    one = incident(identifier)
    with progress("measure", 1, quiet=as_json):
        entry = one.measure(" ".join(selector))
    if as_json:
        document(entry.model_dump(mode="json"))
    else:
        print(entry.citation)


@app.command()
@command
def notebook(identifier: Id = None, as_json: Json = False) -> None:
    """Show every fact you have measured."""
    entries = incident(identifier).record.notebook
    if as_json:
        document([entry.model_dump(mode="json") for entry in entries])
        return
    from crashlab import views

    show(views.notebook(entries) if entries else "Nothing measured yet. Try: crashlab measure latency p95_ms")


@app.command()
@command
def report(
    window: Annotated[str, typer.Option(help="before: the healthy days; now: since the last deployment.")] = "now",
    side: Annotated[str, typer.Option(help="features: what reached the model; raw: what clients sent.")] = "features",
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Compare production with the training data: a drift report.

    Evidently compares the training reference with one window of production, and writes a page and a JSON file.
    """
    if window not in ("before", "now") or side not in ("features", "raw"):
        raise UsageError(
            f"There is no report of {side!r} for {window!r}.", "--window before or now; --side features or raw."
        )
    one = incident(identifier)
    with progress("report", 2, quiet=as_json) as tell:
        tell("comparing distributions")
        found = one.report(window, side)
    if as_json:
        document(found.model_dump(mode="json"))
        return
    from crashlab import views

    made = views.table("Column", "Value", "Threshold", "Method", "")
    for item in found.columns:
        made.add_row(
            item.name,
            f"{item.distance:.3f}",
            f"{item.threshold:g}",
            item.method,
            "[red]drifted[/]" if item.drifted else "",
        )
    show(made, views.places([("HTML", str(found.html)), ("JSON", str(found.json_file))]))


@app.command()
@command
def deploy(
    message: Annotated[str, typer.Option("--message", "-m", help="Commit message.")] = "Fix the incident",
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Commit the workspace and ship it.

    The old version serves until the new one is ready, and goes on where the new one does not build.
    """
    one = incident(identifier)
    with progress("deploy", 5, quiet=as_json) as tell:
        commit = one.deploy(message, tell)
    if as_json:
        document({"commit": commit, "serving": one.stack.url("serving")})
    else:
        print(f"Deployed {commit[:7]} to {one.stack.url('serving')}.")


@app.command()
@command
def promote(
    version: Annotated[int, typer.Argument(help="Model version.")],
    alias: Annotated[str, typer.Option(help="Alias to move.")] = "champion",
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Point a registry alias to another model version.

    The API loads it at its next deployment.
    """
    one = incident(identifier)
    before = one.promote(alias, version)
    if as_json:
        document({"alias": alias, "from": before, "to": version})
    else:
        print(f"{alias}: {before or 'unset'} -> {version}. Run `crashlab deploy` to serve it.")


@app.command()
@command
def retrain(
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of `python -m training train`, after --.")
    ] = None,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Run the workspace's training job and register its model.

    No alias moves unless the job is told so: crashlab retrain -- --alias champion
    """
    one = incident(identifier)
    with progress("retrain", 2, quiet=as_json) as tell:
        done = one.retrain(list(options or []), tell)
    if as_json:
        document(done)
    else:
        print(
            f"Registered version {done['version']}: "
            + ", ".join(f"{name} {value:.3g}" for name, value in done["metrics"].items())
            + " on held-out days."
        )


@app.command()
@command
def job(
    argv: Annotated[list[str], typer.Argument(help="Command of `python -m training`, for instance refresh.")],
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Run another job of the workspace's training side."""
    one = incident(identifier)
    with progress("job", 1, quiet=as_json) as tell:
        printed = one.job(argv, tell)
    if as_json:
        document({"job": argv, "printed": printed})
    else:
        print(printed)


@app.command()
@command
def hint(identifier: Id = None, as_json: Json = False) -> None:
    """Open the next hint; each costs points."""
    taken, text = incident(identifier).hint()
    if as_json:
        document({"index": taken.index, "cost": taken.cost, "text": text})
    else:
        print(f"{text}\n({taken.cost:g} points)")


@app.command()
@command
def submit(
    file: Annotated[Path | None, typer.Argument(help="The post-mortem; the incident's own file by default.")] = None,
    author: Annotated[str, typer.Option(help="Your name, for the record.")] = "",
    judge: Judge = None,
    judge_model: JudgeModel = "default",
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Hand in the post-mortem and the system, and be graded.

    As often as you like: every submission is kept. The workspace is redeployed and asked hidden requests.
    """
    one = incident(identifier)
    path = file or one.paths.postmortem
    text = read_text(path)
    with progress("submit", 8, quiet=as_json) as tell:
        result = one.submit(text, author, tell)
        ask_judge(one, judge, judge_model)
    verdict_out(one, result, as_json=as_json)


def read_text(path: Path) -> str:
    """Read a file a person wrote. Raises UsageError where it is none."""
    try:
        with path.open("rb") as handle:
            # A device or a pipe has no size to ask for, and may have no end.
            data = handle.read(READ_BYTES + 1)
        if len(data) > READ_BYTES:
            raise UsageError(
                f"{path.name} is larger than {READ_BYTES / 1e6:.0f} MB.", "A post-mortem fits on two pages."
            )
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a text in UTF-8.", "Give the path of a Markdown file.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{path} cannot be read: {reason}.", "Give the path of a Markdown file.") from error


def verdict_out(one: "Incident", result: "Verdict", *, as_json: bool) -> None:
    """Show a verdict, and the truth where the incident is over; exit 0 if passed, 1 if not."""
    from crashlab import final as results

    folder = one.paths.attempt(one.record.attempts[-1].number)
    page = folder / "verdict.html"
    final = results.result(folder)
    if as_json:
        document({**result.model_dump(mode="json"), "html": page, "final": results.summary(final)})
    else:
        from crashlab import views

        show(views.verdict(result))
        for line in results.lines(final):
            print(line)
        if one.over:
            print(one.opened())
        show(views.places([("as a page", str(page))]))
    if not final.passed:
        raise typer.Exit(1)


@app.command()
@command
def verdict(
    judge: Judge = None, judge_model: JudgeModel = "default", identifier: Id = None, as_json: Json = False
) -> None:
    """Show the latest verdict.

    With the whole truth once the incident is passed or stopped.
    """
    one = incident(identifier)
    _, result, _ = one.verdict()
    ask_judge(one, judge, judge_model)
    verdict_out(one, result, as_json=as_json)


@app.command("progress")
@command
def progress_(as_json: Json = False) -> None:
    """What you solved, what you took for what, and what to practise next."""
    from crashlab import progress as records

    found = records.read(settings())
    if as_json:
        document(found.model_dump(mode="json"))
        return
    from crashlab import views

    show(views.progress(found))


@app.command()
@command
def stop(
    identifier: Id = None,
    all_: Annotated[bool, typer.Option("--all", help="Every incident on this host.")] = False,
    as_json: Json = False,
) -> None:
    """Tear the system down and open the seal.

    Post-mortem, notebook and verdicts stay.
    """
    from crashlab import incident as incidents

    # What a killed start left is the first thing that a stop is for.
    stopped = incidents.clean_up(settings())
    failed: CrashlabError | None = None
    if all_:
        from crashlab import stand

        stand.clean_up(settings())
        chosen = [incidents.current(settings(), name) for name in incidents.identifiers(settings())]
    else:
        chosen = [] if stopped and identifier in (None, *stopped) else [incident(identifier)]
    with progress("stop", len(chosen), quiet=as_json) as tell:
        for one in chosen:
            if one.record.phase != "stopped" or not all_:
                tell(one.record.id)
                try:
                    one.stop()
                    stopped.append(one.record.id)
                except CrashlabError as error:
                    # One that cannot be stopped keeps no other one running.
                    failed = failed or error
    if failed and as_json:
        raise failed
    if as_json:
        document({"stopped": stopped})
        return
    for name in stopped:
        print(f"Stopped {name}.")
    if failed:
        raise failed
    if len(stopped) == len(chosen) == 1:
        print(chosen[0].opened())


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
        for result in proofs.prove(settings(), chosen, range(seed, seed + seeds), tell, jobs, on, whole=whole):
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


@app.command()
@command
def taxonomy(as_json: Json = False) -> None:
    """List every cause that a post-mortem can name."""
    import grader

    known = grader.taxonomy()
    if as_json:
        document(known.model_dump(mode="json"))
        return
    from crashlab import views

    made = views.table("Family", "Cause", "What it is")
    for cause in known.causes:
        made.add_row(cause.family, f"[bold]{cause.id}[/]", cause.definition)
    show(made, f"\nComponents: {', '.join(c.id for c in known.components)}")


@app.command()
@command
def glossary(
    term: Annotated[list[str] | None, typer.Argument(help="One term; all of them by default.")] = None,
    as_json: Json = False,
) -> None:
    """Look up terms, and what each is confused with."""
    import grader

    wanted = " ".join(term or []).lower()
    found = [e for e in grader.glossary() if not wanted or wanted in (e.term.lower(), *(s.lower() for s in e.synonyms))]
    if wanted and not found:
        close = [e.term for e in grader.glossary() if any(word in e.term.lower() for word in wanted.split())]
        raise UsageError(f"The glossary has no {wanted!r}.", f"Close: {', '.join(close[:8]) or 'nothing'}.")
    if as_json:
        document([entry.model_dump(mode="json") for entry in found])
        return
    from crashlab import views

    made = views.table("Term", "Definition", "Also called", "Confused with")
    for entry in found:
        made.add_row(
            f"[bold]{entry.term}[/]", entry.definition, ", ".join(entry.synonyms), ", ".join(entry.confused_with)
        )
    show(made)


def ask_judge(one: "Incident", url: str | None, model: str) -> None:
    """Have a judge advise on the latest submission, and keep its advice. Without `url` nothing happens."""
    if url is None:
        return
    from crashlab import final, store
    from crashlab import judge as judges

    attempt, result, bundle = one.verdict()
    folder = one.paths.attempt(attempt.number)
    advice = judges.advise(bundle, result, url, model=model, key=os.environ.get("CRASHLAB_JUDGE_KEY", ""))
    store.write(folder / final.ADVICE, advice)
    final.keep(folder)


@app.command()
@command
def review(file: Annotated[Path, typer.Argument(help="A post-mortem in Markdown.")], as_json: Json = False) -> None:
    """Check the post-mortem of an incident of your own.

    Nothing is said about its cause. Exit code 1 where something is missing.
    """
    import grader

    found = grader.review(read_text(file))
    if as_json:
        document(found.model_dump(mode="json"))
    else:
        from crashlab import views

        show(views.review(found))
    if not found.sound:
        raise typer.Exit(1)


@app.command()
@command
def override(
    item: Annotated[str, typer.Argument(help="Item of the verdict, for instance mechanism.")],
    points: Annotated[float, typer.Argument(help="Its points.")],
    author: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str, typer.Option(help="Why; the learner reads it.")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder of a submission; the incident's latest by default.")
    ] = None,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Set one item of a verdict by hand. The automatic value is kept beside it."""
    from crashlab import final

    if folder is None:
        one = incident(identifier)
        attempt, _, _ = one.verdict()
        folder = one.paths.attempt(attempt.number)
    entry = final.override(folder, item, points, author, reason)
    result = final.keep(folder)
    if as_json:
        document({"override": entry.model_dump(mode="json"), **final.summary(result)})
        return
    for line in final.lines(result):
        print(line)


@app.command()
@command
def regrade(
    folder: Annotated[Path, typer.Argument(help="Folder with bundles, at any depth.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report differences and write nothing.")] = False,
    rubric: Annotated[Path | None, typer.Option(help="TOML file with additions to scenarios' rubrics.")] = None,
    replan: Annotated[bool, typer.Option(help="Take each rubric from its scenario as it is today.")] = False,
    as_json: Json = False,
) -> None:
    """Grade frozen bundles again and report what differs. Verdicts that are replaced are kept beside the new ones."""
    from crashlab import regrade as regrader

    report = regrader.regrade(folder, rubric=rubric, replan=replan, dry_run=dry_run)
    if as_json:
        document(report.model_dump(mode="json"))
    else:
        from crashlab import views

        show(views.regrading(report))


@app.command()
@command
def export(
    kind: Annotated[str, typer.Argument(metavar="FORMAT", help="gradescope, canvas, moodle or nbgrader.")],
    folder: Annotated[Path, typer.Argument(help="Folder with graded bundles, at any depth.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; standard output by default.")] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Class list: CSV with a column author and those of the format.")
    ] = None,
    assignment: Annotated[str, typer.Option(help="Title of the assignment.")] = "Crashlab",
    as_json: Json = False,
) -> None:
    """Write results for a gradebook.

    The best submission of each author, overrides included.
    """
    from crashlab import exports, store

    text = exports.export(folder, kind, known=exports.roster(roster) if roster else None, assignment=assignment)
    if out is not None:
        store.write_text(out, text)
    if as_json:
        document({"format": kind, "file": out, "text": None if out else text})
    elif out is None:
        print(text, end="")


workload_app = typer.Typer(
    help="Workloads: those of the project, and your own, made of a table.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(workload_app, name="workload")


@workload_app.command("list")
@command
def workload_list(as_json: Json = False) -> None:
    """Workloads there are."""
    from crashlab import sources
    from crashlab import workload as workloads

    given = settings()
    own = sources.own_names(given)
    found = [workloads.load(given.root, name) for name in workloads.names(given.root)]
    found += [workloads.load(sources.root(given, name), name) for name in own]
    if as_json:
        document([{"name": w.name, "title": w.title, "own": w.name in own, "metric": w.quality.metric} for w in found])
        return
    for item in found:
        print(f"{item.name:12} {item.quality.metric:9} {'your own' if item.name in own else 'built in':9} {item.title}")


@workload_app.command("add")
@command
def workload_add(
    file: Annotated[Path, typer.Argument(help="A CSV file with one heading for each column.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="Name of the workload; made of the file's name by default.")] = None,
    time: Annotated[str | None, typer.Option(help="A column of times: the latest rows become production.")] = None,
    entity: Annotated[str | None, typer.Option(help="A column of identifiers, which is no feature.")] = None,
    task: Annotated[str | None, typer.Option(help="regression or classification, where the guess is wrong.")] = None,
    positive: Annotated[
        str | None, typer.Option(help="The class to predict the probability of; the rarest by default.")
    ] = None,
    runtime: Runtime = None,
    as_json: Json = False,
) -> None:
    """Make a workload of your own table, and train its models."""
    from crashlab.incident import open_stack
    from crashlab.tables import make

    if task not in (None, "regression", "classification"):
        raise UsageError(f"There is no task {task!r}.", "Use regression or classification.")
    chosen, given = runtime_of(runtime), settings()
    kind: Task | None = None if task is None else "regression" if task == "regression" else "classification"
    with progress("workload", 7, quiet=as_json) as tell:
        made = make.add(
            given, file, target, lambda home, root, called: open_stack(given, chosen, home, called, root),
            name=name, time=time, entity=entity, task=kind, positive=positive, runtime=chosen, report=tell,
        )  # fmt: skip
    if as_json:
        document(made.model_dump(mode="json"))
        return
    from crashlab import views

    what = f"probability of {made.target} = {made.positive}" if made.positive else made.target
    quality = ", ".join(f"{key} {value:.3g}" for key, value in made.quality.items())
    lines = [
        ("predicts", f"{what} ({made.task})"),
        ("rows", ", ".join(f"{count} {part}" for part, count in made.rows.items())),
        ("features", ", ".join(f"{key} ({kind})" for key, kind in made.columns.items())),
        ("left out", "; ".join(f"{key}: {why}" for key, why in made.left_out.items()) or "nothing"),
        ("healthy", f"{quality}; training and serving agree on every row"),
    ]
    show(views.places(lines))


@workload_app.command("remove")
@command
def workload_remove(
    name: Annotated[str, typer.Argument(help="A workload of your own.")], as_json: Json = False
) -> None:
    """Remove a workload of your own, and what was trained for it."""
    from crashlab.tables import make

    make.remove(settings(), name)
    if as_json:
        document({"removed": name})
    else:
        print(f"Removed {name}.")


def main() -> None:
    """Entry point. A termination signal is treated as Ctrl-C, so that what was begun is cleaned up."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        if sys.argv[1:] in (["list"], ["list", "--drafts"]):
            # There is nothing to parse, and the parser would import all of pydantic before it found that out.
            list_(drafts="--drafts" in sys.argv)
            return
        # No command at all is a question for help.
        sys.exit(app(sys.argv[1:] or ["--help"], prog_name="crashlab", standalone_mode=False))
    except typer.TyperException as error:
        sys.exit(misused(error))
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except BrokenPipeError:
        # The reader went away, as in `crashlab list | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def misused(error: typer.TyperException) -> int:
    """Say what was wrong with the command line as any other error is said, and return the exit code."""
    message, context = error.format_message().rstrip(), getattr(error, "ctx", None)
    hint = f"See `{context.command_path} --help`." if context else ""
    try:
        fail(UsageError(message if message.endswith((".", "?")) else f"{message}.", hint), as_json="--json" in sys.argv)
    except typer.Exit as done:
        return done.exit_code


if __name__ == "__main__":
    main()
