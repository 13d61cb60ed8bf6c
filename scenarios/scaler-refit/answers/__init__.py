"""Answers of scaler-refit: reference, wrong ones, and remedies."""
