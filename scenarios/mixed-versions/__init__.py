"""Scenario mixed-versions."""
