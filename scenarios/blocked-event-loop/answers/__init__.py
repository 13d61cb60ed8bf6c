"""Answers of blocked-event-loop: reference, wrong ones, and remedies."""
