"""Workloads made from a table: a schema and rows in `training/<workload>/`, and this code, which is the same for all."""
