"""Scenario undeclared-package."""
