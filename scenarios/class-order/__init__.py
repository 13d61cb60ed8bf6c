"""Scenario class-order."""
