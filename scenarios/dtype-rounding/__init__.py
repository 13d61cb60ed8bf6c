"""Scenario dtype-rounding."""
