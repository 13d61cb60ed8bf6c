"""Scenario blocked-event-loop."""
