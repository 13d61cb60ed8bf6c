"""Workloads that are made from a person's own table."""
