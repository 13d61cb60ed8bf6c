"""Scenario applicant-units."""
