"""Scenario category-codes-by-request."""
