"""Published JSON Schemas of what other programs may read. `python -m crashlab.schemas` writes them into `docs/reference`."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crashlab.final import Final
from crashlab.judge import Advice
from crashlab.model import Bundle, Verdict
from crashlab.regrade import Regrading
from grader.reviewing import Review

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "schemas"
PUBLISHED: dict[str, type[BaseModel]] = {
    "bundle-1": Bundle,
    "verdict-1": Verdict,
    "final-1": Final,
    "advice-1": Advice,
    "regrading-1": Regrading,
    "review-1": Review,
}
"""Models by file name: what it is, and the number of its version."""


def schema(name: str) -> dict[str, Any]:
    """Return one schema, in JSON Schema's draft of 2020-12, as documents are written."""
    made = PUBLISHED[name].model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{name}.json", **made}


def write() -> None:
    """Write every schema into `FOLDER`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PUBLISHED:
        text = json.dumps(schema(name), indent=1, ensure_ascii=False, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
