"""Answers of concept-drift: reference, wrong ones, and remedies."""
