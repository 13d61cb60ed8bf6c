"""The online feature table of couriers."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any


class Couriers:
    """Reads `features.db`. Rows are read anew for each request: a job refreshes the table in place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of the given couriers, by id, in one query. A courier without a row is left out."""
        wanted = sorted(set(ids))
        marks = ",".join("?" * len(wanted))
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"SELECT * FROM couriers WHERE courier_id IN ({marks})", wanted)  # noqa: S608 marks only
            return {row["courier_id"]: dict(row) for row in found}
