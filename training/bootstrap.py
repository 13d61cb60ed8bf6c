"""Training runs: the recorded history at first, then one version at a time. Everything is logged to MLflow."""

import json
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient

from training.settings import Settings, part

log = logging.getLogger("training")

HOLDOUT_DAYS = 7
"""Days after the training window that a version is evaluated on; the last days of the window where none follow."""
RECENT_WEIGHT = 5.0
"""Weight of a recent order where those of the history have 1."""
FEWEST_RECENT = 100
REFERENCE_ROWS = 1200
"""Rows of the reference sample; above 1,000 a drift report uses distances and no significance tests."""


class History:
    """The training history as features, made once for all versions."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.rows: list[dict[str, Any]] = part(settings, "generate").history(seed)
        self.features: pd.DataFrame = part(settings, "prepare").features([r["order"] for r in self.rows], settings.data)
        time_field = part(settings, "generate").TIME_FIELD
        self.days = np.array([row["order"][time_field][:10] for row in self.rows])

    def window(self, start: date, end: date) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Mask of the rows with event day in [start, end)."""
        mask: np.ndarray[Any, np.dtype[np.bool_]] = (self.days >= start.isoformat()) & (self.days < end.isoformat())
        return mask

    def outcomes(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """Outcome of each row."""
        return np.array([row["actual"] for row in self.rows], dtype=float)


def run(settings: Settings, seed: int) -> dict[str, Any]:
    """Fill the data folder and the registry. What is there already is left alone, so it can be run again."""
    settings.data.mkdir(parents=True, exist_ok=True)
    generate = part(settings, "generate")
    generate.write_tables(seed, settings.data)
    if not (settings.data / part(settings, "stream").NAMES.file).is_file():
        generate.write_stream(seed, settings.data)
    client = connect(settings)
    versions = part(settings, "model").HISTORY
    there = len(client.search_model_versions(f"name='{settings.model_name}'"))
    if there < len(versions):
        history = History(settings, seed)
        for number, entry in enumerate(versions[there:], start=there + 1):
            log.info("training version %d of %d", number, len(versions))
            fit(settings, client, history, entry, seed)
    return {
        "model": settings.model_name,
        "versions": max(there, len(versions)),
        "trained": max(len(versions) - there, 0),
    }


def train(
    settings: Settings,
    *,
    start: date | None,
    end: date | None,
    seed: int,
    params: dict[str, str],
    tags: dict[str, str],
    aliases: list[str],
    recent: datetime | None = None,
    correct: bool = False,
    prior: datetime | None = None,
) -> dict[str, Any]:
    """Train and register one version. Defaults are the champion recipe on the whole history.

    With `recent`, labelled production orders since then take part: their newest fifth is what the version is evaluated
    on, and the others are trained on, each with the weight RECENT_WEIGHT, or with `correct` correct a model of the history.
    With `prior`, the share of the positive class is set to the one that logged requests since then have, labelled or not.
    """
    model, generate = part(settings, "model"), part(settings, "generate")
    recipe = {**model.DEFAULT_PARAMS, **{name: _number(value) for name, value in params.items()}}
    entry = model.Version(
        recipe,
        start or generate.HISTORY[0],
        end or generate.HISTORY[1],
        {"promotion": "candidate", **tags},
        tuple(aliases),
    )
    client, history = connect(settings), History(settings, seed)
    if prior is not None:
        return fit(settings, client, history, entry, seed, Unlabelled(settings, prior))
    if recent is None:
        return fit(settings, client, history, entry, seed)
    return fit(settings, client, history, entry, seed, Recent(settings, recent, correct=correct))


def rehearse(settings: Settings, seed: int, orders: list[dict[str, Any]]) -> list[float]:
    """Fit a version with the defaults of `train`, log and register nothing, and return what it predicts for orders."""
    model, generate, history = part(settings, "model"), part(settings, "generate"), History(settings, seed)
    rows = history.window(*generate.HISTORY)
    pipeline = model.pipeline(model.DEFAULT_PARAMS, seed)
    pipeline.fit(history.features[rows], history.outcomes()[rows])
    features = part(settings, "prepare").features(orders, settings.data)
    return [float(value) for value in model.predict(pipeline, features)]


class Recent:
    """Production orders whose outcome is known, as features, oldest first."""

    def __init__(self, settings: Settings, since: datetime, *, correct: bool) -> None:
        self.correct = correct
        rows = _labelled(settings.data, since)
        if len(rows) < FEWEST_RECENT:
            raise SystemExit(f"Only {len(rows)} labelled orders since {since.isoformat()}: too few to learn from.")
        cut = len(rows) * 4 // 5
        features = part(settings, "prepare").features([order for order, _ in rows], settings.data)
        outcomes = np.array([actual for _, actual in rows], dtype=float)
        self.train = features.iloc[:cut], outcomes[:cut]
        self.test = features.iloc[cut:], outcomes[cut:]


class Unlabelled:
    """Production requests as features, whether or not their outcome is known."""

    def __init__(self, settings: Settings, since: datetime) -> None:
        if not hasattr(part(settings, "model"), "with_prior"):
            raise SystemExit("This workload predicts no probability, so it has no prior.")
        orders = [order for order, _ in _logged(settings.data, since)]
        if len(orders) < FEWEST_RECENT:
            raise SystemExit(f"Only {len(orders)} requests since {since.isoformat()}: too few to learn from.")
        self.features = part(settings, "prepare").features(orders, settings.data)


def _labelled(data: Path, since: datetime) -> list[tuple[dict[str, Any], float]]:
    """Payloads and outcomes of the logged requests since a time, each once."""
    labels = dict(_query(data / "labels.db", "SELECT entity, actual FROM labels"))
    return [(order, float(labels[entity])) for order, entity in _logged(data, since) if entity in labels]


def _logged(data: Path, since: datetime) -> list[tuple[dict[str, Any], str]]:
    """Payloads and entity keys of the logged requests since a time, each once."""
    logged = _query(data / "predictions.db", "SELECT entity, event_time, raw FROM predictions ORDER BY event_time")
    found = {entity: (json.loads(raw), entity) for entity, at, raw in logged if datetime.fromisoformat(at) >= since}
    return list(found.values())


def _query(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def connect(settings: Settings) -> MlflowClient:
    """Return a client of the registry, with the experiment and the registered model in place."""
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment(settings.model_name)
    client = MlflowClient()
    if not client.search_registered_models(f"name='{settings.model_name}'"):
        client.create_registered_model(settings.model_name, description=part(settings, "model").DESCRIPTION)
    return client


def fit(
    settings: Settings,
    client: MlflowClient,
    history: History,
    entry: Any,
    seed: int,
    recent: Recent | Unlabelled | None = None,
) -> dict[str, Any]:
    """Fit one version, log it with all it takes to repeat it, register it, and set its tags and aliases."""
    model = part(settings, "model")
    rows = history.window(entry.start, entry.end)
    days = getattr(model, "HOLDOUT_DAYS", HOLDOUT_DAYS)
    held_out = history.window(entry.end, date.fromordinal(entry.end.toordinal() + days))
    if not held_out.any():
        held_out = history.window(date.fromordinal(entry.end.toordinal() - days), entry.end)
        rows &= ~held_out
    x, y = history.features[rows], history.outcomes()[rows]
    pipeline = model.pipeline(entry.params, seed)
    test_x, test_y = history.features[held_out], history.outcomes()[held_out]
    params = {**entry.params}
    if recent is None:
        pipeline.fit(x, y)
    elif isinstance(recent, Unlabelled):
        # The metrics stay those on held-out rows of the history, the only ones with outcomes: there they are worse.
        pipeline, share = model.with_prior(pipeline.fit(x, y), float(np.mean(y)), recent.features)
        params["prior"] = round(share, 4)
    elif recent.correct:
        pipeline = model.corrected(pipeline.fit(x, y), *recent.train)
        test_x, test_y = recent.test
    else:
        weights = np.concatenate([np.ones(len(x)), np.full(len(recent.train[0]), RECENT_WEIGHT)])
        x, y = pd.concat([x, recent.train[0]], ignore_index=True), np.concatenate([y, recent.train[1]])
        pipeline.fit(x, y, model__sample_weight=weights)
        test_x, test_y = recent.test
    metrics = {
        **model.evaluate(pipeline, test_x, test_y),
        "label_mean": float(np.mean(y)),
        "label_max": float(np.max(y)),
    }
    importance = model.importance(pipeline, test_x, test_y, seed)
    window = f"{entry.start}..{entry.end}"
    with mlflow.start_run(run_name=f"{settings.model_name} {window}") as active:
        mlflow.log_params({**params, "target": model.TARGET, "seed": seed, "training_window": window, "rows": len(x)})
        mlflow.log_metrics({**metrics, **{f"importance_{name}": value for name, value in importance.items()}})
        libraries = {name: installed(name) for name in model.PACKAGES if name.startswith("featurelib")}
        mlflow.set_tags({"release": settings.release, **libraries})
        data = mlflow.data.from_pandas(
            x.assign(**{model.TARGET: y}), name=f"{settings.model_name} {window}", targets=model.TARGET
        )
        mlflow.log_input(data, context="training")
        _log_reference(history, rows, model.RAW_COLUMNS, seed)
        logged = mlflow.sklearn.log_model(
            pipeline,
            name="model",
            signature=infer_signature(x.head(5), getattr(pipeline, model.PREDICT)(x.head(5))),
            pyfunc_predict_fn=model.PREDICT,
            input_example=x.head(3),
            pip_requirements=[f"{name}=={installed(name)}" for name in model.PACKAGES],
            serialization_format="cloudpickle",
        )
        registered = mlflow.register_model(logged.model_uri, settings.model_name)
    number = str(registered.version)
    decided = {key: str(value) for key, value in entry.params.items() if key == "decision_threshold"}
    for key, value in {**entry.tags, "training_window": window, **decided}.items():
        client.set_model_version_tag(settings.model_name, number, key, value)
    for alias in entry.aliases:
        client.set_registered_model_alias(settings.model_name, alias, number)
    return {
        "version": int(number),
        "run_id": active.info.run_id,
        "metrics": metrics,
        "at": datetime.now(UTC).isoformat(),
    }


def _log_reference(history: History, rows: Any, columns: tuple[str, ...], seed: int) -> None:
    """Log a sample of the training rows, transformed and raw, for drift reports."""
    chosen = np.random.default_rng(seed).choice(
        np.flatnonzero(rows), size=min(REFERENCE_ROWS, int(rows.sum())), replace=False
    )
    chosen.sort()
    features = history.features.iloc[chosen]
    sample = {
        "features": {name: _known(features[name].tolist()) for name in features.columns},
        "raw": {name: [history.rows[index]["order"][name] for index in chosen] for name in columns},
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample.json"
        path.write_text(json.dumps(sample), encoding="utf-8")
        mlflow.log_artifact(str(path), "reference")


def _known(values: list[float]) -> list[float | None]:
    return [None if value != value else value for value in values]  # noqa: PLR0124 NaN is the only value unlike itself


def _number(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
