"""Answers of stale-scaler: reference, wrong ones, and remedies."""
