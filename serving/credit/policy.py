"""The lending policy: who is approved, by the probability of default."""

import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("policy.toml")


class Policy:
    """Reads the policy once, at start."""

    def __init__(self, path: Path = FILE) -> None:
        self.settings = tomllib.loads(path.read_text(encoding="utf-8"))["decision"]
        self.threshold = float(self.settings["decline_from"])

    def decide(self, probability: float) -> str:
        """Return `approve` or `decline`."""
        return "decline" if probability >= self.threshold else "approve"

    def describe(self) -> dict[str, Any]:
        """What `/info` says of the policy."""
        return {"threshold": self.threshold}
