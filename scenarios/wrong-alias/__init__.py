"""Scenario wrong-alias."""
