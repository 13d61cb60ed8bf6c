"""Scenario stale-model-cache."""
