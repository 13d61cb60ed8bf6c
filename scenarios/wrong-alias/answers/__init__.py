"""Answers of wrong-alias: reference, wrong ones, and remedies."""
