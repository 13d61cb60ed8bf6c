"""Prometheus metrics of one application, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency histogram in seconds."""


class Metrics:
    """What is counted: requests, their duration in all and by stage, the served model, and rows that were not logged."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total", "Requests by route and status.", ("route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time in the application by route.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "http_request_stage_seconds",
            "Time of predictions by route and stage.",
            ("route", "stage"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.predictions = Counter("predictions_total", "Rows predicted.", registry=self.registry)
        self.dropped = Counter("prediction_log_dropped_total", "Rows not logged.", registry=self.registry)
        self.model = Gauge("model_info", "Served model.", ("name", "version", "run_id"), registry=self.registry)
