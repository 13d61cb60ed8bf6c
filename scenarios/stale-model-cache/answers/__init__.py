"""Answers of stale-model-cache: reference, wrong ones, and remedies."""
