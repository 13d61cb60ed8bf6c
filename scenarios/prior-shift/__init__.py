"""Scenario prior-shift."""
