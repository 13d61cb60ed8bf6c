"""Answers of numpy-major: reference, wrong ones, and remedies."""
