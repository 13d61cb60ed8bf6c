"""Scenario sync-logging."""
