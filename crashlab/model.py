"""The nouns that every part of Crashlab shares, as frozen data.

Nothing here imports project code or a heavy package, so the command line, the scenarios and the grader can all use
it. Whatever is read from a file is validated with unknown keys refused, and one validation reports every error.
"""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Value = bool | int | float | str
"""What one fact can say: a count or version (int), a measurement (float), a name (str), or yes and no (bool)."""

RuntimeName = Literal["compose", "embedded"]
Phase = Literal["healthy", "broken", "after"]
ItemStatus = Literal["passed", "partial", "failed", "not graded"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


DATE = re.compile(r"(?<![\d-])\d{4}-\d{2}-\d{2}(?![\d-])")


def moved(text: str, weeks: int) -> str:
    """Return a text with every date in it moved by whole weeks; times of day and whatever is no date stay."""

    def move(found: re.Match[str]) -> str:
        try:
            return (date.fromisoformat(found[0]) + timedelta(weeks=weeks)).isoformat()
        except (ValueError, OverflowError):
            return found[0]

    return DATE.sub(move, text) if weeks else text


class Frozen(BaseModel):
    """Immutable data with no unknown keys."""

    # Schemas are built on first use: most commands need few of them, and `crashlab list` is to answer at once.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Mechanism(Frozen):
    """How the cause produces the symptom.

    `concepts` are groups of interchangeable phrases; an account of the mechanism names at least one phrase of each
    group (for instance one of `miles`, `mi` and one of `kilometres`, `km`). `numbers` are the quantities that pin the
    mechanism down, by name; a number in prose that matches one of them says the same as the phrase.
    """

    sentence: str
    concepts: tuple[tuple[str, ...], ...] = ()
    numbers: dict[str, float] = Field(default_factory=dict)


class Contributing(Frozen):
    """A second fault of the same incident. The fields mean what they mean in `Truth`."""

    cause: Identifier
    component: Identifier
    object: str
    object_aliases: tuple[str, ...] = ()
    mechanism: Mechanism


DistractorKind = Literal["commit", "warning", "drift", "deploy", "burst"]


class Distractor(Frozen):
    """Something harmless that an incident shows beside its fault: what it is, the rules that it fires, and its details.

    `parameters` name what an account of it needs, for instance the column that drifts, or the versions of a package.
    """

    kind: DistractorKind
    alerts: tuple[Identifier, ...] = ()
    parameters: dict[str, Value] = Field(default_factory=dict)


class Truth(Frozen):
    """What was injected into one incident. Sealed until the incident is graded.

    `cause` is a taxonomy id, `component` a taxonomy component. `object_aliases` are other correct names of the
    object. `supporting` and `discriminating` are selectors (see `Evidence`): facts that bear the diagnosis out, and
    those among them that tell it from its nearest look-alikes.
    """

    scenario: Identifier
    workload: Identifier
    seed: int
    cause: Identifier
    component: Identifier
    object: str
    object_aliases: tuple[str, ...] = ()
    mechanism: Mechanism
    onset: datetime
    contributing: tuple[Contributing, ...] = ()
    """Other faults of the same incident. Neither comes first: an account may lead with any of them."""
    look_alikes: tuple[Identifier, ...] = ()
    supporting: tuple[str, ...] = ()
    discriminating: tuple[str, ...] = ()
    remedy: str
    needs_change: bool = True
    """False where nothing is broken and the right fix is none."""
    outlasts: tuple[Literal["promotion", "training"], ...] = ()
    """What a repair has to outlast besides a redeploy: the promotion of another version, the next run of the training job."""
    world: dict[str, float] = Field(default_factory=dict)
    """How the world differs from the onset on, in the words of the workload's generator; empty where it does not."""
    parameters: dict[str, Value] = Field(default_factory=dict)
    """What `inject` needs to repeat this fault exactly, for instance the factor and the file."""
    alerts: tuple[Identifier, ...] = ()
    """Rules that fire, where the seed decides which of its scenario's do; empty where all of them do."""
    distractors: tuple[Distractor, ...] = ()
    """What else the incident shows, drawn by `crashlab.distractors`; none of it is a fault."""
    own_alerts: tuple[Identifier, ...] = ()
    """Rules that fire on a workload of a person's own table, where they follow from the table; empty anywhere else."""

    @property
    def faults(self) -> tuple[Contributing, ...]:
        """Every fault of the incident."""
        own = Contributing.model_validate({name: getattr(self, name) for name in Contributing.model_fields})
        return (own, *self.contributing)

    @property
    def essence(self) -> str:
        """What it is apart from seed and onset: whoever has seen a fault knows it at another hour."""
        return self.model_dump_json(exclude={"seed", "onset"})

    def moved(self, weeks: int) -> "Truth":
        """Return the truth of the same fault in an incident that lies `weeks` later.

        Its texts name days of the calendar. On a person's own table, what looks like a date may be a name in the table.
        """
        if not self.own_alerts:
            return Truth.model_validate_json(moved(self.model_dump_json(), weeks))
        return self.model_copy(update={"onset": self.onset + timedelta(weeks=weeks)})

    def led_by(self, cause: str) -> "Truth":
        """Return the truth as an account tells it that leads with `cause`, where that is one of its causes."""
        second = next((item for item in self.contributing if item.cause == cause), None)
        if second is None:
            return self
        rest = tuple(self.faults[0] if item is second else item for item in self.contributing)
        led = {name: getattr(second, name) for name in Contributing.model_fields}
        return self.model_copy(update={**led, "contributing": rest})


class Evidence(Frozen):
    """Everything a learner could have measured at one moment, keyed by selector.

    A selector is a family, a subject and a measurement separated by single spaces, for instance
    `feature distance_km parity_ratio`, `registry alias=champion version` or `latency p95_ms`. The citation
    `[feature distance_km parity_ratio=1.609]` claims that the selector left of the last `=` has the value right of it.
    """

    phase: Phase
    taken_at: datetime
    facts: dict[str, Value] = Field(default_factory=dict)
    failures: dict[str, str] = Field(default_factory=dict)
    """Families that could not be measured, with the reason, for instance `registry: MLflow did not answer`."""


class Shown(Frozen):
    """What one scenario showed on one seed: its truth, its brief, and the facts of the same system healthy and broken.

    Every proof writes one; the table of what tells causes apart is made from them (`grader.contrast`).
    """

    truth: Truth
    runtime: RuntimeName
    commit: str = ""
    """Of the project's code that the proof was made with; empty where it is not known."""
    brief: "Brief"
    healthy: dict[str, Value]
    broken: dict[str, Value]


class Feature(Frozen):
    """A column of a person's own table that the model sees: its name in the API and its heading in the file.

    `levels` are the values of a category in the order of their codes, empty for a number. `low` and `high` are its
    range in training, as a report would round it.
    """

    name: str
    source: str
    levels: tuple[str, ...] = ()
    optional: bool = False
    low: float
    high: float


ReactionKind = Literal[
    "scale", "swap", "fill", "recode", "refit", "step", "wrap", "round", "flip", "threshold", "version"
]
"""What is changed: a column's values, who answers, or what is made of the answer. See docs/decisions/0009."""


class Reaction(Frozen):
    """One change, and how the alert rules answer to it on the workload's own production rows.

    `columns` are the features that are changed, `value` is the number and `how` the word that the change takes.
    `reach` says for each rule how far its threshold could be moved with the same outcome: above 1 the rule fires, and
    still would with a threshold of so many times its size.
    """

    kind: ReactionKind
    columns: tuple[str, ...] = ()
    value: float = 0.0
    how: str = ""
    reach: dict[str, float]

    def fires(self, rule: str, margin: float) -> bool:
        """Whether a rule fires by at least `margin`, a share of its threshold."""
        return self.reach.get(rule, 0.0) >= 1 + margin

    def decided(self, margin: float) -> bool:
        """Whether every rule either fires or stays silent by at least `margin`."""
        return all(abs(value - 1) >= margin for value in self.reach.values())


class Ground(Frozen):
    """What a fault can stand on in a workload that was made from a person's own table.

    `threshold` is the probability from which on the answer is `yes`, None for a regression.
    """

    workload: Identifier
    target: str
    metric: str
    unit: str
    champion: int
    threshold: float | None
    features: tuple[Feature, ...]
    """The most important first."""
    order: tuple[str, ...]
    """Names of the features in the order of the table."""
    reactions: tuple[Reaction, ...]

    def feature(self, name: str) -> Feature:
        """Return a feature by its name. Raises KeyError where there is none."""
        for item in self.features:
            if item.name == name:
                return item
        raise KeyError(name)


class Alert(Frozen):
    """One rule that fired on the running stack, with the numbers it fired on."""

    rule: Identifier
    severity: Literal["page", "ticket"]
    summary: str
    observed: float
    baseline: float | None
    threshold: float
    unit: str
    since: datetime


class Change(Frozen):
    """One entry of the public timeline: a commit, a promotion or a deployment, harmless or not."""

    at: datetime
    kind: Literal["commit", "alias", "deploy", "traffic", "config"]
    summary: str
    reference: str = ""


class Brief(Frozen):
    """What the learner is told: the alerts that fired and what changed lately. Never the cause."""

    incident: str
    title: str
    workload: Identifier
    level: int
    blind: bool
    objective: str
    alerts: tuple[Alert, ...]
    timeline: tuple[Change, ...]
    onset_hint: str
    commitment: str
    """SHA-256 of nonce and seed, in hexadecimal."""


class ProbeRow(Frozen):
    """One hidden request: what the training pipeline answers and what the live API answered.

    `expected` and `observed` are predictions in the workload's unit; `observed` is None where the API gave none.
    `touched` says whether the fault, as injected, changed this row's prediction.
    """

    key: str
    expected: float
    observed: float | None
    actual: float
    touched: bool
    expected_decision: str = ""
    observed_decision: str = ""
    """What was decided by the prediction; empty where the workload decides nothing."""


class LatencyProbe(Frozen):
    """Latency of single-row requests in milliseconds under a fixed load, and of /health during that load.

    `alone_ms` and `batch_ms` are medians of a single row and of a batch of eight with no other request beside it; None
    where they were not measured.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    health_p99_ms: float
    error_rate: float
    alone_ms: float | None = None
    batch_ms: float | None = None


class PinMismatch(Frozen):
    """A package whose version in the serving environment is not the one logged with the served model."""

    package: str
    model: str
    serving: str


class Probe(Frozen):
    """How the system that the learner left behaves, measured on hidden requests after a redeploy of the workspace.

    Mean absolute errors are in the workload's unit on fresh labels; `healthy_*` are this machine's own healthy
    figures. An empty `failure` means the probe ran; otherwise it says why nothing could be measured.
    """

    failure: str = ""
    live_ready: bool = True
    """Whether the service answered before the redeploy, as the learner left it."""
    live_mismatch: float | None = None
    """Share of hidden requests that differed from the training pipeline before the redeploy."""
    redeployed: bool = True
    redeploy_error: str = ""
    rows: tuple[ProbeRow, ...] = ()
    logged: float | None = None
    """Share of the answered hidden requests that the prediction log holds; None where that was not looked at."""
    kept: float | None = None
    """Share of what the prediction log held when the evidence was frozen that is still in it; None where it held nothing or
    could not be read, and then nothing is held against anybody."""
    feature_mismatch: dict[str, float] = Field(default_factory=dict)
    """Share of rows, per feature, whose transformed value differs from the training side's."""
    batch_mismatch: float | None = None
    """Share of requests whose answer in a batch was not the training pipeline's; None where no batch was sent."""
    repeat_mismatch: float | None = None
    """Share of requests that were answered otherwise when they were sent again; None where that was not tried."""
    follows_promotion: bool | None = None
    """Whether another version answered once it was promoted and the service was started anew; None where nobody looked."""
    rehearsal_mae: float | None = None
    """Error of what the workspace's training job makes, by the same metric; None where it was not run."""
    rehearsal_failed: bool = False
    """Whether the workspace's training job was run and did not end well."""
    metric: str = "mae"
    """The workload's quality metric, of which less is better. `mae` and `healthy_mae` are its values."""
    mae: float | None = None
    healthy_mae: float | None = None
    mae_limit: float | None = None
    """Error that a repaired system may have in a world that has changed; None where it is to be as good as before."""
    latency: LatencyProbe | None = None
    healthy_latency: LatencyProbe | None = None
    alias_version: int | None = None
    served_version: int | None = None
    approved_versions: tuple[int, ...] = ()
    fingerprint_matches: bool | None = None
    """Whether the API's answers are those of the version it says it serves, for the features that it made itself."""
    pin_mismatches: tuple[PinMismatch, ...] = ()
    memory_growth_mb: float | None = None
    """Megabytes by which the API's memory grew for 1,000 requests; None where the incident did not ask for it."""
    memory_growth_limit_mb: float | None = None
    """How much a system that is in order may show, by chance."""
    services: dict[str, bool] = Field(default_factory=dict)
    """Whether each service of the stack is up."""


class Submission(Frozen):
    """What the learner hands in: the post-mortem as written, and who and when."""

    text: str
    received_at: datetime
    sha256: str
    author: str = ""


class HintTaken(Frozen):
    """A hint the learner opened, with its cost in points."""

    index: int
    cost: float


class Bundle(Frozen):
    """Everything the grader may look at, frozen. `grade(bundle)` needs nothing else."""

    version: Literal[1] = 1
    incident: str
    started_at: datetime
    submission: Submission
    truth: Truth
    brief: Brief
    template: str
    """The empty post-mortem the learner was given; its sentences earn nothing."""
    healthy: Evidence
    broken: Evidence
    after: Evidence
    probe: Probe
    diff: str = ""
    """What the learner changed in the workspace, as a unified diff."""
    notebook: dict[str, Value] = Field(default_factory=dict)
    """Facts the learner measured, by selector, with the value at that time."""
    hints: tuple[HintTaken, ...] = ()
    vectors: dict[str, str] = Field(default_factory=dict)
    """Meanings of the post-mortem's sentences, rounded, as `grader.meaning` packs them; a bundle without is read by rules alone."""


class Item(Frozen):
    """One line of a verdict. `points` is None exactly where the item was not graded."""

    id: Identifier
    title: str
    status: ItemStatus
    points: float | None
    max_points: float
    quote: str = ""
    """The learner's own words the points were given or withheld for."""
    observed: str = ""
    """What was measured in this learner's stack."""
    improve: str = ""
    """The next thing to look at or to write."""
    details: tuple[str, ...] = ()
    """What was made of each part of it, for instance of each citation, in a sentence."""


class Verdict(Frozen):
    """The graded submission. `score` is out of `max_score`; `passed` also needs cause, evidence and fix."""

    version: Literal[1] = 1
    incident: str
    scenario: Identifier
    graded: bool
    reason: str = ""
    """Why the submission was not graded, where `graded` is false."""
    score: float
    max_score: float = 100.0
    passed: bool
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    """What a pass lacks, each in a sentence; empty where it passed or was not graded."""
