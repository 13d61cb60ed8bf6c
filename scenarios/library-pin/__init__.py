"""Scenario library-pin."""
