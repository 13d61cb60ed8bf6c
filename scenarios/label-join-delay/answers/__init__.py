"""Answers of label-join-delay: reference, wrong ones, and remedies."""
