"""The embedded runtime with toy services: real environments and processes, a tenth of a second each."""

import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from crashlab.errors import BuildFailed, NotReady, StackError, UsageError
from crashlab.stack import embedded, processes
from crashlab.stack.base import Commit, Edit, job, packages, restart, states, usage
from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.services import SERVICES
from tests.fast import toy_project

WHEN = "2026-09-01T00:00:00+00:00"
ENTRY = "serving/__main__.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_project.write(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def stack(root: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStack]:
    monkeypatch.setitem(SERVICES, "mlflow", toy_project.registry())
    made = EmbeddedStack(tmp_path / "incident" / "system", root, state, "eta")
    yield made
    made.down()
    assert processes.marked(made.mark) == []


def info(stack: EmbeddedStack) -> dict[str, object]:
    return dict(httpx.get(stack.url("serving") + "/info", timeout=5).json())


def change(stack: EmbeddedStack, old: str, new: str, path: str = ENTRY) -> str:
    return stack.workspace.commit(Commit("Change it", (Edit(path, old, new),), "A <a@example.com>", WHEN))


def test_up_starts_all_once_and_trains_once(stack):
    stack.up()
    first = stack.slots.read()
    stack.up()
    assert stack.slots.read() == first
    assert [s.healthy for s in states(stack)] == [True] * 4
    assert (stack.home / "data" / "bootstraps").read_text() == "x"
    deadline = time.monotonic() + 10
    while not stack.logs("traffic") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stack.logs("traffic") == f"traffic to {stack.url('serving')}"


def test_a_service_gets_the_environment_of_the_table_and_nothing_else_to_import(stack, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    stack.up(["serving"])
    found = info(stack)
    environment = found["env"]
    assert set(SERVICES["serving"].environment) <= set(environment)
    assert environment["MLFLOW_TRACKING_URI"] == stack.url("mlflow")
    assert environment["RELEASE"] == stack.workspace.head()[:7]
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert found["path"][0] == stack.slots.read()["serving"].code
    assert str(stack.workspace.path) not in found["path"]


def test_packages_are_those_of_each_side(stack):
    python = platform.python_version()
    assert packages(stack, "serving") == {"featurelib": "1.0.0", "python": python}
    assert packages(stack, "training") == {"featurelib": "1.1.0", "python": python}


def test_deploy_ships_the_commit_under_the_same_address(stack):
    stack.up(["serving"])
    url = stack.url("serving")
    old = stack.slots.read()["serving"]
    sha = change(stack, "VERSION = 1", "VERSION = 2")
    (stack.workspace.path / ENTRY).write_text("not committed, so not shipped")
    release = stack.deploy()
    assert release.commit == sha
    assert info(stack)["version"] == 2
    assert old.running is None
    assert stack.url("serving") == stack.state("serving").url == url
    assert stack.logs("serving") == "version 2 starts"


def test_clients_are_answered_while_another_version_takes_over(stack):
    stack.up(["serving"])
    url, seen, done = stack.url("serving") + "/info", [], threading.Event()

    def ask() -> None:
        while not done.is_set():
            seen.append(httpx.get(url, timeout=30).json()["version"])

    client = threading.Thread(target=ask)
    client.start()
    change(stack, "VERSION = 1", "VERSION = 2")
    stack.deploy()
    done.set()
    client.join()
    assert seen == sorted(seen)
    assert {1, 2} >= set(seen) >= {1}
    assert info(stack)["version"] == 2


def test_a_service_that_was_killed_looks_stopped(stack):
    stack.up(["serving"])
    os.kill(stack.slots.read()["serving"].pid, signal.SIGKILL)
    with pytest.raises(httpx.TransportError):
        info(stack)
    found = stack.state("serving")
    assert (found.running, found.healthy, found.usage) == (False, False, None)
    stack.up(["serving"])
    assert info(stack)["version"] == 1


def test_a_gateway_that_was_killed_comes_back_with_the_next_up(stack):
    stack.up(["serving"])
    url = stack.url("serving")
    gateway = processes.marked(stack.mark, "gateway")
    processes.end(gateway)
    assert not processes.answers(url + "/ready")
    assert stack.state("serving").healthy
    stack.up(["serving"])
    assert stack.url("serving") == url
    assert info(stack)["version"] == 1


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        (ENTRY, "VERSION = 1", "VERSION = 1 / 0", "ended before it was ready"),
        ("serving/internal.txt", "1.0.0", "9.9.9", "could not be made"),
        ("serving/internal.txt", "featurelib==1.0.0", "???", "could not be made"),
        ("featurelib/releases/1.0.0/pyproject.toml", "[project]", "[projekt]", "does not build"),
    ],
)
def test_a_failing_build_leaves_the_old_version_serving(stack, path, old, new, reason):
    stack.up(["serving"])
    before = stack.slots.read()["serving"]
    change(stack, old, new, path)
    with pytest.raises(BuildFailed, match=reason) as failure:
        stack.deploy()
    assert failure.value.hint
    assert stack.slots.read()["serving"] == before
    assert info(stack)["version"] == 1
    assert len(processes.marked(stack.mark, "serving")) == 1


def test_a_version_that_never_gets_ready_is_a_failed_build(stack, monkeypatch):
    monkeypatch.setattr(embedded, "DEPLOY", 0.5)
    stack.up(["serving"])
    change(stack, "self.send_response(200)", "self.send_response(503)")
    with pytest.raises(BuildFailed, match="was not ready within"):
        stack.deploy()
    assert info(stack)["version"] == 1


def test_a_missing_serving_folder_is_a_failed_build(stack):
    stack.up(["serving"])
    stack.workspace.git("rm", "-r", "--quiet", "serving")
    stack.workspace.commit_all("Remove everything")
    with pytest.raises(BuildFailed, match="no committed folder"):
        stack.deploy()
    assert info(stack)["version"] == 1


def test_deploying_many_times_keeps_few_releases(stack):
    stack.up(["serving"])
    for number in range(1, 6):
        change(stack, f"VERSION = {number}", f"VERSION = {number + 1}")
        stack.deploy()
    assert info(stack)["version"] == 6
    assert len(list((stack.home / "releases").glob("serving-*"))) == 3


def test_a_service_that_ends_at_once_is_an_error_with_its_log(stack):
    change(stack, "VERSION = 1", "raise SystemExit('no model')")
    with pytest.raises(StackError, match="serving ended before it was ready") as failure:
        stack.up(["serving"])
    assert "no model" in failure.value.hint


def test_a_service_that_answers_that_it_is_not_ready_is_given_up_early(stack, monkeypatch):
    monkeypatch.setattr(processes, "REFUSED", 0.5)
    change(stack, "self.send_response(200)", "self.send_response(503)")
    begun = time.monotonic()
    with pytest.raises(NotReady, match="serving answers that it is not ready"):
        stack.up(["serving"])
    with pytest.raises(BuildFailed, match="The new version answers that it is not ready"):
        stack.deploy()
    assert time.monotonic() - begun < 20
    state = stack.state("serving")
    assert (state.running, state.healthy) == (True, False)


def test_patience_ends_by_time_and_begins_anew_with_each_other_answer(monkeypatch):
    monkeypatch.setattr(processes, "REFUSED", 0.0)
    patience = processes.Patience(60.0)
    assert patience.over(503) == ""
    assert patience.over(0) == ""
    assert patience.over(503) == ""
    assert patience.over(503) == "answers that it is not ready"
    assert processes.Patience(-1.0).over(0) == "was not ready within -1 seconds"


def test_stop_and_restart_one_service(stack):
    stack.up(["mlflow", "serving"])
    url = stack.url("serving")
    stack.down(["serving"])
    stack.down(["serving"])
    assert stack.state("mlflow").running
    assert not processes.answers(url + "/ready")
    restart(stack, "serving")
    assert stack.url("serving") == url
    assert info(stack)["version"] == 1


def test_a_port_that_is_taken_meanwhile_is_named(stack):
    stack.up(["serving"])
    stack.down(["serving"])
    port = int(stack.url("serving").rsplit(":", 1)[1])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(StackError, match=f"Port {port} of serving is in use"):
            restart(stack, "serving")


def test_jobs_take_input_and_give_their_end(stack):
    assert job(stack, ["echo"], stdin="a\nb\n").out == "a\nb\n"
    done = job(stack, ["fail"])
    assert (done.code, done.err.strip()) == (1, "it failed")
    begun = time.monotonic()
    with pytest.raises(StackError, match="did not end within"):
        job(stack, ["sleep"], timeout=0.5)
    assert time.monotonic() - begun < 5
    assert processes.marked(stack.mark, "job") == []


def test_jobs_use_the_working_tree_and_commands_the_release(stack):
    stack.up(["serving"])
    entry = stack.workspace.path / "training" / "__main__.py"
    entry.write_text("print('changed')")
    assert job(stack, ["echo"]).out == "changed\n"
    program = "import featurelib, os; print(featurelib.RELEASE, os.listdir())"
    assert stack.run("serving", ["python", "-c", program]).out == "1.0.0 ['serving']\n"
    assert stack.run("serving", ["no-such-command"]).code == 127


def test_a_command_has_as_long_as_it_is_given(stack):
    begun = time.monotonic()
    with pytest.raises(StackError, match="did not end within"):
        stack.run("serving", ["sleep", "60"], timeout=0.5)
    assert time.monotonic() - begun < 30
    assert processes.marked(stack.mark, "job") == []
    with pytest.raises(UsageError, match="no command"):
        stack.run("serving", [])


def test_what_was_stopped_comes_back_as_it_was_and_what_was_forgotten_as_the_workspace_is(stack):
    stack.up(["serving"])
    change(stack, "VERSION = 1", "VERSION = 2")
    stack.down(["serving"])
    assert stack.state("serving").usage is None
    assert stack.logs("serving") == "version 1 starts"
    stack.up(["serving"])
    assert info(stack)["version"] == 1
    stack.down(["serving"], forget=True)
    assert stack.logs("serving") == ""
    assert not list((stack.home / "releases").glob("serving-*"))
    stack.up(["serving"])
    assert info(stack)["version"] == 2


def test_a_state_without_health_asks_the_service_nothing(stack, monkeypatch):
    stack.up(["serving"])
    monkeypatch.setattr(processes, "status", lambda *_: pytest.fail("it was asked"))
    found = stack.state("serving", health=False)
    assert (found.running, found.healthy) == (True, False)
    assert found.usage.memory_mb > 1
    assert usage(stack, "serving").threads == found.usage.threads
    with pytest.raises(StackError, match="traffic is not running"):
        usage(stack, "traffic")


def test_names_are_checked(stack):
    for call in (stack.url, stack.logs, stack.state, stack.shell, lambda name: packages(stack, name)):
        with pytest.raises(UsageError, match="no service"):
            call("nginx")
    for call in (stack.up, stack.down):
        with pytest.raises(UsageError, match="no service"):
            call(["nginx"])
    with pytest.raises(UsageError, match="runs once"):
        restart(stack, "training")
    with pytest.raises(UsageError, match="no address"):
        stack.url("traffic")


def test_two_threads_start_two_services_that_know_each_other(stack):
    thread = threading.Thread(target=stack.up, args=(["mlflow"],))
    thread.start()
    stack.up(["serving"])
    thread.join()
    assert info(stack)["env"]["MLFLOW_TRACKING_URI"] == stack.url("mlflow")
    assert processes.answers(stack.url("mlflow") + "/")


def test_two_stacks_live_side_by_side(stack, tmp_path):
    other = EmbeddedStack(tmp_path / "other" / "system", stack.root, stack.shared, "eta")
    try:
        stack.up(["serving"])
        other.up(["serving"])
        assert stack.url("serving") != other.url("serving")
        other.down()
        assert info(stack)["version"] == 1
    finally:
        other.down()


def test_down_finds_everything_without_its_file(stack):
    stack.up()
    (stack.home / "embedded.json").write_text("{ damaged")
    # Three services, and the gateway before one of them.
    assert len(processes.marked(stack.mark)) == 4
    stack.down()
    stack.down()
    assert processes.marked(stack.mark) == []


def test_what_a_killed_command_left_is_ended_before_a_service_starts(stack):
    stack.up(["serving"])
    lost = stack.slots.read()["serving"].started
    stack.slots.forget()
    stack.up(["serving"])
    assert processes.find(lost) is None
    assert len(processes.marked(stack.mark, "serving")) == 1


def test_a_process_that_ignores_sigterm_is_killed(stack, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.3)
    change(stack, "VERSION = 1", "VERSION = 1\nimport signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)")
    stack.up(["serving"])
    processes.end(processes.marked(stack.mark), patience=0.3)
    assert processes.marked(stack.mark) == []


@pytest.mark.parametrize(
    ("command", "delay"), [("up", 0.25), ("up", 0.45), ("up", 0.7), ("deploy", 0.4), ("deploy", 0.6)]
)
def test_a_command_killed_at_any_moment_leaves_nothing_behind(stack, command, delay):
    if command == "deploy":
        stack.up(["serving"])
    argv = [sys.executable, "-m", "tests.fast.toy_project", *map(str, (stack.home, stack.root, stack.shared)), command]
    environment = {**os.environ, "PYTHONPATH": str(toy_project.ROOT)}
    with subprocess.Popen(argv, cwd=toy_project.ROOT, env=environment, start_new_session=True) as child:
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
    if command == "deploy":
        assert info(stack)["version"] == 1
        stack.deploy()
        assert len(processes.marked(stack.mark, "serving")) == 1
    else:
        stack.up()
    stack.down()
    assert processes.marked(stack.mark) == []
    assert not [p for p in psutil.process_iter() if _is_orphan_of(p, str(stack.home))]


def _is_orphan_of(process: psutil.Process, home: str) -> bool:
    try:
        return process.ppid() == 1 and home in " ".join(process.cmdline())
    except psutil.Error:
        # It ended while it was looked at.
        return False
