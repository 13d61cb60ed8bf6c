"""Answers of my-scenario: reference, wrong ones, and remedies."""
