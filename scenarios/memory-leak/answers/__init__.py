"""Answers of memory-leak: reference, wrong ones, and remedies."""
