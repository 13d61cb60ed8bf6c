"""Answers of target-leakage: reference, wrong ones, and remedies."""
