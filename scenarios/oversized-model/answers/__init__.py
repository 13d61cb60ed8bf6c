"""Answers of oversized-model: reference, wrong ones, and remedies."""
