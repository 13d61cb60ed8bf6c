"""The application: prediction, health and identity. What belongs to one workload is in its own package."""

import importlib
import logging
import math
import os
import platform
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import distributions
from typing import Annotated, Any

from anyio import to_thread
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving import errors, timing
from serving.docs import PAGE
from serving.errors import ApiError
from serving.metrics import Metrics
from serving.model import Served
from serving.model import load as load_model
from serving.prediction_log import PredictionLog, Row
from serving.settings import Settings

log = logging.getLogger("serving")

MAX_BATCH = 500
"""Rows in one batch request."""
Start = Annotated[str | None, Header(description="arrival at the gateway, t=<seconds since 1970>")]
LONGEST_WAIT = 300.0
"""Seconds beyond which a gateway's clock is not believed."""
READY_SECONDS = 5.0
"""How long one readiness check holds."""


class Service:
    """The model, the preprocessing and the prediction log behind the routes."""

    def __init__(self, settings: Settings, workload: Any, served: Served | None = None) -> None:
        self.settings = settings
        self.workload = workload
        self.metrics = Metrics()
        self.log = PredictionLog(settings.data / "predictions.db", self.metrics.dropped.inc)
        self.preprocessor = workload.Preprocessor(settings.data)
        # A workload whose predictions lead to a decision brings the policy that makes it.
        self.policy = workload.Policy() if hasattr(workload, "Policy") else None
        self.served = served
        self.started_at = datetime.now(UTC).isoformat()
        self.ready_until = 0.0

    def start(self) -> None:
        """Open the log and load the model."""
        self.log.start()
        if self.served is None:
            self.served = load_model(self.settings, getattr(self.workload, "predictor", None))
        self.metrics.model.labels(self.served.name, str(self.served.version), self.served.run_id).set(1)

    @property
    def model(self) -> Served:
        """The served model. Raises ApiError 503 before it is loaded."""
        if self.served is None:
            raise ApiError(503, "not_ready", "The model is not loaded yet.")
        return self.served

    def score(self, rows: list[dict[str, Any]], began: float, *, record: bool = True) -> list[dict[str, Any]]:
        """Predict for raw payloads and queue them for the log. Returns one answer per row, in order."""
        timing.spent("wait", time.perf_counter() - began)
        with timing.stage("features"):
            features = self.preprocessor.transform(rows)
        with timing.stage("model"):
            model = self.model
            predictions = [float(value) for value in model.predictor.predict(features)]
        self.metrics.predictions.inc(len(rows))
        with timing.stage("record"):
            answers = []
            vectors = features.to_dict("records")
            for raw, vector, value in zip(rows, vectors, predictions, strict=True):
                request_id = uuid.uuid4().hex
                decision = self.policy.decide(value) if self.policy else None
                answers.append(
                    {
                        "request_id": request_id,
                        self.workload.ENTITY: raw[self.workload.ENTITY],
                        self.workload.PREDICTION_FIELD: round(value, 4),
                        **({self.workload.DECISION_FIELD: decision} if self.policy else {}),
                        "model_version": model.version,
                    }
                )
                if record:
                    self.log.add(
                        Row(
                            request_id=request_id,
                            entity=str(raw[self.workload.ENTITY]),
                            event_time=utc(raw[self.workload.EVENT_TIME]),
                            logged_at=datetime.now(UTC).isoformat(),
                            raw=raw,
                            features={name: None if math.isnan(x) else float(x) for name, x in vector.items()},
                            prediction=value,
                            model_version=model.version,
                            release=self.settings.release,
                            latency_ms=round((time.perf_counter() - began) * 1000, 3),
                            decision=decision,
                            process=os.getpid(),
                            rows=len(rows),
                        )
                    )
        return answers

    def check(self) -> None:
        """Predict the model's stored input example, and the workload's sample from its raw payload on.

        Raises ApiError 503 with the reason where either fails.
        """
        if time.monotonic() < self.ready_until:
            return
        try:
            known = self.model.example
            stored = [] if known is None else list(map(float, self.model.predictor.predict(known)))
            answer = self.score([self.workload.SAMPLE], time.perf_counter(), record=False)[0]
        except ApiError:
            raise
        except Exception as error:
            log.exception("the readiness check failed")
            raise ApiError(503, "not_ready", f"{type(error).__name__}: {error}") from error
        if not all(math.isfinite(value) for value in (*stored, answer[self.workload.PREDICTION_FIELD])):
            raise ApiError(503, "not_ready", "The model answers no finite number.")
        self.ready_until = time.monotonic() + READY_SECONDS


def arrival(header: str | None) -> float:
    """Return when a request arrived, on the clock of `time.perf_counter`.

    A gateway says it in `X-Request-Start: t=<seconds since 1970>`, as Heroku's router and nginx setups do; the time
    that a request waited for its turn is then part of its latency. Without the header it arrived now.
    """
    now = time.perf_counter()
    try:
        waited = time.time() - float((header or "").removeprefix("t="))
    except ValueError:
        return now
    return now - waited if 0 <= waited < LONGEST_WAIT else now


def utc(text: str) -> str:
    """Return an ISO 8601 time stamp with its offset as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def create_app(  # noqa: C901 every route is a few lines
    settings: Settings, workload: Any = None, served: Served | None = None
) -> FastAPI:
    """Return the application. `workload` and `served` are found through the settings unless they are given."""
    service = Service(settings, workload or importlib.import_module(f"serving.{settings.workload}"), served)
    workload = service.workload

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Starlette runs plain handlers on a pool of threads of this size.
        to_thread.current_default_thread_limiter().total_tokens = settings.threads
        service.start()
        yield
        service.log.close()

    app = FastAPI(title=workload.TITLE, version=settings.release, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    errors.install(app)

    @app.middleware("http")
    async def observe(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        stages = timing.begin()
        status = 500
        try:
            response = await call_next(request)
            status = response.status_code
            if stages:
                response.headers["Server-Timing"] = timing.header(stages)
            return response
        finally:
            route = getattr(request.scope.get("route"), "path", "unknown")
            service.metrics.requests.labels(route, str(status)).inc()
            service.metrics.seconds.labels(route).observe(time.perf_counter() - began)
            for name, seconds in stages.items():
                service.metrics.stages.labels(route, name).observe(seconds)

    @app.post("/predict", summary=f"Predict for one {workload.NOUN}")
    def predict(order: workload.Order, x_request_start: Start = None) -> dict[str, Any]:
        began = arrival(x_request_start)
        return service.score([order.model_dump()], began)[0]

    @app.post("/predict/batch", summary=f"Predict for up to {MAX_BATCH} {workload.BATCH_KEY}")
    def predict_batch(batch: workload.Batch, x_request_start: Start = None) -> dict[str, Any]:
        began = arrival(x_request_start)
        rows = [order.model_dump() for order in getattr(batch, workload.BATCH_KEY)]
        if len(rows) > MAX_BATCH:
            raise ApiError(
                413,
                "batch_too_large",
                f"A batch holds at most {MAX_BATCH} {workload.BATCH_KEY}; this one has {len(rows)}.",
            )
        return {"predictions": service.score(rows, began) if rows else []}

    @app.get("/health", summary="Whether the process answers")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", summary=f"Whether a sample {workload.NOUN} can be predicted")
    def ready() -> dict[str, str]:
        service.check()
        return {"status": "ready"}

    @app.get("/info", summary="What is served")
    def info() -> dict[str, Any]:
        model = service.model
        return {
            "workload": settings.workload,
            "release": settings.release,
            "model": {key: getattr(model, key) for key in ("name", "alias", "version", "run_id", "loaded_at")},
            "packages": {d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]},
            "python": platform.python_version(),
            "started_at": service.started_at,
            **({"policy": service.policy.describe()} if service.policy else {}),
        }

    @app.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(PAGE)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", exc_info=error)
        return JSONResponse(errors.body("internal_error", type(error).__name__), 500)

    return app
