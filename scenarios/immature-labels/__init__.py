"""Scenario immature-labels."""
