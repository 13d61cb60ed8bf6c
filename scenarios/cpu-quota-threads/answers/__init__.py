"""Answers of thread-oversubscription: reference, wrong ones, and remedies."""
