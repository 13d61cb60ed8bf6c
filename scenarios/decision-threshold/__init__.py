"""Scenario decision-threshold."""
