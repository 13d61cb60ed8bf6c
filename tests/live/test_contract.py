"""The embedded runtime passes the contract, check by check, on one stack, and survives being killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crashlab.stack import contract
from crashlab.stack.base import Stack
from tests.contract import make, nothing_is_left, up_and_killed


@pytest.fixture(scope="module")
def stack(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = make("embedded", tmp_path_factory.mktemp("embedded") / "system", home)
    try:
        yield made
    finally:
        made.down()
        nothing_is_left(made)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_contract(stack: Stack, check: Callable[[Stack], None]) -> None:
    check(stack)


def test_a_killed_up_leaves_nothing_after_down(tmp_path: Path, home: Path) -> None:
    up_and_killed("embedded", tmp_path / "incident" / "system", home, 3.0)
