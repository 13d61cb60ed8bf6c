"""Answers of imported-model-code: reference, wrong ones, and remedies."""
