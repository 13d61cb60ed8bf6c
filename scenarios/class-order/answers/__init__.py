"""Answers of class-order: reference, wrong ones, and remedies."""
