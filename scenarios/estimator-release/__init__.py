"""Scenario estimator-release."""
