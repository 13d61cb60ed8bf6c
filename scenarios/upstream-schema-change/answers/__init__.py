"""Answers of upstream-schema-change: reference, wrong ones, and remedies."""
