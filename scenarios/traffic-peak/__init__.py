"""Scenario traffic-peak."""
