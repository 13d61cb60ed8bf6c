"""Alert rules over what production recorded. A brief shows only rules that fired on this stack.

Every rule compares the current window with the healthy days before it. The thresholds belong to the workload.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from crashlab import load, watching
from crashlab.evidence.deployed import log_facts
from crashlab.evidence.figures import distance, number
from crashlab.evidence.observer import Observer
from crashlab.evidence.predictions import labelled
from crashlab.evidence.requests import busiest, failed_share, latencies
from crashlab.model import Alert
from crashlab.production import Prediction
from crashlab.quality import METRICS, UNITS

MINIMUM_ROWS = 30
"""Fewer requests than this say nothing about a distribution."""
BUCKET = timedelta(hours=6)
UNANSWERED = "failed-requests"
"""The rule of an API that does not answer, or not with what was asked for."""


def since(seen: Observer, fires: Callable[[list[Prediction]], bool]) -> datetime:
    """Start of the first bucket of the current window from which the rule fires on the bucket's own rows."""
    rows = seen.now
    start = rows[0].event_time
    while start <= rows[-1].event_time:
        bucket = [row for row in rows if start <= row.event_time < start + BUCKET]
        if len(bucket) >= MINIMUM_ROWS // 3 and fires(bucket):
            return start
        start += BUCKET
    return rows[0].event_time


def prediction_quality(seen: Observer) -> Alert | None:
    """The workload's quality metric on labels against the healthy days."""
    quality = seen.workload.quality
    metric = METRICS[quality.metric]
    current, baseline = labelled(seen, seen.now), labelled(seen, seen.before)
    if min(len(current), len(baseline)) < MINIMUM_ROWS:
        return None
    threshold = metric(baseline) * seen.workload.rules.quality_ratio
    if metric(current) <= threshold:
        return None

    def worse(rows: list[Prediction]) -> bool:
        pairs = labelled(seen, rows)
        return bool(pairs) and metric(pairs) > threshold

    return Alert(
        rule="prediction-quality",
        severity="page",
        summary=quality.alert,
        observed=number(metric(current)),
        baseline=number(metric(baseline)),
        threshold=number(threshold),
        unit=UNITS[quality.metric].format(unit=seen.workload.unit),
        since=since(seen, worse),
    )


def prediction_shift(seen: Observer) -> Alert | None:
    """Distribution of predictions against the healthy days at the same hours of the day."""
    hours = {row.event_time.hour for row in seen.now}
    before = [row.prediction for row in seen.before if row.event_time.hour in hours]
    now = [row.prediction for row in seen.now]
    if min(len(now), len(before)) < MINIMUM_ROWS:
        return None
    threshold = seen.workload.rules.prediction_drift
    observed = distance(now, before)
    if observed <= threshold:
        return None
    return Alert(
        rule="prediction-shift",
        severity="ticket",
        summary="The distribution of predictions has moved.",
        observed=number(observed),
        baseline=None,
        threshold=threshold,
        unit="normalised Wasserstein distance",
        since=since(seen, lambda rows: distance([r.prediction for r in rows], before) > threshold),
    )


def decision_rate(seen: Observer) -> Alert | None:
    """Share of the watched decision against the healthy days."""
    decision = seen.workload.decision
    if decision is None:
        return None

    def share(rows: list[Prediction]) -> float:
        return sum(row.decision == decision.watched for row in rows) / len(rows)

    if min(len(seen.now), len(seen.before)) < MINIMUM_ROWS:
        return None
    observed, baseline, change = share(seen.now), share(seen.before), seen.workload.rules.decision_rate
    if abs(observed - baseline) <= change:
        return None
    return Alert(
        rule="decision-rate",
        severity="page",
        summary=decision.alert,
        observed=number(observed),
        baseline=number(baseline),
        threshold=number(baseline + change if observed > baseline else baseline - change),
        unit=f"share of `{decision.watched}`",
        since=since(seen, lambda rows: abs(share(rows) - baseline) > change),
    )


def label_shift(seen: Observer) -> Alert | None:
    """Outcomes that have arrived against the healthy days at the same hours of the day."""
    hours = {row.event_time.hour for row in seen.now}
    now = [seen.labels[row.entity] for row in seen.now if row.entity in seen.labels]
    before = [seen.labels[r.entity] for r in seen.before if r.entity in seen.labels and r.event_time.hour in hours]
    if min(len(now), len(before)) < MINIMUM_ROWS:
        return None
    threshold = seen.workload.rules.label_drift
    observed = distance(now, before)
    if observed <= threshold:
        return None

    def fires(rows: list[Prediction]) -> bool:
        found = [seen.labels[row.entity] for row in rows if row.entity in seen.labels]
        return bool(found) and distance(found, before) > threshold

    return Alert(
        rule="label-shift",
        severity="ticket",
        summary="The outcomes that have arrived are distributed otherwise than last week.",
        observed=number(observed),
        baseline=None,
        threshold=threshold,
        unit="normalised Wasserstein distance",
        since=since(seen, fires),
    )


def request_rate(seen: Observer) -> Alert | None:
    """Requests an hour in the busiest hours against the healthy days'."""
    if min(len(seen.now), len(seen.before)) < MINIMUM_ROWS:
        return None
    baseline = busiest([row.event_time for row in seen.before])
    observed = busiest([row.event_time for row in seen.now])
    threshold = baseline * seen.workload.rules.rate_ratio
    if observed <= threshold:
        return None
    return Alert(
        rule="request-rate",
        severity="page",
        summary="More requests arrive than in any hours of last week.",
        observed=number(observed),
        baseline=number(baseline),
        threshold=number(threshold),
        unit="requests an hour, over six hours",
        since=since(seen, lambda rows: busiest([row.event_time for row in rows]) > threshold),
    )


def latency(seen: Observer) -> Alert | None:
    """Median latency of single requests, or of batches, against the healthy days: whichever is worse.

    Medians, because on a host that does other work a healthy 95th percentile can triple by itself; it is shown beside.
    """
    worst: tuple[float, str, bool] | None = None
    for title, alone in (("Single requests", True), ("Batches", False)):
        now, before = latencies(seen.now, alone=alone), latencies(seen.before, alone=alone)
        if min(len(now), len(before)) >= MINIMUM_ROWS:
            ratio = load.quantile(now, 0.5) / load.quantile(before, 0.5)
            worst = max(worst or (0.0, "", alone), (ratio, title, alone))
    if worst is None or worst[0] <= seen.workload.rules.latency_ratio:
        return None
    _, title, alone = worst
    now, before = latencies(seen.now, alone=alone), latencies(seen.before, alone=alone)
    baseline = load.quantile(before, 0.5)
    threshold = baseline * seen.workload.rules.latency_ratio

    def slow(rows: list[Prediction]) -> bool:
        found = latencies(rows, alone=alone)
        return bool(found) and load.quantile(found, 0.5) > threshold

    return Alert(
        rule="latency",
        severity="page",
        summary=f"{title} take longer than last week; their 95th percentile was {load.quantile(before, 0.95):.0f} ms "
        f"and is {load.quantile(now, 0.95):.0f} ms.",
        observed=number(load.quantile(now, 0.5)),
        baseline=number(baseline),
        threshold=number(threshold),
        unit="ms (median)",
        since=since(seen, slow),
    )


def memory_growth(seen: Observer) -> Alert | None:
    """Memory of the serving API over the requests that it has answered since it was deployed."""
    observed, baseline = watching.growth(seen.usage_now), watching.growth(seen.usage_before)
    threshold = seen.workload.rules.memory_growth_mb
    if observed is None or observed <= threshold or not seen.now:
        return None
    return Alert(
        rule="memory-growth",
        severity="page",
        summary="The memory of the serving API grows with every request.",
        observed=number(observed),
        baseline=None if baseline is None else number(baseline),
        threshold=threshold,
        unit="MB for 1,000 requests",
        since=seen.now[0].event_time,
    )


def failed_requests(seen: Observer) -> Alert | None:
    """Share of clients' requests that got no successful answer, against the objective."""
    sent = seen.requests
    if sum(request.rows for request in sent) < MINIMUM_ROWS:
        return None
    observed, threshold = failed_share(sent), seen.workload.rules.error_rate
    if observed <= threshold:
        return None
    return Alert(
        rule=UNANSWERED,
        severity="page",
        summary="Requests get no answer, or an error for one.",
        observed=number(observed),
        baseline=None,
        threshold=threshold,
        unit="share of requests",
        since=next(request.event_time for request in sent if request.failed),
    )


def column_drift(seen: Observer) -> Alert | None:
    """Raw numeric columns against the healthy days: the one that moved most."""
    worst: tuple[float, str] | None = None
    for name in seen.workload.numeric_columns:
        now = [row.raw[name] for row in seen.now if row.raw.get(name) is not None]
        before = [row.raw[name] for row in seen.before if row.raw.get(name) is not None]
        if min(len(now), len(before)) >= MINIMUM_ROWS:
            worst = max(worst or (0.0, ""), (distance(now, before), name))
    threshold = seen.workload.rules.column_drift
    if worst is None or worst[0] <= threshold:
        return None
    return Alert(
        rule="column-drift",
        severity="page",
        summary=f"The request column {worst[1]} has drifted.",
        observed=number(worst[0]),
        baseline=None,
        threshold=threshold,
        unit="normalised Wasserstein distance",
        since=seen.now[0].event_time,
    )


def log_warnings(seen: Observer) -> Alert | None:
    """Warnings of libraries in the serving log."""
    count = int(log_facts(seen).get("logs warnings", 0))
    if count == 0 or not seen.now:
        return None
    return Alert(
        rule="log-warnings",
        severity="ticket",
        summary="The serving log holds library warnings.",
        observed=count,
        baseline=0,
        threshold=0,
        unit="warnings",
        since=seen.now[0].event_time,
    )


RULES: dict[str, Callable[[Observer], Alert | None]] = {
    "prediction-quality": prediction_quality,
    "prediction-shift": prediction_shift,
    "decision-rate": decision_rate,
    "label-shift": label_shift,
    "request-rate": request_rate,
    "latency": latency,
    "memory-growth": memory_growth,
    UNANSWERED: failed_requests,
    "column-drift": column_drift,
    "log-warnings": log_warnings,
}
"""Every rule by name."""


def evaluate(seen: Observer) -> tuple[Alert, ...]:
    """Return the alerts that fire now, in the order of RULES."""
    return tuple(alert for alert in (rule(seen) for rule in RULES.values()) if alert is not None)
