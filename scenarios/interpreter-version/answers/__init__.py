"""Answers of interpreter-version: reference, wrong ones, and remedies."""
