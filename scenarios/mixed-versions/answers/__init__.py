"""Answers of mixed-versions: reference, wrong ones, and remedies."""
