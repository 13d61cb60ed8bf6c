"""Both runtimes pass the same contract, check by check, on one stack each, and survive being killed."""

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

ROOT = Path(__file__).resolve().parents[2]
# Environments are made once for all runs: they are named by what is in them.
STATE = Path(os.environ.get("CRASHLAB_HOME") or ROOT / ".crashlab")


def make(name: str, home: Path) -> Stack:
    if name == "compose":
        if not engine.answers():
            pytest.skip("no Docker Engine answers, so the Compose runtime is not tested")
        return ComposeStack(home=home, root=ROOT, state=STATE, workload="eta")
    return EmbeddedStack(home=home, root=ROOT, state=STATE, workload="eta")


def nothing_is_left(stack: Stack) -> None:
    if isinstance(stack, EmbeddedStack):
        assert not processes.marked(stack.mark)
    if isinstance(stack, ComposeStack):
        assert not stack.engine.containers(one_off=True)
        assert not stack.engine.has_network()
        assert not stack.engine.images()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("embedded", marks=pytest.mark.slow),
        pytest.param("compose", marks=[pytest.mark.slow, pytest.mark.docker]),
    ],
)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    STATE.mkdir(parents=True, exist_ok=True)
    made = make(request.param, tmp_path_factory.mktemp(request.param) / "system")
    try:
        yield made
    finally:
        made.down()
        nothing_is_left(made)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_contract(stack: Stack, check: Callable[[Stack], None]) -> None:
    check(stack)


KILLED = """
import sys
from pathlib import Path
from tests.contract.test_stack_contract import make
make(sys.argv[1], Path(sys.argv[2])).up(["mlflow", "serving"])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "delay"),
    [
        ("embedded", 2.0),
        ("embedded", 5.0),
        pytest.param("compose", 1.5, marks=pytest.mark.docker),
        pytest.param("compose", 3.0, marks=pytest.mark.docker),
    ],
)
def test_a_killed_up_leaves_nothing_after_down(tmp_path: Path, name: str, delay: float) -> None:
    home = tmp_path / "incident" / "system"
    stack = make(name, home)
    argv = [sys.executable, "-c", KILLED, name, str(home)]
    with subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True) as child:
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
    stack.down()
    stack.down()
    nothing_is_left(stack)
