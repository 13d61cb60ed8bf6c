"""Answers of covariate-shift: reference, wrong ones, and remedies."""
