"""Scenario imputation-mismatch."""
