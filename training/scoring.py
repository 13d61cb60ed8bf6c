"""The training side's features and predictions for given orders. `transform` needs no estimator and no registry."""

import math
from collections.abc import Sequence
from typing import Any

from training.settings import Settings, part


def _vectors(frame: Any) -> list[dict[str, float | None]]:
    return [
        {name: None if math.isnan(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def transform(settings: Settings, orders: Sequence[dict[str, Any]]) -> list[dict[str, float | None]]:
    """Features of each order, None where a value is unknown."""
    if not orders:
        return []
    return _vectors(part(settings, "prepare").features(orders, settings.data))


def score(
    settings: Settings, orders: Sequence[dict[str, Any]], *, version: int | None = None, alias: str | None = None
) -> list[dict[str, Any]]:
    """Return `{"features": ..., "prediction": ...}` of each order by a registered version, the champion by default.

    Where the workload decides by a threshold, `decision` is the one that the version's own threshold leads to.
    """
    if not orders:
        return []
    import mlflow

    mlflow.set_tracking_uri(settings.tracking_uri)
    wanted = f"/{version}" if version is not None else f"@{alias or settings.alias}"
    from mlflow.sklearn import load_model

    module = part(settings, "model")
    model = load_model(f"models:/{settings.model_name}{wanted}")
    frame = part(settings, "prepare").features(orders, settings.data)
    scored: list[dict[str, Any]] = [
        {"features": vector, "prediction": float(answer)}
        for vector, answer in zip(_vectors(frame), module.predict(model, frame), strict=True)
    ]
    if hasattr(module, "decide"):
        threshold = _threshold(settings, version, alias)
        for entry in scored:
            entry["decision"] = module.decide(entry["prediction"], threshold)
    return scored


def fingerprint(
    settings: Settings, vectors: Sequence[dict[str, float | None]], versions: Sequence[int] = ()
) -> list[dict[int, float]]:
    """Return what registered versions, all of them by default, predict for transformed vectors, by version.

    Known answers to known inputs tell which version gave an answer, whatever it calls itself. A version that was fitted on
    features that the vectors lack has no answer.
    """
    if not vectors:
        return []
    import mlflow
    import pandas as pd
    from mlflow.sklearn import load_model
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(settings.tracking_uri)
    module, frame = part(settings, "model"), pd.DataFrame(list(vectors), dtype=float)
    registered = MlflowClient().search_model_versions(f"name='{settings.model_name}'")
    found: list[dict[int, float]] = [{} for _ in vectors]
    for version in versions or sorted(int(entry.version) for entry in registered):
        model = load_model(f"models:/{settings.model_name}/{version}")
        wanted = list(model.feature_names_in_)
        if not set(wanted) <= set(frame.columns):
            continue
        for answers, answer in zip(found, module.predict(model, frame[wanted]), strict=True):
            answers[version] = float(answer)
    return found


def _threshold(settings: Settings, version: int | None, alias: str | None) -> float:
    """Decision threshold that was registered with a version."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    found = (
        client.get_model_version(settings.model_name, str(version))
        if version is not None
        else client.get_model_version_by_alias(settings.model_name, alias or settings.alias)
    )
    return float(found.tags["decision_threshold"])
