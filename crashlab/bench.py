"""Figures of `make bench`: every one is a ratio to something measured in the same run, but grading time and memory.

What is compared is run in turn, and the medians are compared, so that a slow or busy machine slows both sides.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from crashlab.incident import Incident, start
from crashlab.model import Frozen, RuntimeName
from crashlab.settings import Settings
from crashlab.stack import entrance, processes
from crashlab.stack.base import Report, states
from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.services import environment, find

SCENARIO = "unit-mismatch"
"""A change of code, as most scenarios are; its environments are the healthy ones, so nothing is installed meanwhile."""
SEED = 1
LIMITS = {
    "start (embedded) / mlflow server": 2.2,
    "start (compose) / mlflow server": 2.5,
    "list / import pydantic, typer": 2.0,
    "submit to verdict (embedded), s": 30.0,
    "submit to verdict (compose), s": 30.0,
    "memory (embedded), MB": 700.0,
    "memory (compose), MB": 1000.0,
}
"""What each figure is to stay below."""


class Figure(Frozen):
    """One figure with the medians it comes from."""

    name: str
    value: float
    limit: float
    detail: str = ""

    @property
    def within(self) -> bool:
        """Whether the figure is below its limit."""
        return self.value <= self.limit


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def registry_alone(settings: Settings) -> float:
    """Seconds from the start of `mlflow server` on a database that is there to its first answer: one worker, no jobs."""
    service = find("mlflow")
    with tempfile.TemporaryDirectory(prefix="crashlab-bench-") as folder:
        home = Path(folder) / "bench" / "system"
        stack = EmbeddedStack(home=home, root=settings.root, shared=settings.home, workload="eta")
        env = stack.envs.python("mlflow", stack.workspace.path / service.requirements)
        port = processes.free_port()
        values = {"host": "127.0.0.1", "port": str(port), "mlflow": str(home / "mlflow")}
        (home / "mlflow").mkdir(parents=True)
        argv = [
            str(env / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{home}/mlflow/mlflow.db",
            "--artifacts-destination", f"{home}/mlflow/artifacts", "--serve-artifacts",
        ]  # fmt: skip
        variables = {
            **processes.base_environment(env / "bin", stack.mark, "mlflow"),
            **environment(service, values),
        }
        url = f"http://127.0.0.1:{port}{service.health}"
        took = 0.0
        for _ in ("the one that makes the database", "the one that is timed"):
            begin = time.perf_counter()
            started = processes.spawn(argv, home / "mlflow", variables, home / "mlflow.log")
            try:
                processes.await_health("mlflow", url, started, 180.0, home / "mlflow.log")
                took = time.perf_counter() - begin
            finally:
                stack.down()
        return took


def memory_mb(incident: Incident) -> float:
    """Memory of all services of an incident's stack, in megabytes."""
    found = sum(state.usage.memory_mb for state in states(incident.stack) if state.usage)
    if isinstance(incident.stack, EmbeddedStack):
        # The gateway is no service of the table.
        gateway = processes.marked(incident.stack.mark, entrance.NAME)
        found += sum(processes.rss_mb(process) for process in gateway)
    return found


def one_incident(settings: Settings, runtime: RuntimeName) -> tuple[float, float, float]:
    """Start an incident, hand in its empty template, stop it: seconds to live, seconds to the verdict, megabytes."""
    begin = time.perf_counter()
    incident = start(settings, SCENARIO, blind=True, seed=SEED, runtime=runtime, background=True)
    live = time.perf_counter() - begin
    try:
        incident.frozen()
        memory = memory_mb(incident)
        graded = seconds(lambda: incident.submit(incident.paths.postmortem.read_text(encoding="utf-8")))
    finally:
        incident.stop()
    return live, graded, memory


def python(*argv: str) -> Callable[[], object]:
    """Return a call that runs this Python with arguments."""

    def call() -> object:
        return subprocess.run([sys.executable, *argv], check=True, capture_output=True)

    return call


def light_commands(rounds: int) -> Figure:
    """`crashlab list` against importing the two packages that any such command needs."""
    listing, importing = python("-m", "crashlab.cli", "list"), python("-c", "import pydantic, typer")
    listing(), importing()
    pairs = [(seconds(listing), seconds(importing)) for _ in range(rounds)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    name = "list / import pydantic, typer"
    return Figure(name=name, value=ours / theirs, limit=LIMITS[name], detail=f"{ours:.2f} s / {theirs:.2f} s")


def starts(settings: Settings, runtimes: list[RuntimeName], rounds: int, report: Report) -> list[Figure]:
    """Starts against the registry alone, in turn; and what they cost."""
    for runtime in runtimes:
        report(f"a first start on {runtime}")
        # The first one trains the history and makes environments or images; it is not measured.
        one_incident(settings, runtime)
    registry_alone(settings)
    alone: list[float] = []
    found: dict[RuntimeName, list[tuple[float, float, float]]] = {runtime: [] for runtime in runtimes}
    for number in range(rounds):
        report(f"round {number + 1} of {rounds}")
        alone.append(registry_alone(settings))
        for runtime in runtimes:
            found[runtime].append(one_incident(settings, runtime))
    base = statistics.median(alone)
    figures = []
    for runtime, rows in found.items():
        live, graded, memory = (statistics.median(column) for column in zip(*rows, strict=True))
        for name, value, detail in (
            (f"start ({runtime}) / mlflow server", live / base, f"{live:.1f} s / {base:.1f} s"),
            (f"submit to verdict ({runtime}), s", graded, ""),
            (f"memory ({runtime}), MB", memory, "all services after a start"),
        ):
            figures.append(Figure(name=name, value=value, limit=LIMITS[name], detail=detail))
    return figures


def run(settings: Settings, runtimes: list[RuntimeName], rounds: int, report: Report) -> list[Figure]:
    """Measure everything, `rounds` times each start. Takes minutes."""
    report("the light commands")
    return [light_commands(10), *starts(settings, runtimes, rounds, report)]
