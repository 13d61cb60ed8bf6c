"""The training side's way from raw rows to features: numbers as they are, categories as their codes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from training.table import schema as schemas


class Part:
    """Features of one workload."""

    def __init__(self, workload: str) -> None:
        self.schema = schemas.load(workload)
        self.FEATURES = tuple(column.name for column in self.schema.columns)

    def features(self, rows: Sequence[dict[str, Any]], data: Path) -> pd.DataFrame:
        """Return one row of FEATURES per raw row, float64, NaN where a value is unknown."""
        del data
        frame = pd.DataFrame(index=range(len(rows)))
        parts = {}
        for column in self.schema.columns:
            values = [row[column.name] for row in rows]
            if column.levels:
                codes = {level: code for code, level in enumerate(column.levels)}
                values = [codes.get(value) if value is not None else None for value in values]
            parts[column.name] = pd.to_numeric(pd.Series(values, index=frame.index, dtype="object"), errors="coerce")
        return pd.DataFrame(parts, columns=list(self.FEATURES)).astype("float64")
