"""Incidents that the tests of this folder share; all are skipped, with the reason, where no engine answers."""

import pytest

from crashlab.stack import engine
from tests.incidents import begin, live, shared

__all__ = ["begin", "live", "shared"]


@pytest.fixture(scope="session", autouse=True)
def _an_engine_answers() -> None:
    if not engine.answers():
        pytest.skip("no Docker Engine answers")
