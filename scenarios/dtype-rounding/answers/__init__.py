"""Answers of dtype-rounding: reference, wrong ones, and remedies."""
