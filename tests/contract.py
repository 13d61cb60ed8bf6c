"""The contract of a stack as tests: one stack of each runtime, held to crashlab.stack.contract check by check."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from crashlab.stack import engine, processes
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
