"""Probability that a loan defaults within 90 days, and the decision that follows from it."""
