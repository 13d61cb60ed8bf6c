"""The incident that the tests of this folder share; all are skipped, with the reason, where no engine answers."""

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from crashlab.stack import engine
from crashlab.stack.compose import ComposeStack
from tests.conftest import ROOT, Shell
from tests.contract import nothing_is_left_of
from tests.incidents import begin, live, shared
from tests.kit import Live

__all__ = ["begin", "live", "shared"]


@pytest.fixture(scope="session", autouse=True)
def _an_engine_answers() -> None:
    if not engine.answers():
        pytest.skip("no Docker Engine answers")


def stack_of(shell: Shell, identifier: str) -> ComposeStack:
    """The Compose stack of an incident."""
    return ComposeStack(shell.home / "incidents" / identifier / "system", ROOT, shell.home, "eta")


@pytest.fixture(scope="session")
def contained(crashlab: Shell, begin: Callable[..., Live]) -> Iterator[Live]:
    """An incident on Compose. Its end is killed, made again, and leaves nothing."""
    # Test runs that were cut off leave systems whose folders are gone; what is looked for below is left by this one.
    crashlab("doctor", "--sweep")
    one = begin("unit-mismatch", "--seed", "3", "--runtime", "compose")
    yield one
    project = engine.Engine(stack_of(crashlab, one.id).project)
    ending = crashlab.begin("stop", "-i", one.id)
    while len(project.containers()) > 2 and ending.poll() is None:
        time.sleep(0.05)
    ending.send_signal(signal.SIGKILL)
    ending.communicate()
    assert one("stop").code == 0
    nothing_is_left_of(project)
    assert {item["name"]: item["ok"] for item in crashlab("doctor", "--json").json}["leftovers"]
