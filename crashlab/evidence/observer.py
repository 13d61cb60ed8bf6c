"""One consistent reading of a running stack, which every family of facts looks at."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from crashlab import production, watching
from crashlab.errors import StackError
from crashlab.model import Value
from crashlab.production import Prediction, Request
from crashlab.stack.base import Stack, job
from crashlab.workload import Workload

Facts = dict[str, Value]
PARITY_ROWS = 80
"""Rows that go through both code paths; enough for medians and for shares to within some percent."""


ANSWERED: set[str] = set()
"""Names of the groups of facts that are asked of the API, or of what it has answered."""


def answered(function: Callable[["Observer"], Facts]) -> Callable[["Observer"], Facts]:
    """Mark a group of facts that do not exist where the API answers nothing."""
    ANSWERED.add(group(function))
    return function


def group(function: Callable[["Observer"], Facts]) -> str:
    """Name of the group of facts that a function takes."""
    return function.__name__.removesuffix("_facts")


@dataclass(frozen=True)
class Windows:
    """Data-time windows: `before` is always healthy, `now` is what the deployed system answered since `since`."""

    before: tuple[datetime, datetime]
    now: tuple[datetime, datetime]
    since: datetime | None = None
    """Wall-clock time of the last deployment; older rows do not speak for the system that runs now."""


@dataclass
class Observer:
    """Measures one stack. Reads are cached for the life of the object, so one snapshot is one consistent reading."""

    stack: Stack
    workload: Workload
    windows: Windows
    reference: dict[str, list[float | None]] = field(default_factory=dict)
    """Transformed features of the training reference sample, by feature."""
    raw_reference: dict[str, list[float | None]] = field(default_factory=dict)
    """Raw numeric columns of the training reference sample, by column."""

    def under(self, workload: Workload) -> "Observer":
        """Return an observer of the same reading that goes by another workload's rules."""
        other = replace(self, workload=workload)
        read = ("now", "before", "labels", "requests", "usage_now", "usage_before")
        other.__dict__.update({name: getattr(self, name) for name in read})
        return other

    @cached_property
    def now(self) -> list[Prediction]:
        """Requests of the current window."""
        return production.predictions(self.stack.home / "data", *self.windows.now, logged_since=self.windows.since)

    @cached_property
    def before(self) -> list[Prediction]:
        """Requests of the healthy window."""
        return production.predictions(self.stack.home / "data", *self.windows.before)

    @cached_property
    def usage_now(self) -> list[watching.Sample]:
        """Readings of the serving API's memory in the current window."""
        return watching.samples(self.stack.home / "data", *self.windows.now, since=self.windows.since)

    @cached_property
    def usage_before(self) -> list[watching.Sample]:
        """Readings of the serving API's memory in the healthy window."""
        return watching.samples(self.stack.home / "data", *self.windows.before)

    @cached_property
    def requests(self) -> list[Request]:
        """Requests of clients in the current window, answered or not."""
        return production.requests(self.stack.home / "data", *self.windows.now, sent_since=self.windows.since)

    def asked_again(self, rows: Sequence[Prediction]) -> list[dict[str, Any]]:
        """Return logged requests to be sent once more, as the monitor's own, which no client's statistics count."""
        return [{**r.raw, self.workload.entity: f"{production.MONITOR_PREFIX}{i}"} for i, r in enumerate(rows)]

    @property
    def silent(self) -> bool:
        """Whether clients have asked and nothing was answered."""
        return bool(self.requests) and all(request.failed for request in self.requests)

    @cached_property
    def labels(self) -> dict[str, float]:
        """Every label that has arrived."""
        return production.labels(self.stack.home / "data")

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the API says of itself."""
        try:
            answer = httpx.get(self.stack.url("serving") + "/info", timeout=10)
            answer.raise_for_status()
            return dict(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise StackError("The serving API did not answer /info.", "See `crashlab logs serving`.") from error

    @cached_property
    def training_side(self) -> list[tuple[Prediction, dict[str, float | None]]]:
        """The newest rows of the window with the same raw payload transformed by the training side's code."""
        rows = self.now[-PARITY_ROWS:]
        if not rows:
            raise StackError(
                "No request has been answered since the last deployment.", "Wait for traffic, then repeat."
            )
        done = job(self.stack, ["transform"], stdin="".join(json.dumps(row.raw) + "\n" for row in rows))
        if done.code != 0:
            raise StackError("The training side could not transform the logged requests.", done.err.strip()[-400:])
        vectors = [json.loads(line) for line in done.out.splitlines() if line.strip()]
        if len(vectors) != len(rows):
            raise StackError("The training side returned another number of rows than it was given.", "Run it by hand.")
        return list(zip(rows, vectors, strict=True))

    @cached_property
    def training_answers(self) -> list[tuple[Prediction, float]]:
        """The newest rows of the window with what their model version answers on the training side, by its own code."""
        rows = [row for row in self.now[-PARITY_ROWS:] if row.model_version == self.now[-1].model_version]
        version = str(rows[-1].model_version)
        done = job(
            self.stack, ["score", "--version", version], stdin="".join(json.dumps(row.raw) + "\n" for row in rows)
        )
        if done.code != 0:
            raise StackError(f"The training side could not score version {version}.", done.err.strip()[-400:])
        answers = [float(json.loads(line)["prediction"]) for line in done.out.splitlines() if line.strip()]
        return list(zip(rows, answers, strict=True))
