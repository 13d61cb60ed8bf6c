"""A stack without processes, for tests of what is built on stacks: it remembers what was asked of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crashlab.errors import BuildFailed, NotReady, UsageError
from crashlab.model import RuntimeName
from crashlab.stack.base import LISTING, Commit, Finished, Release, Report, ServiceState, Usage, silent
from crashlab.stack.services import SERVICES, find


@dataclass
class FakeRegistry:
    """A registry in memory: `tags` by version, `aliased` by alias."""

    tags: dict[int, dict[str, str]] = field(default_factory=dict)
    aliased: dict[str, int] = field(default_factory=dict)

    def aliases(self) -> dict[str, int]:
        """Version by alias."""
        return dict(self.aliased)

    def move_alias(self, alias: str, version: int) -> None:
        """Point `alias` to `version`. Raises UsageError where there is no such version."""
        if version not in self.tags:
            raise UsageError(f"There is no version {version}.", "See the versions that there are.")
        self.aliased[alias] = version

    def versions(self) -> dict[int, Mapping[str, str]]:
        """Tags by version."""
        return dict(self.tags)


@dataclass
class FakeWorkspace:
    """A workspace that keeps commits and writes nothing; hashes count up."""

    path: Path
    commits: list[Commit] = field(default_factory=list)
    reverted: list[str] = field(default_factory=list)

    def commit(self, change: Commit) -> str:
        """Keep the commit; returns a made-up hash."""
        self.commits.append(change)
        return self.head()

    def revert(self, commit: str) -> str:
        """Keep that `commit` was reverted; returns a made-up hash."""
        self.reverted.append(commit)
        return self.head()

    def head(self) -> str:
        """Hash made of the number of commits and reverts."""
        return f"{len(self.commits) + len(self.reverted):040x}"


@dataclass
class FakeStack:
    """A stack in memory. `calls` lists (method, arguments); `answers` maps a job's or command's first word to its end.

    `broken` names services that do not start; `build_error` is the message of a deployment that fails.
    """

    home: Path
    workload: str = "eta"
    runtime: RuntimeName = "embedded"
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    answers: dict[str, Finished | Callable[[str], Finished]] = field(default_factory=dict)
    installed: dict[str, dict[str, str]] = field(default_factory=dict)
    log: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    build_error: str = ""
    running: set[str] = field(default_factory=set)
    calls: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = FakeWorkspace(self.home / "workspace")

    def _called(self, method: str, *arguments: object) -> None:
        self.calls.append((method, arguments))

    def up(self, services: Sequence[str] = (), report: Report = silent) -> None:
        """Mark services as running. Raises NotReady for a broken one."""
        self._called("up", tuple(services))
        for name in services or SERVICES:
            report(f"starting {find(name).name}")
            if name in self.broken:
                raise NotReady(f"{name} ended before it was ready.", "It is set to be broken.")
            if not find(name).one_shot:
                self.running.add(name)

    def down(self, services: Sequence[str] = (), *, forget: bool = False) -> None:
        """Mark services, or all of them, as stopped; without a log where they are to be forgotten."""
        self._called("down", tuple(services), forget)
        for name in services or SERVICES:
            self.running.discard(find(name).name)
            if forget:
                self.log.pop(name, None)

    def deploy(self, report: Report = silent) -> Release:
        """Mark the serving API as running. Raises BuildFailed where `build_error` is set."""
        self._called("deploy", self.workspace.head())
        report("building the release")
        if self.build_error:
            raise BuildFailed(self.build_error, "It is set to fail.")
        self.running.add("serving")
        return Release(self.workspace.head(), 0.0)

    def run(self, service: str, argv: Sequence[str], stdin: str = "", timeout: float | None = None) -> Finished:
        """Return the answer set for the first word of the command, or of the job; packages are those of `installed`."""
        self._called("run", find(service).name, tuple(argv), stdin, timeout)
        if argv[-1] == LISTING:
            return Finished(0, json.dumps(self.installed.get(service, {})), "")
        word = argv[3] if tuple(argv[:3]) == ("python", "-m", "training") else argv[0]
        answer = self.answers.get(word, Finished(0, "", ""))
        return answer(stdin) if callable(answer) else answer

    def shell(self, service: str) -> int:
        """Return 0."""
        self._called("shell", find(service).name)
        return 0

    def url(self, service: str) -> str:
        """Return an address where nothing answers."""
        return f"http://127.0.0.1:9/{find(service).name}"

    def logs(self, service: str, lines: int = 200) -> str:
        """Return the last lines of the log set for a service."""
        return "\n".join(self.log.get(find(service).name, "").splitlines()[-lines:])

    def state(self, service: str, *, health: bool = True) -> ServiceState:
        """Return that a service is healthy, with a small usage, where it is marked as running."""
        running = find(service).name in self.running
        usage = Usage(memory_mb=100.0, threads=4) if running else None
        return ServiceState(service, running=running, healthy=running and health, url=None, usage=usage)
