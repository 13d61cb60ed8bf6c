"""Scenario false-alarm."""
