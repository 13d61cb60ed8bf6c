"""Scenario drift-in-unused-column."""
