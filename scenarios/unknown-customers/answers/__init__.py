"""Answers of unknown-customers: reference, wrong ones, and remedies."""
