"""The served model: resolved from its registry alias once, at start."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from serving.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("serving.model")

PATIENCE = 120.0
"""Seconds to wait for a registry that is still starting."""


class Predictor(Protocol):
    """What the API needs of a model."""

    def predict(self, features: "pd.DataFrame") -> Any:
        """One number per row."""
        ...


@dataclass(frozen=True)
class Served:
    """A loaded model with its identity in the registry."""

    name: str
    alias: str
    version: int
    run_id: str
    loaded_at: str
    predictor: Predictor
    example: "pd.DataFrame | None" = None
    """Features that were stored with the model as an example of its input, if any were."""


def load(settings: Settings, wrap: Callable[[Any], Predictor] | None = None) -> Served:
    """Resolve the alias and load that version. Waits for a registry that does not answer yet, up to PATIENCE.

    `wrap` turns the loaded model into one that answers one number per row, where it does not do so by itself.
    """
    # The mismatch warning between logged and installed requirements is written by pyfunc loading.
    import mlflow
    from mlflow import pyfunc
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(settings.tracking_uri)
    _wait(settings.tracking_uri)
    try:
        version = MlflowClient().get_model_version_by_alias(settings.model_name, settings.alias)
    except MlflowException as error:
        message = f"The registry has no version of {settings.model_name} with the alias {settings.alias}: {error}"
        raise RuntimeError(message) from error
    predictor = pyfunc.load_model(f"models:/{settings.model_name}/{version.version}")
    log.info("serving %s version %s from alias %s", settings.model_name, version.version, settings.alias)
    return Served(
        name=settings.model_name,
        alias=settings.alias,
        version=int(version.version),
        run_id=str(version.run_id),
        loaded_at=datetime.now(UTC).isoformat(),
        predictor=wrap(predictor) if wrap else predictor,
        example=predictor.input_example,
    )


def _wait(uri: str) -> None:
    import requests

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if requests.get(f"{uri}/health", timeout=2).ok:
                return
        except requests.RequestException:
            pass
        if time.monotonic() > deadline:
            message = f"The registry at {uri} did not answer within {PATIENCE:.0f} s."
            raise RuntimeError(message)
        time.sleep(0.3)
