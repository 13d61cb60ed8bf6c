"""Incidents that the tests of this folder share."""

from tests.incidents import begin, live, shared

__all__ = ["begin", "live", "shared"]
