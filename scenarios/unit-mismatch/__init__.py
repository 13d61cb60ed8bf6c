"""Scenario unit-mismatch."""
