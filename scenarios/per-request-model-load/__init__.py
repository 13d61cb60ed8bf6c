"""Scenario per-request-model-load."""
