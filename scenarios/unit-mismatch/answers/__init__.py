"""Answers of unit-mismatch: reference, wrong ones, and remedies."""
