"""Scenario memory-leak."""
