"""Answers of prior-shift: reference, wrong ones, and remedies."""
