"""What every command needs: the application, shared options, output, errors, and the incident that is meant."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from crashlab import settings as settings_module
from crashlab.errors import CrashlabError, Interrupted, UsageError, from_os

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crashlab.incident import Incident
    from crashlab.model import RuntimeName
    from crashlab.settings import Settings

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
