"""Answers of timezone-offset: reference, wrong ones, and remedies."""
