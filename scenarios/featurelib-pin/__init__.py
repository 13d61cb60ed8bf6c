"""Scenario featurelib-pin."""
