"""Scenario my-scenario."""
