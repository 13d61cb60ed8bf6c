"""Answers of decision-threshold: reference, wrong ones, and remedies."""
