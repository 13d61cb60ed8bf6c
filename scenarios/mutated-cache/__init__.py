"""Scenario mutated-cache."""
