"""Scenario oversized-model."""
