"""The command line: the only part of the engine that prints, exits or reads the environment.

Every command takes `--json` for one JSON document on standard output. Heavy packages are imported by the command that
needs them, so that `--help` and `list` answer at once.
"""

from crashlab.cli import surroundings  # isort: skip  # noqa: F401 before anything that it keeps away could be imported

import os
import signal
import sys
from typing import NoReturn

import typer

# In the order in which `--help` lists their commands.
from crashlab.cli import incidents, work, authors, teaching, workloads  # isort: skip  # noqa: F401 each registers its commands
from crashlab.cli.base import app, fail
from crashlab.errors import UsageError


def main() -> None:
    """Entry point. A termination signal is treated as Ctrl-C, so that what was begun is cleaned up."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        if sys.argv[1:] in (["list"], ["list", "--drafts"]):
            # There is nothing to parse, and the parser would import all of pydantic before it found that out.
            incidents.list_(drafts="--drafts" in sys.argv)
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
