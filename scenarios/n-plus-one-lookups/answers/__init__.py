"""Answers of n-plus-one-lookups: reference, wrong ones, and remedies."""
