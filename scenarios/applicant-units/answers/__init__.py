"""Answers of applicant-units: reference, wrong ones, and remedies."""
