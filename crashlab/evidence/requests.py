"""How much is asked, how fast and how well it is answered, and what that uses."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crashlab import load, production, watching
from crashlab.evidence.figures import number
from crashlab.evidence.observer import Facts, Observer
from crashlab.production import Prediction, Request
from crashlab.stack.base import Usage, usage

LATEST = timedelta(hours=6)
"""The end of the current window that `window=latest` looks at."""


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
        facts |= _asked_now(seen, seen.asked_again(rows))
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
