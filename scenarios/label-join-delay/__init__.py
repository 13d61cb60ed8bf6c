"""Scenario label-join-delay."""
