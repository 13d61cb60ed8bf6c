"""Scenario imported-model-code."""
