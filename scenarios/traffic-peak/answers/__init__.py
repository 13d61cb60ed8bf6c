"""Answers of traffic-peak: reference, wrong ones, and remedies."""
