"""Scenario category-encoding-order."""
