"""The protocol of a stack: what can be asked of a running system, whichever runtime runs it.

The protocol has eight verbs. What is made of them for either runtime is functions below it.

A stack lives in one folder:

    <home>/workspace/   git repository of the deployable code (featurelib/ training/ serving/)
    <home>/data/        what the services share: orders.jsonl features.db predictions.db requests.db
                        labels.db traffic.json
    <home>/mlflow/      the registry's database and artifacts
    <home>/logs/        service logs (embedded)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crashlab.errors import StackError, UsageError
from crashlab.model import RuntimeName
from crashlab.stack.services import SERVICES, find

Report = Callable[[str], None]
"""Called with one short phrase as work goes on; a progress bar or nothing at all."""


def silent(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Edit:
    """One replacement in one file of the workspace; `old` occurs exactly once. An empty `old` creates the file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Commit:
    """A commit of the workspace: `when` is in UTC ISO 8601, `author` is `Name <address>`."""

    message: str
    edits: tuple[Edit, ...]
    author: str
    when: str
    relock: tuple[str, ...] = ()
    """Folders whose requirements.in the edits change; their requirements.txt is compiled into the same commit."""


@dataclass(frozen=True)
class Finished:
    """A command that ended: exit code, standard output and standard error as text."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Usage:
    """What a running service uses, and what became of it. None where the runtime cannot tell.

    `memory_mb` is the resident memory of its processes in units of 10^6 bytes, files aside, and `threads` the number of
    their threads. Of the scheduling `periods` in which it wanted to run since it was started, it was stopped in
    `throttled` because its share of the processors was used up. `restarts` counts how often it was started again after
    it had ended by itself, and `out_of_memory` whether the kernel ended it for want of memory.
    """

    memory_mb: float
    threads: int
    periods: int | None = None
    throttled: int | None = None
    restarts: int | None = None
    out_of_memory: bool | None = None


@dataclass(frozen=True)
class ServiceState:
    """What one service is doing.

    `healthy` says that it answers on its health path, where it has one; it is False where that was not asked. `memory_mb`
    and `cpus` are limits, None where the runtime sets none. `usage` is None for a service that does not run.

    `exit_code` is that of a container that has ended: 137 and 139 are those of a process that was killed, and of one
    that reached for memory that is not its own. None for one that runs, and where the runtime cannot tell.
    """

    name: str
    running: bool
    healthy: bool
    url: str | None
    memory_mb: int | None = None
    cpus: float | None = None
    usage: Usage | None = None
    detail: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class Release:
    """One deployment of the workspace: the commit that serves and how long shipping it took, in seconds."""

    commit: str
    seconds: float
    log: str = field(default="", repr=False)


class Workspace(Protocol):
    """The learner's git repository of deployable code."""

    path: Path

    def commit(self, change: Commit) -> str:
        """Apply the edits and commit them; returns the new commit's hash. Raises UsageError if an edit does not fit."""
        ...

    def revert(self, commit: str) -> str:
        """Commit the inverse of `commit`; returns the new hash."""
        ...

    def head(self) -> str:
        """Hash of the current commit."""
        ...


class Registry(Protocol):
    """The model registry of the stack, over MLflow's REST API."""

    def aliases(self) -> dict[str, int]:
        """Version by alias."""
        ...

    def move_alias(self, alias: str, version: int) -> None:
        """Point `alias` to `version`."""
        ...

    def versions(self) -> dict[int, Mapping[str, str]]:
        """Tags by version; `run_id` is among them."""
        ...


class Stack(Protocol):
    """One system. Every method raises StackError where the runtime fails, and says which service."""

    runtime: RuntimeName
    home: Path
    workload: str

    @property
    def workspace(self) -> Workspace:
        """The repository that `deploy` ships."""
        ...

    @property
    def registry(self) -> Registry:
        """The registry's client; usable while the `mlflow` service is up."""
        ...

    def up(self, services: Sequence[str] = (), report: Report = silent) -> None:
        """Start the services (all by default), and return when each is healthy. What already runs is left alone.

        A service that was stopped, or that ended, comes back as it was last deployed; one that was forgotten or never
        up is made from the workspace's last commit. Raises NotReady where one was started and ended, or goes on
        answering that it is not ready; it is left as it is.
        """
        ...

    def down(self, services: Sequence[str] = (), *, forget: bool = False) -> None:
        """Stop and remove everything this stack started. Safe at any moment and any number of times.

        With names, stop these services in their order and leave the others alone; `forget` also removes what is left
        of them, their log and the release that they ran included, so that the next `up` makes them anew.
        """
        ...

    def deploy(self, report: Report = silent) -> Release:
        """Build the workspace's serving side and replace the running one.

        Raises BuildFailed, with the old version still serving, where the build fails or the new version never
        becomes ready.
        """
        ...

    def run(self, service: str, argv: Sequence[str], stdin: str = "", timeout: float | None = None) -> Finished:
        """Run a command in a service's environment, its code folder as working directory, also where it has ended.

        `training`, which runs once and exits, has the training code that the workspace holds now. Raises StackError
        after `timeout` seconds, with nothing of the command left, and UsageError without a command.
        """
        ...

    def shell(self, service: str) -> int:
        """Give the terminal to a shell in a service's environment; returns its exit code."""
        ...

    def url(self, service: str) -> str:
        """Base address of a service on this host, without a final slash."""
        ...

    def logs(self, service: str, lines: int = 200) -> str:
        """The last lines of a service's log."""
        ...

    def state(self, service: str, *, health: bool = True) -> ServiceState:
        """What a service is doing and uses. Without `health` nothing is asked of the service itself."""
        ...


LISTING = """
import importlib.metadata, json, platform, re
named = [(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()]
found = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in named if name}
print(json.dumps(found | {"python": platform.python_version()}))
"""
"""Program that prints the installed distributions by normal name."""


def some_command(argv: Sequence[str]) -> None:
    """Raise UsageError where a command line is empty."""
    if not argv:
        raise UsageError("There is no command to run.", "Give one, for instance `python --version`.")


def restart(stack: Stack, service: str, report: Report = silent) -> None:
    """Restart one service as it was last deployed, and return when it is healthy. Raises NotReady as `up` does."""
    if find(service).one_shot:
        raise UsageError(f"{service} runs once and cannot be restarted.", "Use `crashlab retrain` to train again.")
    stack.down([service])
    report(f"restarting {service}")
    stack.up([service], report)


def job(stack: Stack, argv: Sequence[str], stdin: str = "", timeout: float = 300.0) -> Finished:
    """Run `python -m training ARGV` once in the training environment, with the workspace's training code."""
    return stack.run("training", ["python", "-m", "training", *argv], stdin, timeout)


def states(stack: Stack) -> list[ServiceState]:
    """Every service of the table, running or not."""
    return [stack.state(name) for name in SERVICES]


def usage(stack: Stack, service: str) -> Usage:
    """What a service uses now, asked without a request to it. Raises StackError where it does not run."""
    found = stack.state(service, health=False).usage
    if found is None:
        raise not_running(service)
    return found


def not_running(service: str) -> StackError:
    """Return the error of a service that is needed and does not run."""
    return StackError(
        f"{service} is not running.", f"See `crashlab logs {service}`; `crashlab deploy` starts it again."
    )


def packages(stack: Stack, service: str) -> dict[str, str]:
    """Installed distributions of a service's environment, and its `python`: version by lower-case name."""
    done = stack.run(service, ["python", "-c", LISTING])
    if done.code != 0:
        raise StackError(f"The packages of {service} could not be listed.", done.err.strip()[-300:])
    return {str(name): str(version) for name, version in json.loads(done.out).items()}
