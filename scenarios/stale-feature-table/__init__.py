"""Scenario stale-feature-table."""
