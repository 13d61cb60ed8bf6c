"""Scenario stale-scaler."""
