"""Answers of wrong-and-slow: reference, wrong ones, and remedies."""
