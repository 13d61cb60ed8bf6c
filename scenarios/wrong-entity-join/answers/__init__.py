"""Answers of wrong-entity-join: reference, wrong ones, and remedies."""
