"""Scenario scaler-refit."""
