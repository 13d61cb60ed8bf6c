"""What an incident keeps on disk, and where. Public state apart from what is sealed."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from crashlab.model import Frozen, HintTaken, Identifier, RuntimeName, Truth, Value

PhaseName = Literal["starting", "live", "submitted", "passed", "stopped"]


class Deployment(Frozen):
    """A deployment of the workspace during the incident, at wall-clock time `at`."""

    at: datetime
    commit: str


class Measurement(Frozen):
    """One line of the notebook: a fact, its value then, and when it was measured."""

    at: datetime
    selector: str
    value: Value
    citation: str


class Attempt(Frozen):
    """One submission: received, and graded when `graded` is set."""

    number: int
    received_at: datetime
    sha256: str
    score: float | None = None
    passed: bool = False
    graded: bool = False


class Record(Frozen):
    """The public state of an incident. `scenario` is empty while a blind incident is open."""

    version: Literal[1] = 1
    id: str
    workload: Identifier
    runtime: RuntimeName
    scenario: str
    blind: bool
    level: int
    commitment: str
    created_at: datetime
    phase: PhaseName
    base_commit: str = ""
    snapshot: Path
    weeks: int = 0
    """How many weeks this incident's calendar, and everything dated in it, lies after the canonical one of its snapshot."""
    root: Path | None = None
    """Folder of the code, where it is not the project's."""
    deployments: tuple[Deployment, ...] = ()
    notebook: tuple[Measurement, ...] = ()
    hints: tuple[HintTaken, ...] = ()
    attempts: tuple[Attempt, ...] = ()


class Sealed(Frozen):
    """What the learner does not see before the end. SHA-256 of `nonce` and seed is the record's commitment."""

    nonce: str
    seed: int
    scenario: Identifier
    truth: Truth


class LogKept(Frozen):
    """How many predictions for clients the log held at wall-clock time `until`, when the evidence was frozen.

    `rows` is None where the log could not be read then.
    """

    until: datetime
    rows: int | None


class Paths:
    """Files of one incident, below the state folder."""

    def __init__(self, home: Path, identifier: str) -> None:
        self.root = home / "incidents" / identifier
        self.sealed = home / "sealed" / identifier

    @property
    def record(self) -> Path:
        """Public state."""
        return self.root / "incident.json"

    @property
    def system(self) -> Path:
        """The stack's folder."""
        return self.root / "system"

    @property
    def brief(self) -> Path:
        """What the learner is told."""
        return self.root / "brief.json"

    @property
    def postmortem(self) -> Path:
        """What the learner writes."""
        return self.root / "postmortem.md"

    @property
    def truth(self) -> Path:
        """The seal."""
        return self.sealed / "truth.json"

    @property
    def hidden(self) -> Path:
        """Hidden requests of this incident."""
        return self.sealed / "hidden.json"

    @property
    def broken(self) -> Path:
        """Every fact of the broken system, frozen at the start."""
        return self.sealed / "broken.json"

    @property
    def kept(self) -> Path:
        """What the prediction log held when the evidence was frozen."""
        return self.sealed / "kept.json"

    def attempt(self, number: int) -> Path:
        """Folder of one submission."""
        return self.root / "submissions" / f"{number:03d}"
