"""The embedded runtime passes the contract, check by check, on one stack, and survives being killed."""

import pytest

from tests.contract import stack, test_a_killed_up_leaves_nothing_after_down, test_contract

__all__ = ["stack", "test_a_killed_up_leaves_nothing_after_down", "test_contract"]


@pytest.fixture(scope="module")
def runtime() -> str:
    return "embedded"
