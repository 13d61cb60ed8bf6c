"""Answers of per-request-model-load: reference, wrong ones, and remedies."""
