"""Scenario timezone-offset."""
