"""Answers of mutated-cache: reference, wrong ones, and remedies."""
