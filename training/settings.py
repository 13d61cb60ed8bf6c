"""Where the job finds its data and its registry, from the environment."""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """`data` is the folder that training, serving and traffic share."""

    workload: str
    data: Path
    tracking_uri: str
    model_name: str
    alias: str
    release: str


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
    )


def part(settings: Settings, name: str) -> Any:
    """Return one part of the workload, for instance `generate` or `model`: a module of its package.

    A workload made from a table has a schema and no code; its parts are objects that `training.table` makes of it.
    """
    from training.table.schema import is_table

    if is_table(settings.workload):
        return importlib.import_module(f"training.table.{name}").Part(settings.workload)
    return importlib.import_module(f"training.{settings.workload}.{name}")
