"""Answers of category-codes-by-request: reference, wrong ones, and remedies."""
