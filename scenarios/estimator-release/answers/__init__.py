"""Answers of estimator-release: reference, wrong ones, and remedies."""
