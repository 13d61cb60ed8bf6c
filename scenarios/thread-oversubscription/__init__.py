"""Scenario thread-oversubscription."""
