"""The prediction API: one application for every workload, which brings its own request schema and preprocessing."""
