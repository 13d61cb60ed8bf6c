"""A workload as the engine sees it: names, calendar, objectives and alert rules, read from its own folder."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import Field, ValidationError

from crashlab.errors import UsageError
from crashlab.model import Frozen, Identifier
from crashlab.quality import UNITS, Extra, Loss


class Calendar(Frozen):
    """The workload's own calendar, in UTC. Data time never is wall-clock time.

    A workload's file holds the canonical one, which its snapshots are made in; an incident has one that lies whole weeks
    from it, so that its week is the newest one that is over.

    Production is replayed from `week_start` to `week_end`; `baseline_end` closes the part of that week in which
    nothing is ever wrong, which alert rules and `window=before` compare with. Of the stream, every `replay_every`-th
    request is sent, which keeps a replay within seconds. `outcome_days` is how many days outcomes take to be known, where
    they take days: no model can be trained on a window sooner.
    """

    week_start: datetime
    baseline_end: datetime
    week_end: datetime
    replay_every: int = Field(default=2, ge=1)
    outcome_days: int = Field(default=0, ge=0)

    def weeks_to(self, now: datetime) -> int:
        """Return by how many weeks this calendar has to be moved to end on the latest Monday 00:00 UTC up to `now`.

        Negative where the clock is behind the calendar: a log of what is yet to come would be no past.
        """
        return (now.astimezone(UTC) - self.week_end) // timedelta(weeks=1)

    def moved(self, weeks: int) -> "Calendar":
        """Return the calendar that lies `weeks` later."""
        by = timedelta(weeks=weeks)
        return self.model_copy(
            update={
                "week_start": self.week_start + by,
                "baseline_end": self.baseline_end + by,
                "week_end": self.week_end + by,
            }
        )


class Objectives(Frozen):
    """Service objectives: 95th percentile of latency in milliseconds, and the quality metric at most, if there is one."""

    p95_ms: float
    quality: float | None = None


class Quality(Frozen):
    """How good predictions are, on labels.

    `metric` is the loss that alerts and the check of a fix go by, `also` is measured beside it, and `alert` is what
    the alert says, without a number.
    """

    metric: Loss
    also: tuple[Extra, ...] = ()
    alert: str


class Decision(Frozen):
    """What is decided by a prediction: the field of the answer that says it, the value whose share is watched, and what the alert says."""

    field: str
    watched: str
    alert: str


class Rules(Frozen):
    """Thresholds of the alert rules; see docs/reference/alerts.md.

    `quality_ratio`, `rate_ratio` and `latency_ratio` compare the current window with the baseline, `prediction_drift`,
    `label_drift` and `column_drift` are normalised Wasserstein distances, `error_rate` is a share of requests,
    `decision_rate` the change of the watched decision's share, and `memory_growth_mb` megabytes for 1,000 requests.
    """

    quality_ratio: float = 1.25
    prediction_drift: float = 0.2
    label_drift: float = 0.2
    rate_ratio: float = 1.7
    latency_ratio: float = 4.0
    error_rate: float = 0.01
    column_drift: float = 0.5
    decision_rate: float = 0.08
    memory_growth_mb: float = 20.0


class Workload(Frozen):
    """What `training/<name>/workload.toml` holds."""

    name: Identifier
    title: str
    description: str
    model_name: str
    unit: str
    routine: str
    """A harmless line of every timeline."""
    entity: str
    event_time: str
    prediction: str
    batch_key: str
    features: tuple[str, ...]
    numeric_columns: tuple[str, ...]
    categorical_columns: tuple[str, ...] = ()
    """Raw columns of names that become codes in the feature of the same name."""
    segments: tuple[str, ...] = ()
    """Raw columns of names by which errors and raw medians are also measured."""
    packages: tuple[str, ...]
    champion: int
    calendar: Calendar
    objectives: Objectives
    quality: Quality
    decision: Decision | None = None
    rules: Rules = Field(default_factory=Rules)

    @property
    def promise(self) -> str:
        """The objectives in words, as the brief says them."""
        said = f"95 of 100 requests within {self.objectives.p95_ms:g} ms"
        if self.objectives.quality is None:
            return f"Objective: {said}."
        held = UNITS[self.quality.metric].format(unit=self.unit)
        return f"Objectives: an error of at most {self.objectives.quality:g} {held}, and {said}."

    def moved(self, weeks: int) -> "Workload":
        """Return the workload with its calendar `weeks` later."""
        return self.model_copy(update={"calendar": self.calendar.moved(weeks)})


def names(root: Path) -> list[str]:
    """Workloads in the repository."""
    return sorted(path.parent.name for path in (root / "training").glob("*/workload.toml"))


def load(root: Path, name: str) -> Workload:
    """Read a workload. Raises UsageError with every error where the file is not valid."""
    path = root / "training" / name / "workload.toml"
    if not path.is_file():
        raise UsageError(f"There is no workload {name!r}.", f"Known workloads: {', '.join(names(root)) or 'none'}.")
    try:
        return Workload.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} of workload {name} is not valid: {error}", "Mend the file.") from error
