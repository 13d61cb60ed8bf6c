"""Where things are, as one frozen object that the command line builds from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crashlab.errors import UsageError

if TYPE_CHECKING:
    # The model takes longer to import than everything that `crashlab list` does.
    from crashlab.model import RuntimeName

VARIABLES: dict[str, str] = {
    "CRASHLAB_HOME": "Folder of incidents, environments and trained histories; `.crashlab` beside the code by default.",
    "CRASHLAB_RUNTIME": "Runtime where none is given: `compose` or `embedded`.",
    "CRASHLAB_DATA_SEED": "Seed of the synthetic history that models are trained on; 7 by default.",
    "CRASHLAB_JUDGE_KEY": "Key of the endpoint that `--judge` names, if it wants one.",
}
"""Every setting, with what it does. The documentation is tested against this table."""


@dataclass(frozen=True)
class Settings:
    """`root` holds the code, `home` everything that Crashlab writes."""

    root: Path
    home: Path
    runtime: "RuntimeName | None" = None
    data_seed: int = 7

    @property
    def incidents(self) -> Path:
        """One folder for each incident."""
        return self.home / "incidents"

    @property
    def sealed(self) -> Path:
        """Truths and seeds of incidents, and the hidden requests."""
        return self.home / "sealed"

    @property
    def proofs(self) -> Path:
        """What scenarios showed when they were proved, for authors; truths stand in it."""
        return self.home / "proofs"

    @property
    def snapshots(self) -> Path:
        """Trained, registered histories that incidents start from."""
        return self.home / "snapshots"

    @property
    def workloads(self) -> Path:
        """Workloads that were made from tables."""
        return self.home / "workloads"

    @property
    def sources(self) -> Path:
        """Copies of the code with such a workload added."""
        return self.home / "sources"

    @property
    def scenarios(self) -> Path:
        """The catalogue."""
        return self.root / "scenarios"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Build the settings. Raises UsageError where a variable has no valid value."""
    root = Path(__file__).resolve().parents[1]
    home = Path(environment.get("CRASHLAB_HOME") or root / ".crashlab").expanduser().resolve()
    runtime = environment.get("CRASHLAB_RUNTIME") or None
    if runtime not in (None, "compose", "embedded"):
        raise UsageError(f"CRASHLAB_RUNTIME is {runtime!r}.", "Set it to compose or embedded, or unset it.")
    seed = environment.get("CRASHLAB_DATA_SEED", "7")
    if not (seed.isascii() and seed.isdigit()):
        raise UsageError(f"CRASHLAB_DATA_SEED is {seed!r}.", "Set it to a whole number, or unset it.")
    known: RuntimeName | None = "compose" if runtime == "compose" else "embedded" if runtime == "embedded" else None
    return Settings(root=root, home=home, runtime=known, data_seed=int(seed))
