"""Scenario wrong-and-slow."""
