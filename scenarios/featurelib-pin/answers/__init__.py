"""Answers of featurelib-pin: reference, wrong ones, and remedies."""
