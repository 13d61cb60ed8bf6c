"""Scenario sentinel-default."""
