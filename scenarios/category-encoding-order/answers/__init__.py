"""Answers of category-encoding-order: reference, wrong ones, and remedies."""
