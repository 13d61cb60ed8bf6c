"""Scenario upstream-schema-change."""
