"""The contract of a stack as tests, held to crashlab.stack.contract check by check.

The test module of each runtime takes over the fixture and the tests, and says in a fixture `runtime` which it is.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crashlab.stack import contract, engine, processes
from crashlab.stack.base import Stack
from crashlab.stack.compose import ComposeStack
from crashlab.stack.embedded import EmbeddedStack
from tests.conftest import ROOT

KILLED = """
import sys
from pathlib import Path
from tests.contract import make
make(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])).up(["mlflow", "serving"])
"""


def make(name: str, home: Path, state: Path) -> Stack:
    """Make a stack that is not up yet; environments are made in `state` once for all of them."""
    if name == "compose":
        return ComposeStack(home=home, root=ROOT, shared=state, workload="eta")
    return EmbeddedStack(home=home, root=ROOT, shared=state, workload="eta")


def nothing_is_left(stack: Stack) -> None:
    if isinstance(stack, EmbeddedStack):
        assert not processes.marked(stack.mark)
    if isinstance(stack, ComposeStack):
        nothing_is_left_of(stack.engine)


def nothing_is_left_of(project: engine.Engine) -> None:
    """Hold a Compose project to what `stop` promises."""
    assert not project.clients(), "a command that goes on makes again what was removed"
    assert not project.containers(one_off=True)
    assert not project.has_network()
    assert not project.images()


def up_and_killed(name: str, home: Path, state: Path, delay: float) -> None:
    """Bring a stack up in a process that is killed after `delay` seconds; two `down`s leave nothing."""
    stack = make(name, home, state)
    argv = [sys.executable, "-c", KILLED, name, str(home), str(state)]
    with subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True) as child:
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
    stack.down()
    stack.down()
    nothing_is_left(stack)


@pytest.fixture(scope="module")
def stack(runtime: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for every check of a module."""
    made = make(runtime, tmp_path_factory.mktemp(runtime) / "system", home)
    try:
        yield made
    finally:
        made.down()
        nothing_is_left(made)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_contract(stack: Stack, check: Callable[[Stack], None]) -> None:
    check(stack)


def test_a_killed_up_leaves_nothing_after_down(runtime: str, tmp_path: Path, home: Path) -> None:
    up_and_killed(runtime, tmp_path / "incident" / "system", home, 3.0)
