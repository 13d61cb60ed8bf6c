"""Answers of immature-labels: reference, wrong ones, and remedies."""
