"""Answers of sync-logging: reference, wrong ones, and remedies."""
