"""Answers of imputation-mismatch: reference, wrong ones, and remedies."""
