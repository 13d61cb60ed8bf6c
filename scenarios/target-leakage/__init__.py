"""Scenario target-leakage."""
