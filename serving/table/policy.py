"""A decision by a threshold that stands in a file beside the workload's code."""

import tomllib
from pathlib import Path
from typing import Any


class ThresholdPolicy:
    """Reads the policy once, at start."""

    def __init__(self, path: Path) -> None:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))["decision"]
        self.threshold = float(settings["yes_from"])

    def decide(self, probability: float) -> str:
        """Return `yes` or `no`."""
        return "yes" if probability >= self.threshold else "no"

    def describe(self) -> dict[str, Any]:
        """What `/info` says of the policy."""
        return {"threshold": self.threshold}
