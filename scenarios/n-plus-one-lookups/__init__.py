"""Scenario n-plus-one-lookups."""
