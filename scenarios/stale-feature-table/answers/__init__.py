"""Answers of stale-feature-table: reference, wrong ones, and remedies."""
