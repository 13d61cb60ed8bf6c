"""Scenario unknown-customers."""
