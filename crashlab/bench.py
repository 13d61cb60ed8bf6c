"""Figures of `make bench`: every one is a ratio to something measured in the same run, but grading time and memory.

What is compared is run in turn, and the medians are compared, so that a slow or busy machine slows both sides.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from crashlab.errors import StackError
from crashlab.incident import Incident
from crashlab.model import Frozen, RuntimeName
from crashlab.settings import Settings
from crashlab.stack import entrance, processes
from crashlab.stack.base import Report, silent, states
from crashlab.stack.compose import project_name
from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.engine import PROJECT, Engine
from crashlab.stack.services import environment, find
from crashlab.starting import start

SCENARIO = "unit-mismatch"
"""A change of code, as most scenarios are; its environments are the healthy ones, so nothing is installed meanwhile."""
SEED = 1
BASE = "python:3.11-slim-bookworm"
"""Image that ours are built on."""
LIMITS = {
    "start (embedded) / mlflow server": 2.2,
    "start (compose) / mlflow server": 2.5,
    "list / import pydantic, typer": 2.0,
    "submit to verdict (embedded), s": 30.0,
    "submit to verdict (compose), s": 30.0,
    "memory (embedded), MB": 700.0,
    "memory (compose), MB": 1000.0,
    "serving image above its base, MB": 500.0,
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


def registry_alone(settings: Settings, runtime: RuntimeName) -> float:
    """Seconds from the start of `mlflow server` on a database that is there to its first answer: one worker, no jobs.

    On `compose` it runs in a container of the registry's image, started by `docker run`.
    """
    with tempfile.TemporaryDirectory(prefix="crashlab-bench-") as folder:
        home = Path(folder) / "bench" / "system"
        (home / "mlflow").mkdir(parents=True)
        begin_server = contained_registry if runtime == "compose" else local_registry
        with begin_server(settings, home) as begin:
            # The first one makes the database; the second one is timed.
            return [begin() for _ in range(2)][-1]


def server(database: str, host: str, port: int, artifacts: str) -> list[str]:
    """Command line of an MLflow server with one worker."""
    return [
        "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", artifacts, "--serve-artifacts",
    ]  # fmt: skip


@contextmanager
def local_registry(settings: Settings, home: Path) -> Iterator[Callable[[], float]]:
    """Yield a call that starts the server as a local process, waits for it, ends it, and returns the seconds it took."""
    service = find("mlflow")
    stack = EmbeddedStack(home=home, root=settings.root, shared=settings.home, workload="eta")
    env = stack.envs.python("mlflow", stack.workspace.path / service.requirements)
    port = processes.free_port()
    values = {"host": "127.0.0.1", "port": str(port), "mlflow": str(home / "mlflow")}
    program, *options = server(f"{home}/mlflow/mlflow.db", "127.0.0.1", port, f"{home}/mlflow/artifacts")
    variables = {
        **processes.base_environment(env / "bin", stack.mark, "mlflow"),
        **environment(service, values),
    }
    url = f"http://127.0.0.1:{port}{service.health}"

    def begin() -> float:
        begun = time.perf_counter()
        argv = [str(env / "bin" / program), *options]
        started = processes.spawn(argv, home / "mlflow", variables, home / "mlflow.log")
        try:
            processes.await_health("mlflow", url, started, 180.0, home / "mlflow.log")
            return time.perf_counter() - begun
        finally:
            stack.down()

    yield begin


@contextmanager
def contained_registry(settings: Settings, home: Path) -> Iterator[Callable[[], float]]:
    """Yield the same for a container, with the options that Compose starts the registry with."""
    from crashlab.stack.compose import UNPRIVILEGED, ComposeStack

    service = find("mlflow")
    stack = ComposeStack(home=home, root=settings.root, shared=settings.home, workload="eta")
    port = processes.free_port()
    variables = environment(service, {"host": "0.0.0.0", "port": str(service.port), "mlflow": "/mlflow"})  # noqa: S104 inside
    try:
        stack.images.training(registry=True)
        (image,) = stack.engine.images("mlflow")
        (home / "mlflow").chmod(0o777)
        argv = [
            "run", "--detach", "--init", "--read-only", "--tmpfs", "/tmp:mode=1777", "--user", f"{UNPRIVILEGED}",  # noqa: S108 inside
            "--cpus", f"{service.cpus:g}", "--memory", f"{service.memory_mb}m", "--volume", f"{home / 'mlflow'}:/mlflow",
            "--publish", f"127.0.0.1:{port}:{service.port}", "--label", f"{PROJECT}={stack.project}",
            *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
            image, *server("/mlflow/mlflow.db", "0.0.0.0", service.port or 0, "/mlflow/artifacts"),  # noqa: S104 inside
        ]  # fmt: skip

        def begin() -> float:
            begun = time.perf_counter()
            done = stack.engine.docker(argv, home)
            try:
                patience = processes.Patience(180.0)
                while (answer := processes.status(f"http://127.0.0.1:{port}{service.health}", 3.0)) != HTTPStatus.OK:
                    if done.code != 0 or (reason := patience.over(answer)):
                        raise StackError(
                            f"mlflow server {reason if done.code == 0 else 'did not start'}.", done.err[-600:]
                        )
                    time.sleep(0.1)
                return time.perf_counter() - begun
            finally:
                stack.engine.remove(stack.engine.containers())

        yield begin
    finally:
        stack.down()


def image_sizes(settings: Settings) -> list[Figure]:
    """Megabytes of the healthy system's images, and what the serving image adds to the one that it is built on."""
    from crashlab.stack.compose import ComposeStack

    with tempfile.TemporaryDirectory(prefix="crashlab-bench-") as folder:
        home = Path(folder) / "bench" / "system"
        home.mkdir(parents=True)
        stack = ComposeStack(home=home, root=settings.root, shared=settings.home, workload="eta")
        try:
            stack.images.build(["mlflow", "training", "serving"], silent)
            sizes = {
                name: stack.engine.size_mb(stack.engine.images(name)[0]) for name in ("mlflow", "training", "serving")
            }
            base = stack.engine.size_mb(BASE)
        finally:
            stack.down()
    name = "serving image above its base, MB"
    detail = ", ".join(f"{service} {size:.0f}" for service, size in sizes.items()) + f", base {base:.0f} MB"
    return [Figure(name=name, value=sizes["serving"] - base, limit=LIMITS[name], detail=detail)]


def memory_mb(incident: Incident) -> float:
    """Memory of all services of an incident's stack in megabytes; on Compose as `docker stats` counts it."""
    if incident.record.runtime == "compose":
        return Engine(project_name(incident.paths.system)).memory_mb()
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
    alone: dict[RuntimeName, list[float]] = {runtime: [] for runtime in runtimes}
    found: dict[RuntimeName, list[tuple[float, float, float]]] = {runtime: [] for runtime in runtimes}
    for number in range(rounds):
        report(f"round {number + 1} of {rounds}")
        for runtime in runtimes:
            alone[runtime].append(registry_alone(settings, runtime))
            found[runtime].append(one_incident(settings, runtime))
    figures = []
    for runtime, rows in found.items():
        base = statistics.median(alone[runtime])
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
    figures = [light_commands(10), *starts(settings, runtimes, rounds, report)]
    if "compose" in runtimes:
        report("the sizes of the images")
        figures += image_sizes(settings)
    return figures
