"""Answers of library-pin: reference, wrong ones, and remedies."""
