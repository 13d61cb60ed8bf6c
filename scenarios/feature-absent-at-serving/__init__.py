"""Scenario feature-absent-at-serving."""
