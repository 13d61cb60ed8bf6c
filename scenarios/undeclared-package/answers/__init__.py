"""Answers of undeclared-package: reference, wrong ones, and remedies."""
