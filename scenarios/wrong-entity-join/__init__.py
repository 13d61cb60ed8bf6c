"""Scenario wrong-entity-join."""
