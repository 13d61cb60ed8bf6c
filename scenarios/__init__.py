"""The catalogue of failures: one folder each. See docs/how-to/write-a-scenario.md."""
