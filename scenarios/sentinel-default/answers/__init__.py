"""Answers of sentinel-default: reference, wrong ones, and remedies."""
