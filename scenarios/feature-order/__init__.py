"""Scenario feature-order."""
