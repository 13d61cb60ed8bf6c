"""Answers of false-alarm: reference, wrong ones, and remedies."""
