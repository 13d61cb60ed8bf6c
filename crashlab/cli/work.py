"""Measure, repair, write, hand in, and end an incident."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import grader
from crashlab.cli.base import Id, Json, Judge, JudgeModel, app, command, document, incident, progress, settings, show
from crashlab.errors import CrashlabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crashlab.incident import Incident
    from crashlab.model import Verdict

READ_BYTES = 50_000_000
"""Bytes of a post-mortem that are read at most, far above what is graded."""


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
    asked = grader.questions(text)
    if asked:
        raise UsageError(
            " ".join(asked),
            f"Write the id that you mean into {path.name} and submit again; nothing was handed in. `crashlab taxonomy` lists them.",
        )
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
    from crashlab import starting

    # What a killed start left is the first thing that a stop is for.
    stopped = starting.clean_up(settings())
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
    tell_what_runs(incidents.running(settings()))


def tell_what_runs(identifiers: "Sequence[str]") -> None:
    """Say which incidents are not over."""
    if identifiers:
        names = ", ".join(identifiers)
        print(f"Still running: {names}. End one with `crashlab stop -i ID`, or all with `crashlab stop --all`.")
