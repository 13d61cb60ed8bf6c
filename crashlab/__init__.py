"""Crashlab: break a model deployment on purpose, diagnose it, fix it, and have the write-up graded."""

__version__ = "0.1.0"
