"""Where the API finds its model and its data, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`data` holds the online feature table and the prediction log."""

    workload: str
    data: Path
    tracking_uri: str
    model_name: str
    alias: str
    release: str
    host: str
    port: int
    workers: int = 1
    """Processes that answer requests."""
    threads: int = 40
    """Threads that answer requests in each of them."""


def load() -> Settings:
    """Read the environment; every variable has a default that fits docker-compose.yml."""
    env = os.environ
    return Settings(
        workload=env.get("WORKLOAD", "eta"),
        data=Path(env.get("DATA_DIR", "/data")),
        tracking_uri=env.get("MLFLOW_TRACKING_URI", "http://mlflow:5000"),
        model_name=env.get("MODEL_NAME", env.get("WORKLOAD", "eta")),
        alias=env.get("MODEL_ALIAS", "champion"),
        release=env.get("RELEASE", "local"),
        host=env.get("HOST", "0.0.0.0"),  # noqa: S104 the container's own network; Compose publishes on 127.0.0.1
        port=int(env.get("PORT", "8000")),
        workers=int(env.get("WORKERS", "1")),
        threads=int(env.get("THREADS", "40")),
    )
