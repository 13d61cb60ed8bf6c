"""Scenario interpreter-version."""
