"""Facts about a running stack: one on request (`measure`), or all of them frozen (`collect`).

Each family of selectors is one function. The same code answers a learner and fills the grader's snapshots, so a
citation is checked against exactly what could have been measured.
"""

import difflib
import json
import math
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import httpx

from crashlab import load, prior, production, watching
from crashlab.errors import CrashlabError, StackError, UsageError
from crashlab.model import Evidence, Phase, Value
from crashlab.pins import pins
from crashlab.production import Prediction, Request
from crashlab.quality import METRICS
from crashlab.registry import RegistryClient
from crashlab.stack import manifest
from crashlab.stack.base import Stack, Usage, job, packages, states, usage
from crashlab.stack.services import find, requirements_folder
from crashlab.workload import Workload
from crashlab.workspace import GitWorkspace

Facts = dict[str, Value]
SIDES = ("serving", "training")
PARITY_ROWS = 80
"""Rows that go through both code paths; enough for medians and for shares to within some percent."""
ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception)): (\S.*)$", re.MULTILINE)
"""The last line of a traceback: the class of an error, and its message."""
ANSWERED = ("parity", "category", "batch", "repeat", "fingerprint", "decision", "serving")
"""Groups of facts that are asked of the API, or of what it has answered."""
LONGEST = 120
"""Characters of a tag that is a fact and not a document."""
LATEST = timedelta(hours=6)
"""The end of the current window that `window=latest` looks at."""
BATCH_ROWS = 20
"""Rows that are sent alone and together."""
FEWEST = 30
"""Labelled rows of the healthy days below which nothing is said of priors."""
SUGGESTIONS, SUBJECTS = 2, 12
"""How many facts like a wrong selector, and how many subjects of its family, are named."""
REPEATED, ROUNDS, PATIENCE = 8, 3, 2.0
"""Rows that are sent again, how often, and seconds after which no third time follows: a slow system answers slowly."""
KNOWN_ROWS = 40
"""Rows that every registered version is asked to predict."""
TOLERANCE = 1e-6
"""Relative difference under which two transformed values are the same number."""


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


def number(value: float) -> float:
    """Round to six significant digits, more than any tolerance needs."""
    return float(f"{value:.6g}")


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return load.quantile(found, 0.5) if found else None


def same(left: float | None, right: float | None) -> bool:
    """Say whether two transformed values agree, unknown agreeing with unknown."""
    if left is None or right is None:
        return left is right
    return abs(left - right) <= TOLERANCE * max(1.0, abs(right))


def warm_up() -> None:
    """Import what distances need while there is something else to wait for."""
    import scipy.stats  # noqa: F401 for its cost alone


def distance(current: Sequence[float], reference: Sequence[float]) -> float:
    """Wasserstein distance over the reference's standard deviation, which is what Evidently reports by default.

    See "Data drift" in Evidently's documentation: numerical columns with more than 1000 reference rows.
    """
    import numpy as np
    from scipy.stats import wasserstein_distance

    spread = max(float(np.std(reference)), 0.001)
    return float(wasserstein_distance(current, reference)) / spread


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def parity_facts(seen: Observer) -> Facts:
    """Row-level parity of every feature: the same payload through the training side's code and through the API."""
    facts: Facts = {}
    pairs = seen.training_side
    differing = 0
    for row, vector in pairs:
        differing += any(not same(row.features.get(name), vector.get(name)) for name in seen.workload.features)
    facts["parity mismatch"] = number(differing / len(pairs))
    for name in seen.workload.features:
        both = [(row.features.get(name), vector.get(name)) for row, vector in pairs]
        facts[f"feature {name} parity_mismatch"] = number(sum(not same(a, b) for a, b in both) / len(both))
        ratio = _median(a / b for a, b in both if a is not None and b is not None and abs(b) > TOLERANCE)
        if ratio is not None:
            facts[f"feature {name} parity_ratio"] = number(ratio)
        offset = _median(a - b for a, b in both if a is not None and b is not None)
        if offset is not None:
            facts[f"feature {name} parity_offset"] = number(offset)
        facts[f"feature {name} side=training null_share"] = number(sum(b is None for _, b in both) / len(both))
    return facts


def busiest(times: Sequence[datetime], hours: int = 6) -> float:
    """Requests an hour in the busiest `hours` hours; zero where there are none."""
    ordered = sorted(times)
    most, first = 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= timedelta(hours=hours):
            first += 1
        most = max(most, last - first + 1)
    return most / hours


def request_facts(seen: Observer) -> Facts:
    """How many requests arrive in an hour of the data's time, and which share of what clients sent was answered how."""
    facts: Facts = {}
    earlier = production.requests(seen.stack.home / "data", *seen.windows.before)
    for suffix, sent in (("", seen.requests), (" window=before", earlier)):
        if sent:
            facts[f"requests{suffix} failed_share"] = number(failed_share(sent))
            for status, count in sorted(Counter(request.status for request in sent).items()):
                facts[f"requests status={status or 'none'}{suffix} share"] = number(count / len(sent))
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        if len(rows) > 1:
            times = [row.event_time for row in rows]
            span = max((times[-1] - times[0]).total_seconds() / 3600, 1.0)
            facts[f"requests{suffix} per_hour"] = number(len(times) / span)
            facts[f"requests{suffix} peak_per_hour"] = number(busiest(times))
    return facts


def failed_share(sent: Sequence[Request]) -> float:
    """Share of requests without a successful answer."""
    return sum(request.failed for request in sent) / len(sent)


def category_facts(seen: Observer) -> Facts:
    """Code of each category on both sides: the median of the feature that is named like the raw column."""
    facts: Facts = {}
    for name in seen.workload.categorical_columns:
        served = [(row.raw.get(name), row.features.get(name)) for row in seen.now]
        trained = [(row.raw.get(name), vector.get(name)) for row, vector in seen.training_side]
        for suffix, pairs in (("", served), (" side=training", trained)):
            for value in sorted({str(raw) for raw, _ in pairs if raw is not None}):
                code = _median(_known(coded for raw, coded in pairs if raw == value))
                if code is not None:
                    facts[f"category {name}={value}{suffix} code"] = number(code)
    return facts


def batch_facts(seen: Observer) -> Facts:
    """The same requests one by one and all in one batch: a prediction must not depend on its company."""
    rows = seen.now[-BATCH_ROWS:] or seen.before[-BATCH_ROWS:]
    if not rows:
        raise StackError("No request has been logged yet.", "Wait for traffic, then repeat.")
    payloads = [{**r.raw, seen.workload.entity: f"{production.MONITOR_PREFIX}{i}"} for i, r in enumerate(rows)]
    try:
        with httpx.Client(base_url=seen.stack.url("serving"), timeout=30) as client:
            deadline = time.monotonic() + load.SECONDS
            alone: list[dict[str, Any]] = []
            for payload in payloads:
                if len(alone) < load.FEWEST or time.monotonic() < deadline:
                    alone.append(client.post("/predict", json=payload).raise_for_status().json())
            batch = client.post("/predict/batch", json={seen.workload.batch_key: payloads}).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise StackError("The serving API did not answer single requests and a batch.", "See its log.") from error
    name = seen.workload.prediction
    # Of a slow system fewer are asked alone; whoever is in the batch with them stays there.
    gaps = [abs(a[name] - b[name]) for a, b in zip(alone, batch["predictions"], strict=False)]
    limits = [load.ROUNDED * max(1.0, abs(answer[name])) for answer in alone]
    return {
        "batch mismatch": number(sum(gap > limit for gap, limit in zip(gaps, limits, strict=True)) / len(gaps)),
        "batch largest_difference": number(max(gaps)),
    }


def repeat_facts(seen: Observer) -> Facts:
    """The same requests in several rounds: an answer must not depend on who gives it or on what was asked before it."""
    rows = seen.now[-REPEATED:] or seen.before[-REPEATED:]
    if not rows:
        raise StackError("No request has been logged yet.", "Wait for traffic, then repeat.")
    payloads = [{**r.raw, seen.workload.entity: f"{production.MONITOR_PREFIX}{i}"} for i, r in enumerate(rows)]
    rounds = load.rounds(seen.stack.url("serving"), payloads, seen.workload.prediction, ROUNDS, PATIENCE)
    if any(value is None for answers in rounds for value in answers):
        raise StackError("The serving API did not answer single requests.", "See its log.")
    gaps = [load.spread(answers) for answers in zip(*rounds, strict=True)]
    return {
        "repeat mismatch": number(sum(load.apart(answers) for answers in zip(*rounds, strict=True)) / len(rows)),
        "repeat largest_difference": number(max(gaps)),
    }


def fingerprint_facts(seen: Observer) -> Facts:
    """Which registered version gives the logged answers: each one's predictions for the vectors that were logged."""
    rows = seen.now[-KNOWN_ROWS:]
    if not rows:
        raise StackError("No request has been answered since the last deployment.", "Wait for traffic, then repeat.")
    done = job(seen.stack, ["fingerprint"], stdin="".join(json.dumps(row.features) + "\n" for row in rows))
    if done.code != 0:
        raise StackError("The registered versions could not predict for logged vectors.", done.err.strip()[-400:])
    known = [json.loads(line) for line in done.out.splitlines() if line.strip()]
    return {
        f"fingerprint version={version} mismatch": number(
            sum(load.apart((row.prediction, answers[version])) for row, answers in zip(rows, known, strict=True))
            / len(rows)
        )
        for version in known[0]
    }


def feature_facts(seen: Observer) -> Facts:
    """Distributions of the served features, now and before, and their distance from the training reference."""
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        for name in seen.workload.features:
            values = [row.features.get(name) for row in rows]
            if not values:
                continue
            known = _known(values)
            facts[f"feature {name}{suffix} null_share"] = number(sum(v is None for v in values) / len(values))
            facts[f"feature {name}{suffix} zero_share"] = number(sum(v == 0 for v in values) / len(values))
            if known:
                facts[f"feature {name}{suffix} mean"] = number(sum(known) / len(known))
                value, count = Counter(known).most_common(1)[0]
                facts[f"feature {name}{suffix} mode"] = number(value)
                facts[f"feature {name}{suffix} mode_share"] = number(count / len(values))
                facts[f"feature {name}{suffix} distinct"] = float(len(set(known)))
            reference = _known(seen.reference.get(name, ()))
            if known and reference:
                facts[f"feature {name}{suffix} drift"] = number(distance(known, reference))
    return facts


def raw_facts(seen: Observer) -> Facts:
    """Raw numeric columns as the clients sent them."""
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        for name in seen.workload.numeric_columns:
            values = [row.raw.get(name) for row in rows]
            if not values:
                continue
            known = _known(values)
            facts[f"raw {name}{suffix} null_share"] = number(sum(v is None for v in values) / len(values))
            if known:
                facts[f"raw {name}{suffix} mean"] = number(sum(known) / len(known))
                facts[f"raw {name}{suffix} maximum"] = number(max(known))
            for column in seen.workload.segments:
                for value in sorted({str(row.raw.get(column)) for row in rows}):
                    part = _median(_known(row.raw.get(name) for row in rows if row.raw.get(column) == value))
                    if part is not None:
                        facts[f"raw {name} {column}={value}{suffix} median"] = number(part)
            reference = _known(seen.raw_reference.get(name, ()))
            if known and reference:
                facts[f"raw {name}{suffix} drift"] = number(distance(known, reference))
    return facts


def table_facts(seen: Observer) -> Facts:
    """The online feature tables: rows, and the day of the records where a table keeps it."""
    path = seen.stack.home / "data" / "features.db"
    if not path.is_file():
        return {}
    facts: Facts = {}
    newest = max((row.event_time for row in seen.now or seen.before), default=None)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                facts[f"table {name} rows"] = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 a table's own name
                columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
                if "updated_on" not in columns:
                    continue
                day = connection.execute(f'SELECT max(updated_on) FROM "{name}"').fetchone()[0]  # noqa: S608 a table's own name
                if day and newest:
                    facts[f"table {name} updated_on"] = str(day)
                    facts[f"table {name} age_days"] = float((newest.date() - datetime.fromisoformat(day).date()).days)
    except sqlite3.Error as error:
        raise StackError(f"features.db cannot be read: {error}.", "Check the stack's data folder.") from error
    return facts


def prediction_facts(seen: Observer) -> Facts:
    """Predictions now and before, in the workload's unit, by the version that the log names, and who gave them."""
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        values = [row.prediction for row in rows]
        if values:
            facts[f"prediction{suffix} mean"] = number(sum(values) / len(values))
            facts[f"prediction{suffix} median"] = number(load.quantile(values, 0.5))
            facts[f"prediction{suffix} processes"] = len({row.process for row in rows})
        for version in sorted({row.model_version for row in rows}):
            part = [row.prediction for row in rows if row.model_version == version]
            facts[f"prediction version={version}{suffix} share"] = number(len(part) / len(rows))
            facts[f"prediction version={version}{suffix} mean"] = number(sum(part) / len(part))
    if seen.now and seen.before:
        facts["prediction drift"] = number(
            distance([r.prediction for r in seen.now], [r.prediction for r in seen.before])
        )
    return facts


def answer_facts(seen: Observer) -> Facts:
    """Row-level parity of predictions: the same payload through the training side's code and model, and through the API.

    Only where a prediction leads to a decision: there the API makes one number of what the model answers, and a
    probability may be wrong while every feature is right.
    """
    if seen.workload.decision is None or not seen.now:
        return {}
    pairs = [(row.prediction, answer) for row, answer in seen.training_answers]
    differing = sum(abs(served - own) > load.ROUNDED * max(1.0, abs(own)) for served, own in pairs)
    return {
        "prediction parity_mismatch": number(differing / len(pairs)),
        "prediction parity_offset": number(load.quantile([served - own for served, own in pairs], 0.5)),
        "prediction side=training mean": number(sum(own for _, own in pairs) / len(pairs)),
    }


def quality_facts(seen: Observer) -> Facts:
    """The workload's quality metrics on the labels that have arrived, over all and by segment, and these labels."""
    facts: Facts = {}
    quality = seen.workload.quality
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        pairs = labelled(seen, rows)
        if rows:
            facts[f"quality{suffix} labels"] = len(pairs)
            facts[f"quality{suffix} coverage"] = number(len(pairs) / len(rows))
        if pairs:
            facts[f"quality{suffix} label_mean"] = number(sum(label for _, label in pairs) / len(pairs))
            facts[f"quality{suffix} label_max"] = number(max(label for _, label in pairs))
        for name in (quality.metric, *quality.also) if pairs else ():
            value = METRICS[name](pairs)
            if math.isfinite(value):
                facts[f"quality{suffix} {name}"] = number(value)
        for column in seen.workload.segments:
            for part in sorted({str(row.raw.get(column)) for row in rows}):
                found = labelled(seen, [row for row in rows if row.raw.get(column) == part])
                if found and math.isfinite(value := METRICS[quality.metric](found)):
                    facts[f"quality {column}={part}{suffix} {quality.metric}"] = number(value)
    return facts


def prior_facts(seen: Observer) -> Facts:
    """Share of events that the predictions speak for, and how far each feature is from what that share would make of it.

    Only where predictions are probabilities, and labelled requests of the healthy days show what events look like.
    """
    known = [(row, seen.labels[row.entity]) for row in seen.before if row.entity in seen.labels]
    if seen.workload.quality.metric == "mae" or len(known) < FEWEST or len({label for _, label in known}) < 2:  # noqa: PLR2004 both outcomes
        return {}
    share = sum(row.prediction for row in seen.before) / len(seen.before)
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        if not rows:
            continue
        rate = prior.event_rate([row.prediction for row in rows], share)
        facts[f"prior{suffix} event_rate"] = number(rate)
        distances = []
        for name in seen.workload.features:
            now = _known(row.features.get(name) for row in rows)
            then = [(value, label) for row, label in known if (value := row.features.get(name)) is not None]
            if now and len({label for _, label in then}) > 1:
                distances.append(prior.unexplained(now, then, rate))
                facts[f"prior {name}{suffix} unexplained"] = number(distances[-1])
        facts[f"prior{suffix} unexplained"] = number(max(distances, default=0.0))
    return facts


def labelled(seen: Observer, rows: Iterable[Prediction]) -> list[tuple[float, float]]:
    """Prediction and outcome of the rows whose label has arrived."""
    return [(row.prediction, seen.labels[row.entity]) for row in rows if row.entity in seen.labels]


def decision_facts(seen: Observer) -> Facts:
    """What was decided, at which predictions, and the threshold that the API says it decides by."""
    facts: Facts = {}
    if seen.workload.decision is None:
        return facts
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        decided = [(row.decision, row.prediction) for row in rows if row.decision is not None]
        for name in sorted({name for name, _ in decided}):
            values = [value for decision, value in decided if decision == name]
            facts[f"decision {name}{suffix} share"] = number(len(values) / len(decided))
            facts[f"decision {name}{suffix} min_prediction"] = number(min(values))
            facts[f"decision {name}{suffix} max_prediction"] = number(max(values))
    threshold = seen.info.get("policy", {}).get("threshold")
    if threshold is not None:
        facts["decision threshold"] = number(float(threshold))
    return facts


def latencies(rows: Sequence[Prediction], *, alone: bool) -> list[float]:
    """Return the latency in milliseconds of the rows that were requests of their own, or of those that came in batches."""
    return [row.latency_ms for row in rows if (row.rows == 1) == alone]


def latency_facts(seen: Observer) -> Facts:
    """Latency of the logged requests, and of requests that are sent now, as a whole and by stage; what they take meanwhile.

    Of the log, single requests and batches are kept apart, and the latest hours are looked at by themselves. Single requests are sent some at a time, with `/health`
    beside them; then single requests and batches alone.
    """
    facts: Facts = {}
    latest = [row for row in seen.now if row.event_time > seen.now[-1].event_time - LATEST]
    for suffix, rows in (("", seen.now), (" window=latest", latest), (" window=before", seen.before)):
        for kind, alone in (("", True), (" kind=batch", False)):
            times = latencies(rows, alone=alone)
            if times:
                for name, q in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
                    facts[f"latency{kind}{suffix} {name}"] = number(load.quantile(times, q))
    rows = seen.now[-24:] or seen.before[-24:]
    if seen.silent:
        facts["errors rate"] = 1.0
    elif rows:
        payloads = [{**r.raw, seen.workload.entity: f"{production.MONITOR_PREFIX}{i}"} for i, r in enumerate(rows)]
        facts |= _asked_now(seen, payloads)
    for suffix, found in (("", seen.usage_now), (" window=before", seen.usage_before)):
        grown = watching.growth(found)
        if grown is not None:
            facts[f"usage serving{suffix} growth_mb"] = number(grown)
    return facts


def _asked_now(seen: Observer, payloads: Sequence[dict[str, Any]]) -> Facts:
    url, idle = seen.stack.url("serving"), usage(seen.stack, "serving")
    answers, probe = load.timed(url, payloads, seen.workload.prediction, load.SECONDS)
    facts = usage_facts(idle, usage(seen.stack, "serving"))
    facts["latency client_p95_ms"] = number(probe.p95_ms)
    facts["latency health_p99_ms"] = number(probe.health_p99_ms)
    facts["errors rate"] = number(probe.error_rate)
    for name in _stages(answers):
        facts[f"latency stage={name} busy_ms"] = number(load.median_ms(answers, name))
    for count in (1, load.BATCH):
        lonely = load.alone(url, payloads, seen.workload.batch_key, count)
        facts[f"latency rows={count} alone_ms"] = number(load.median_ms(lonely))
        for name in _stages(lonely):
            facts[f"latency rows={count} stage={name} alone_ms"] = number(load.median_ms(lonely, name))
    return facts


def usage_facts(before: Usage, after: Usage) -> Facts:
    """What the serving API uses while single requests are under way, from readings before and after them."""
    # As measurements and not as counts: a thread more or less is no other fact.
    facts: Facts = {"usage serving threads": float(after.threads), "usage serving memory_mb": number(after.memory_mb)}
    if after.periods is not None and after.throttled is not None:
        # A container that was not exchanged meanwhile has more periods than before.
        periods, throttled = after.periods - (before.periods or 0), after.throttled - (before.throttled or 0)
        facts["usage serving throttled_share"] = number(throttled / periods) if periods > 0 else 0.0
    if after.restarts is not None:
        facts["usage serving restarts"] = after.restarts
    if after.out_of_memory is not None:
        facts["usage serving out_of_memory"] = after.out_of_memory
    return facts


def _stages(answers: Sequence[load.Answer]) -> list[str]:
    return sorted({name for answer in answers for name in answer.stages})


def registry_facts(seen: Observer) -> Facts:
    """Aliases; promotion records, offline metrics and size of every version; importance of the served features."""
    registry = seen.stack.registry
    aliases, versions = registry.aliases(), registry.versions()
    facts: Facts = {f"registry alias={alias} version": version for alias, version in aliases.items()}
    if versions:
        facts["registry latest version"] = max(versions)
    for version, tags in versions.items():
        facts.update(
            {
                f"registry version={version} {k}": v
                for k, v in tags.items()
                if re.fullmatch(r"[a-z_]+", k) and len(v) < LONGEST
            }
        )
    quality = seen.workload.quality
    if isinstance(registry, RegistryClient):
        for version, tags in versions.items():
            metrics = registry.run(tags["run_id"]).metrics
            wanted = (quality.metric, *quality.also, "label_mean", "label_max")
            facts.update({f"registry version={version} {n}": number(metrics[n]) for n in wanted if n in metrics})
            size = registry.size_bytes(version)
            if size is not None:
                facts[f"registry version={version} size_mb"] = number(size / 1e6)
            if version == aliases.get("champion"):
                facts.update(
                    {
                        f"importance {name.removeprefix('importance_')}": number(value)
                        for name, value in metrics.items()
                        if name.startswith("importance_")
                    }
                )
    return facts


def serving_facts(seen: Observer) -> Facts:
    """What the API says it serves."""
    model = seen.info.get("model", {})
    return {
        "serving version": int(model.get("version", 0)),
        "serving run_id": str(model.get("run_id", "")),
        "serving release": str(seen.info.get("release", "")),
        "serving python": str(seen.info.get("python", "")),
    }


def pin_facts(seen: Observer) -> Facts:
    """Installed versions on the serving and training side, and those logged with the champion; Python is one of them.

    A library of the house that one side pins and another one lacks is `absent` there.
    """
    facts: Facts = {}
    registry = seen.stack.registry
    logged: dict[str, str] = {}
    if isinstance(registry, RegistryClient):
        version = registry.aliases().get("champion")
        logged = registry.requirements(version) if version is not None else {}
        python = registry.python(version) if version is not None else None
        logged |= {"python": python} if python else {}
    sides = {"serving": packages(seen.stack, "serving"), "training": packages(seen.stack, "training"), "model": logged}
    house = internal(seen)
    wanted = set(seen.workload.packages) | set(logged) | house
    for side, versions in sides.items():
        facts.update({f"pin {side} {name}": versions[name] for name in sorted(wanted) if name in versions})
        if versions:
            facts.update({f"pin {side} {name}": "absent" for name in sorted(house) if name not in versions})
    return facts


def internal(seen: Observer) -> set[str]:
    """Names of the libraries of the house that serving or training pins."""
    code = seen.stack.workspace.path
    files = [requirements_folder(code, find(side), seen.workload.name) / "internal.txt" for side in SIDES]
    return {name for file in files if file.is_file() for name in pins(file.read_text(encoding="utf-8"))}


def deployment_facts(seen: Observer) -> Facts:
    """What the manifest of the workspace's last commit says, the limits that the runtime enforces, and what runs."""
    workspace = seen.stack.workspace
    facts: Facts = {}
    if isinstance(workspace, GitWorkspace):
        said = manifest.parse(workspace.show(manifest.FILE))
        facts |= {f"deploy serving {name}": _number_or_text(value) for name, value in said.variables.items()}
    for state in states(seen.stack):
        if state.memory_mb is not None:
            facts[f"limit {state.name} memory_mb"] = state.memory_mb
        if state.cpus is not None:
            facts[f"limit {state.name} cpus"] = number(state.cpus)
        if not find(state.name).one_shot:
            facts[f"service {state.name} running"] = state.running
            facts[f"service {state.name} ready"] = state.healthy
            if state.exit_code is not None:
                facts[f"service {state.name} exit_code"] = state.exit_code
    return facts


def _number_or_text(value: str) -> Value:
    if re.fullmatch(r"\d{1,15}", value):
        return int(value)
    return float(value) if re.fullmatch(r"\d{1,15}\.\d{1,6}", value) else value


def log_facts(seen: Observer) -> Facts:
    """Warnings in the serving log, counted by class, and the last error that was raised."""
    text = seen.stack.logs("serving", 4000)
    counts = Counter(re.findall(r"\b([A-Z]\w+Warning)\b", text))
    facts: Facts = {**{f"logs {name}": count for name, count in counts.items()}, "logs warnings": sum(counts.values())}
    raised = ERROR.findall(text)
    if raised:
        name, message = raised[-1]
        facts["logs error"] = name.rsplit(".", 1)[-1]
        # Without what would end a citation early.
        facts["logs error_message"] = " ".join(re.sub(r"[\[\]='\"`<>]", "", message)[:LONGEST].split())
    return facts


def commit_facts(seen: Observer) -> Facts:
    """Files touched by the latest commits of the workspace, by short hash."""
    workspace = seen.stack.workspace
    if not isinstance(workspace, GitWorkspace):
        return {}
    return {f"commit {entry.sha[:7]} touches": ",".join(entry.files)[:400] for entry in workspace.log(20)}


FAMILIES: dict[str, Callable[[Observer], Facts]] = {
    "parity": parity_facts,
    "feature": feature_facts,
    "category": category_facts,
    "batch": batch_facts,
    "repeat": repeat_facts,
    "fingerprint": fingerprint_facts,
    "requests": request_facts,
    "raw": raw_facts,
    "table": table_facts,
    "prediction": prediction_facts,
    "quality": quality_facts,
    "prior": prior_facts,
    "decision": decision_facts,
    "latency": latency_facts,
    "errors": latency_facts,
    "usage": latency_facts,
    "registry": registry_facts,
    "importance": registry_facts,
    "serving": serving_facts,
    "pin": pin_facts,
    "deploy": deployment_facts,
    "limit": deployment_facts,
    "service": deployment_facts,
    "logs": log_facts,
    "commit": commit_facts,
}
"""Function that answers a selector, by its first word."""


def normalise(selector: str) -> str:
    """Put a selector into the form of the facts' keys: qualifiers after the subject, the measurement last."""
    words = selector.strip().strip("[]").split()
    if not words:
        raise UsageError("The selector is empty.", "Try `crashlab measure registry alias=champion version`.")
    family, last, middle = words[0].lower(), words[-1], words[1:-1]
    plain = [word for word in middle if "=" not in word]
    qualifiers = sorted(word for word in middle if "=" in word)
    return " ".join([family, *plain, *qualifiers, *([last] if len(words) > 1 else [])])


def function_for(selector: str) -> Callable[[Observer], Facts]:
    """Choose the family's function. Raises UsageError for a family that does not exist."""
    family = selector.split(maxsplit=1)[0]
    if family == "feature" and ("parity_" in selector or "side=training" in selector):
        return parity_facts
    if family == "prediction" and ("parity_" in selector or "side=training" in selector):
        return answer_facts
    if family not in FAMILIES:
        raise UsageError(f"There is no family of facts called {family!r}.", f"Families: {', '.join(sorted(FAMILIES))}.")
    return FAMILIES[family]


def measure(seen: Observer, selector: str) -> tuple[str, Value]:
    """Measure one fact. Returns its normalised selector and value; raises UsageError where there is no such fact.

    The error names the subjects of the family and no values: choosing what to measure is the exercise.
    """
    wanted = normalise(selector)
    facts = function_for(wanted)(seen)
    for key, value in facts.items():
        if key.lower() == wanted.lower():
            return key, value
    family = wanted.split()[0]
    mine = [key for key in facts if key.split()[0] == family]
    near = difflib.get_close_matches(wanted, mine, SUGGESTIONS)
    known = dict.fromkeys(subject(key) for key in sorted(mine))
    endings = sorted({key.split()[-1] for key in mine})
    meant = f"Did you mean {' or '.join(f'`{key}`' for key in near)}? " if near else ""
    shown = ", ".join([*known][:SUBJECTS]) + (" and more" if len(known) > SUBJECTS else "")
    raise UsageError(f"There is no fact `{wanted}`.", f"{meant}Subjects: {shown}. Measurements: {', '.join(endings)}.")


def subject(selector: str) -> str:
    """Return a selector without its measurement and its qualifiers: what is measured."""
    family, *words = selector.split()[:-1]
    kept = [word for at, word in enumerate(words) if at == 0 or "=" not in word]
    return " ".join([family, *(word for word in kept if not word.startswith(("window=", "side=")))])


def collect(seen: Observer, phase: Phase) -> Evidence:
    """Take every fact that can be taken. A family that cannot be measured is named with its reason."""
    facts: Facts = {}
    failures: dict[str, str] = {}
    groups = {function.__name__.removesuffix("_facts"): function for function in (*FAMILIES.values(), answer_facts)}

    def run(item: tuple[str, Callable[[Observer], Facts]]) -> tuple[str, Facts, str]:
        try:
            return item[0], item[1](seen), ""
        except CrashlabError as error:
            # Of an API that answers nothing, that is the fact, and the rest does not exist.
            missing = seen.silent and item[0] in ANSWERED
            return item[0], {}, "" if missing else error.message

    # The latency probe runs alone: the others would be measured as the service's slowness.
    first = groups.pop("latency")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, groups.items()))
    results.append(run(("latency", first)))
    for name, found, failure in results:
        facts.update(found)
        if failure:
            failures[name] = failure
    return Evidence(phase=phase, taken_at=datetime.now(UTC), facts=dict(sorted(facts.items())), failures=failures)
