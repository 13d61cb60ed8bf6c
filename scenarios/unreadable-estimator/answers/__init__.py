"""Answers of unreadable-estimator: reference, wrong ones, and remedies."""
