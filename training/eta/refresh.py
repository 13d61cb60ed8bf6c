"""The job that copies the couriers' records into the online feature table. It runs each Monday."""

from datetime import date
from pathlib import Path
from typing import Any

from training.eta import generate

UNTIL: date | None = None
"""Day whose records are copied; the newest complete one where it is None."""


def run(seed: int, data: Path) -> dict[str, Any]:
    """Fill the table. Returns the day of the records and how many there are."""
    day = UNTIL or generate.HISTORY[1]
    return {"updated_on": day.isoformat(), "rows": generate.write_tables(seed, data, day)}
