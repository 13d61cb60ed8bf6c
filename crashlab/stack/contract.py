"""What every runtime must do, as functions from a stack to nothing. Each raises AssertionError with what it found.

They are run in this order on one stack, as each takes it as the one before leaves it; `CHECKS` lists them.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from crashlab.errors import BuildFailed, StackError, UsageError
from crashlab.registry import RegistryClient
from crashlab.stack import manifest
from crashlab.stack.base import Commit, Edit, Stack, job, packages, restart, states, usage
from crashlab.stack.services import SERVICES

AUTHOR = "Contract <contract@example.com>"
WHEN = "2026-09-01T09:00:00+00:00"
ENTRY = "serving/__main__.py"
"""The module that `python -m serving` runs."""

Check = Callable[[Stack], None]


def expect(*, holds: bool, message: str) -> None:
    """Raise AssertionError with `message` unless the condition holds, with optimisation on too."""
    if not holds:
        raise AssertionError(message)


def _get(stack: Stack, service: str, path: str) -> dict[str, Any]:
    answer = httpx.get(stack.url(service) + path, timeout=30, trust_env=False)
    expect(holds=answer.status_code == httpx.codes.OK, message=f"{service}{path} answered {answer.status_code}")
    found = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return found if isinstance(found, dict) else {}


def _entry(stack: Stack) -> str:
    return (stack.workspace.path / ENTRY).read_text(encoding="utf-8")


def _prepend(stack: Stack, line: str, message: str) -> str:
    text = _entry(stack)
    old = next(part for part in text.splitlines(keepends=True) if part.startswith("import ") and text.count(part) == 1)
    return stack.workspace.commit(Commit(message, (Edit(ENTRY, old, line + old),), AUTHOR, WHEN))


def comes_up(stack: Stack) -> None:
    """Every service starts, is healthy, and is left alone by a second `up`."""
    phrases: list[str] = []
    stack.up(report=phrases.append)
    expect(holds=bool(phrases), message="up reported nothing")
    first = {state.name: state.url for state in states(stack)}
    stack.up()
    found = {state.name: state for state in states(stack)}
    expect(holds=set(found) == set(SERVICES), message=f"states are {sorted(found)}")
    for name, state in found.items():
        expect(holds=state.healthy, message=f"{name} is not healthy: {state.detail}")
        expect(holds=state.running is not SERVICES[name].one_shot, message=f"{name} runs: {state.running}")
        expect(holds=state.url == first[name], message=f"a second up moved {name}")
        if state.running:
            expect(holds=state.usage is not None and state.usage.memory_mb > 1, message=f"{name} uses {state.usage}")


def answers(stack: Stack) -> None:
    """The addresses answer, and the registry has a champion that is served."""
    httpx.get(stack.url("mlflow") + "/health", timeout=10, trust_env=False).raise_for_status()
    _get(stack, "serving", "/health")
    _get(stack, "serving", "/ready")
    aliases = stack.registry.aliases()
    expect(holds="champion" in aliases, message=f"aliases are {aliases}")
    info = _get(stack, "serving", "/info")
    expect(holds=int(info["model"]["version"]) == aliases["champion"], message=f"served is {info['model']}")
    expect(holds=stack.workspace.head().startswith(info["release"]), message=f"release is {info['release']}")


def keeps_records(stack: Stack) -> None:
    """Versions have runs, pinned requirements and a reference sample behind them."""
    registry = stack.registry
    expect(holds=isinstance(registry, RegistryClient), message="the registry is not MLflow's")
    if isinstance(registry, RegistryClient):
        version = registry.aliases()["champion"]
        expect(holds=len(registry.versions()) > 1, message="there is one version at most")
        run = registry.run(registry.versions()[version]["run_id"])
        expect(holds=bool(run.metrics and run.params), message="the champion's run has no metrics or parameters")
        expect(holds="scikit-learn" in registry.requirements(version), message="no requirements were logged")
        sample = registry.reference_sample(version)
        expect(holds=bool(sample["features"] and sample["raw"]), message="the reference sample is empty")


LATE = "import os, pathlib, time; time.sleep(3); pathlib.Path(os.environ['DATA_DIR'], 'late').touch()"


def runs_jobs(stack: Stack) -> None:
    """A job gets its input and gives its output; a failing one says so by its code; a slow one is ended."""
    argv = ["--n", "3", "--stream", "contract", "--seed", "1", "--start", "2026-09-01", "--end", "2026-09-02"]
    done = job(stack, ["sample", *argv])
    expect(holds=done.code == 0, message=f"sample ended with {done.code}: {done.err[-300:]}")
    orders = [json.loads(line)["order"] for line in done.out.splitlines()]
    done = job(stack, ["transform"], stdin="".join(json.dumps(order) + "\n" for order in orders))
    expect(holds=done.code == 0, message=f"transform ended with {done.code}: {done.err[-300:]}")
    expect(holds=len(done.out.splitlines()) == len(orders), message=f"transform printed {done.out[:200]!r}")
    expect(holds=job(stack, ["no-such-command"]).code != 0, message="an unknown command succeeded")
    _expect_late(lambda: job(stack, ["traffic", "trickle"], timeout=4))


def _expect_late(call: Callable[[], object]) -> None:
    try:
        call()
    except StackError:
        return
    raise AssertionError("a command went on after its time was up")


def runs_commands(stack: Stack) -> None:
    """A command runs in the service's environment with the code folder as working directory; a slow one is ended."""
    begun = time.monotonic()
    _expect_late(lambda: stack.run("serving", ["python", "-c", LATE], timeout=1))
    program = "import os, sys; print(os.path.isdir('serving'), sys.stdin.read()); sys.exit(3)"
    done = stack.run("serving", ["python", "-c", program], stdin="in")
    expect(holds=(done.code, done.out.strip()) == (3, "True in"), message=f"got {done}")
    shadow = "import featurelib; print(featurelib.__file__)"
    done = stack.run("serving", ["python", "-c", shadow])
    expect(holds="-packages" in done.out, message=f"featurelib is {done.out or done.err}")
    expect(holds=stack.run("serving", ["no-such-command"]).code != 0, message="an unknown command succeeded")
    time.sleep(max(0.0, begun + 4 - time.monotonic()))
    expect(holds=not (stack.home / "data" / "late").exists(), message="a command whose time was up went on")


def lists_packages(stack: Stack) -> None:
    """Installed versions of either side, by normal name."""
    for service in ("serving", "training"):
        found = packages(stack, service)
        expect(holds={"featurelib", "pandas", "scikit-learn"} <= set(found), message=f"{service}: {sorted(found)}")
        expect(holds=all(name == name.lower() for name in found), message="names are not in lower case")


def deploys(stack: Stack) -> None:
    """A commit is shipped, and the release that answers is the new one, under the same address; so is the log."""
    url = stack.url("serving")
    sha = _prepend(stack, "# A harmless line.\n", "Explain the entry point")
    release = stack.deploy()
    expect(holds=release.commit == sha, message=f"deployed {release.commit} for {sha}")
    expect(holds=stack.url("serving") == url, message=f"the address was {url} and is {stack.url('serving')}")
    info = _get(stack, "serving", "/info")
    expect(holds=sha.startswith(info["release"]), message=f"release is {info['release']}")
    found = stack.logs("serving", 50)
    expect(holds=bool(found.strip()), message="the new version has logged nothing")
    expect(holds=len(stack.logs("serving", 1).splitlines()) == 1, message="logs gave more lines than asked for")


def survives_a_failing_build(stack: Stack) -> None:
    """A version that does not start and one that does not build leave the old one serving."""
    before = _get(stack, "serving", "/info")["release"]
    crash = _prepend(stack, "raise SystemExit(9)\n", "Leave at once")
    _expect_build_failure(stack, before)
    stack.workspace.revert(crash)
    pin = (stack.workspace.path / "serving" / "internal.txt").read_text(encoding="utf-8").strip()
    edit = Edit("serving/internal.txt", pin, "featurelib==99.0.0")
    unknown = stack.workspace.commit(Commit("Pin a release that is not there", (edit,), AUTHOR, WHEN))
    _expect_build_failure(stack, before)
    stack.workspace.revert(unknown)


def _expect_build_failure(stack: Stack, before: str) -> None:
    try:
        stack.deploy()
    except BuildFailed as error:
        expect(holds=bool(error.hint), message="the failure is not explained")
        expect(holds=_get(stack, "serving", "/info")["release"] == before, message="the old version went away")
        return
    raise AssertionError("a broken version was deployed")


def stops_and_restarts(stack: Stack) -> None:
    """One service stops alone, can be looked into meanwhile, and comes back with the same release and address."""
    before, url = _get(stack, "serving", "/info")["release"], stack.url("serving")
    sha = _prepend(stack, "# A line that is not deployed.\n", "Explain what is not deployed")
    stack.down(["serving"])
    found = {state.name: state for state in states(stack)}
    expect(holds=not found["serving"].running and found["serving"].usage is None, message="serving still runs")
    expect(holds=found["mlflow"].healthy, message="stopping serving stopped mlflow")
    done = stack.run("serving", ["python", "-c", "import featurelib, os; print(os.path.isdir('serving'))"])
    expect(holds=(done.code, done.out.strip()) == (0, "True"), message=f"what ended cannot be looked into: {done}")
    expect(holds="pandas" in packages(stack, "serving"), message="packages of what ended cannot be listed")
    expect(holds=bool(stack.logs("serving", 50).strip()), message="the log of what ended is gone")
    try:
        httpx.get(url + "/health", timeout=2, trust_env=False)
    except httpx.NetworkError:
        pass
    else:
        raise AssertionError("what was stopped answers")
    stack.up(["serving"])
    expect(holds=_get(stack, "serving", "/info")["release"] == before, message="another release came up")
    restart(stack, "serving")
    expect(holds=_get(stack, "serving", "/info")["release"] == before, message="another release came back")
    expect(holds=stack.url("serving") == url, message=f"the address was {url} and is {stack.url('serving')}")
    stack.workspace.revert(sha)


def forgets(stack: Stack) -> None:
    """A forgotten service has no log, and comes back as the workspace is and not as it was deployed."""
    sha = _prepend(stack, "# Another harmless line.\n", "Explain the entry point further")
    stack.down(["serving"], forget=True)
    state = stack.state("serving")
    expect(holds=not state.running, message="serving still runs")
    expect(holds=not stack.logs("serving", 50).strip(), message="the log is still there")
    stack.up(["serving"])
    expect(holds=sha.startswith(_get(stack, "serving", "/info")["release"]), message="an old release came back")


def follows_the_manifest(stack: Stack) -> None:
    """A commit of the manifest changes how the service runs; one that cannot be read leaves the old version serving."""
    text = (stack.workspace.path / manifest.FILE).read_text(encoding="utf-8")
    threads, memory = "OMP_NUM_THREADS=1", "SERVING_MEMORY=512m"
    expect(holds=threads in text and memory in text, message="the manifest has no such lines")
    edits = (
        Edit(manifest.FILE, threads, "OMP_NUM_THREADS=3\nLOG_FORMAT=plain"),
        Edit(manifest.FILE, memory, "SERVING_MEMORY=700m"),
    )
    change = stack.workspace.commit(Commit("Serving: room for a larger model", edits, AUTHOR, WHEN))
    release = stack.deploy().commit
    found = stack.run("serving", ["env"]).out.splitlines()
    expect(holds={"OMP_NUM_THREADS=3", "LOG_FORMAT=plain"} <= set(found), message=f"environment is {found}")
    if stack.runtime == "compose":
        state = stack.state("serving")
        expect(holds=state.memory_mb == 700, message=f"the limit is {state.memory_mb} MB")  # noqa: PLR2004 as committed
    bad = stack.workspace.commit(
        Commit(
            "Serving: less memory", (Edit(manifest.FILE, "SERVING_MEMORY=700m", "SERVING_MEMORY=little"),), AUTHOR, WHEN
        )
    )
    _expect_build_failure(stack, release[:7])
    stack.workspace.revert(bad)
    stack.workspace.revert(change)
    stack.deploy()
    expect(holds="OMP_NUM_THREADS=1" in stack.run("serving", ["env"]).out, message="the change outlived its revert")


def tells_usage(stack: Stack) -> None:
    """A running service says what it uses; a runtime with limits says how often it was stopped for them."""
    found = usage(stack, "serving")
    expect(holds=found.memory_mb > 1 and found.threads > 0, message=f"the usage is {found}")
    bounded = stack.runtime == "compose"
    told = [value is not None for value in (found.periods, found.throttled, found.restarts, found.out_of_memory)]
    expect(holds=told == [bounded] * len(told), message=f"the usage is {found}")


def refuses_unknown_services(stack: Stack) -> None:
    """A service that does not exist is the caller's error, and so is a restart of what runs once."""
    calls: dict[str, Callable[[str], object]] = {
        "up": lambda name: stack.up([name]),
        "down": lambda name: stack.down([name]),
        "run": lambda name: stack.run(name, ["true"]),
        "shell": stack.shell,
        "url": stack.url,
        "logs": stack.logs,
        "state": stack.state,
    }
    for verb, call in calls.items():
        try:
            call("no-such-service")
        except UsageError:
            continue
        raise AssertionError(f"{verb} accepted a service that does not exist")
    try:
        restart(stack, "training")
    except UsageError:
        return
    raise AssertionError("the training job was restarted")


def goes_down(stack: Stack) -> None:
    """Nothing answers after `down`, which can be repeated, and `up` starts from what was kept."""
    versions = sorted(stack.registry.versions())
    addresses = [stack.url("mlflow"), stack.url("serving")]
    stack.down()
    stack.down()
    for address in addresses:
        try:
            httpx.get(address + "/health", timeout=2, trust_env=False)
        except httpx.HTTPError:
            continue
        raise AssertionError(f"{address} still answers")
    expect(holds=not any(state.running for state in states(stack)), message="something is still running")
    stack.up(["mlflow"])
    expect(holds=sorted(stack.registry.versions()) == versions, message="the registry lost versions")
    stack.down()


CHECKS: tuple[Check, ...] = (
    comes_up,
    answers,
    keeps_records,
    runs_jobs,
    runs_commands,
    lists_packages,
    deploys,
    survives_a_failing_build,
    stops_and_restarts,
    forgets,
    follows_the_manifest,
    tells_usage,
    refuses_unknown_services,
    goes_down,
)
