"""Incidents that tests share. A conftest.py takes these fixtures over by importing them."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Shell
from tests.kit import Live, record


@pytest.fixture(scope="session")
def begin(crashlab: Shell) -> Iterator[Callable[..., Live]]:
    """Starts incidents, and ends what is left of them with the session."""
    made: list[Live] = []

    def start(*argv: str) -> Live:
        ran = crashlab("start", *argv, "--json")
        assert ran.code == 0, ran
        made.append(Live(crashlab, ran.json))
        return made[-1]

    yield start
    for one in made:
        one("stop")


@pytest.fixture(scope="session")
def shared() -> list[Live]:
    """Incidents that tests share, the newest last."""
    return []


@pytest.fixture
def live(begin: Callable[..., Live], shared: list[Live]) -> Live:
    """The incident that most tests share; each leaves it serving, and one that stopped it makes the next start another."""
    if not shared or record(shared[-1])["phase"] == "stopped":
        shared.append(begin("unit-mismatch", "--seed", "3", "--runtime", "embedded"))
    return shared[-1]
