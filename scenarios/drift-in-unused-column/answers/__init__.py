"""Answers of drift-in-unused-column: reference, wrong ones, and remedies."""
