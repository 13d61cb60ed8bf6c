"""Scenario unreadable-estimator."""
