"""Answers of feature-order: reference, wrong ones, and remedies."""
