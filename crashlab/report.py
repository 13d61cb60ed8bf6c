"""Drift reports: the training reference against a window of production, by Evidently."""

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any, Literal

from crashlab import store
from crashlab.errors import StateError
from crashlab.evidence.observer import Observer
from crashlab.model import Frozen

Side = Literal["features", "raw"]
Window = Literal["before", "now"]
MINIMUM_ROWS = 20


class Column(Frozen):
    """One column of a drift report: the distance, the method, and Evidently's own threshold."""

    name: str
    distance: float
    threshold: float
    method: str
    drifted: bool


class Drift(Frozen):
    """What one report found, and where its files are."""

    window: Window
    side: Side
    rows: int
    reference_rows: int
    drifted_share: float
    columns: tuple[Column, ...]
    html: Path
    json_file: Path


def build(seen: Observer, window: Window, side: Side, folder: Path) -> Drift:
    """Write `drift-<side>-<window>.html` and `.json` into `folder`.

    Columns of `raw` are what clients sent, those of `features` what reached the model. Raises StateError where the
    window has fewer than MINIMUM_ROWS requests. Distances and thresholds are Evidently's defaults.
    """
    rows = seen.now if window == "now" else seen.before
    if len(rows) < MINIMUM_ROWS:
        raise StateError(
            f"The window `{window}` holds {len(rows)} requests; a report needs {MINIMUM_ROWS}.", "Wait for traffic."
        )
    reference = seen.reference if side == "features" else seen.raw_reference
    # Evidently takes seconds to import, and announces itself on import.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import pandas as pd
        from evidently import Report
        from evidently.presets import DataDriftPreset

        before = pd.DataFrame(reference, dtype="float64")
        source = [row.features if side == "features" else row.raw for row in rows]
        current = pd.DataFrame([{name: row.get(name) for name in before.columns} for row in source], dtype="float64")
        # A column that is wholly unknown on one side has no distribution to compare.
        usable = [name for name in before.columns if before[name].notna().any() and current[name].notna().any()]
        result = Report([DataDriftPreset()], include_tests=True).run(
            current_data=current[usable], reference_data=before[usable]
        )
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"drift-{side}-{window}"
        html, data = folder / f"{stem}.html", folder / f"{stem}.json"
        result.save_html(str(html))
        found = json.loads(result.json())
    store.write_text(data, json.dumps(found, indent=1))
    columns, share = _columns(found)
    return Drift(
        window=window, side=side, rows=len(rows), reference_rows=len(before), drifted_share=share,
        columns=tuple(sorted(columns, key=lambda column: -column.distance)), html=html, json_file=data,
    )  # fmt: skip


def _columns(found: dict[str, Any]) -> tuple[list[Column], float]:
    columns, share = [], 0.0
    for metric in found["metrics"]:
        config = metric.get("config", {})
        if "column" in config:
            value, threshold = float(metric["value"]), float(config.get("threshold", 0.1))
            method = str(config.get("method", ""))
            # A p-value is small where a distance is large.
            drifted = value < threshold if "p_value" in method else value > threshold
            columns.append(
                Column(name=config["column"], distance=value, threshold=threshold, method=method, drifted=drifted)
            )
        elif isinstance(metric["value"], dict) and "share" in metric["value"]:
            share = float(metric["value"]["share"])
    return columns, share
