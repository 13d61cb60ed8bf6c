"""Answers of feature-absent-at-serving: reference, wrong ones, and remedies."""
