"""Incidents that the command line is tried on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.kit import Live, record
from tests.conftest import Shell


@pytest.fixture(scope="session")
def crashlab(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The command line on a state folder of its own, as every incident in it is stopped here.

    Environments and trained histories are the session's.
    """
    own = tmp_path_factory.mktemp("cli")
    for name in ("envs", "wheels", "snapshots"):
        (home / name).mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to(home / name)
    return Shell(own)


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
