"""Scenario concept-drift."""
