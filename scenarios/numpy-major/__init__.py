"""Scenario numpy-major."""
