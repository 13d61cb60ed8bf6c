"""Scenario covariate-shift."""
