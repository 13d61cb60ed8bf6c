"""Requests that the engine itself sends to a serving API: timed single requests, and batches for hidden rows."""

import math
import random
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from crashlab.model import LatencyProbe

USUAL = 1.3
"""Ratio to the usual latency that needs no further round."""
HOPELESS = 4.0
"""Ratio of a median to the usual one from which on no further round could end as usual."""
ROUNDED = 1e-4
"""Relative difference under which two predictions are the same."""
BATCH = 8
"""Rows of a batch, as many as a partner sends."""
TIMES = 5
"""Requests of each kind that are sent one at a time at most; their median is the latency alone."""
LONELY = 1.0
"""Seconds after which no further request is sent alone."""
SLACK_MS = 50.0
"""Milliseconds above HOPELESS times the usual that a request alone may take: the usual is short."""
FEWEST = 8
"""Requests that are timed however slow they are."""
SECONDS = 3.0
"""Seconds after which a slow system is known well enough: what was not sent by then is left out."""
ROUNDS = 3
"""Rounds of one measurement at most."""
CONCURRENCY = 4
"""Clients at a time, enough to show queueing on two cores without measuring the client's own load."""


Payload = dict[str, Any]
Vary = Callable[[Payload, int], Payload]
"""Makes another request of a payload, by the number of the round."""


def unvaried(payload: Payload, _: int) -> Payload:
    """Send the same request in every round."""
    return payload


@dataclass(frozen=True)
class Answer:
    """One answer: status 0 where there was none, `value` None where it holds no prediction.

    `body` is the JSON object it came with, empty where there was none. `stages` are milliseconds by stage of the
    request, as the `Server-Timing` header says.
    """

    status: int
    value: float | None
    elapsed_ms: float
    body: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)


def quantile(values: Sequence[float], q: float) -> float:
    """Empirical quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996)."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def ask(client: httpx.Client, payload: dict[str, Any], wanted: str, path: str = "/predict") -> Answer:
    """Send one order to `/predict`, or a batch to `path`, and say when it was sent, as a gateway does."""
    begin = time.perf_counter()
    try:
        response = client.post(path, json=payload, headers={"X-Request-Start": f"t={time.time():.6f}"})
    except httpx.HTTPError:
        return Answer(0, None, (time.perf_counter() - begin) * 1000)
    elapsed = (time.perf_counter() - begin) * 1000
    body = _body(response)
    return Answer(response.status_code, number(body.get(wanted)), elapsed, body, stages(response.headers))


def stages(headers: Mapping[str, str]) -> dict[str, float]:
    """Read the durations of a `Server-Timing` header, in milliseconds by name."""
    found = re.findall(r"([\w-]+);dur=(\d+(?:\.\d+)?)", headers.get("server-timing", ""))
    return {name: float(duration) for name, duration in found}


def alone(url: str, payloads: Sequence[Payload], batch_key: str, rows: int) -> list[Answer]:
    """Send requests of `rows` rows one at a time, with nobody beside them: TIMES, or as many as LONELY allows.

    More than one row go as a batch under `batch_key`. The payloads are used in turn.
    """
    found: list[Answer] = []
    deadline = time.monotonic() + LONELY
    with httpx.Client(base_url=url, timeout=20.0) as client:
        for number in range(TIMES):
            part = [payloads[(number * rows + i) % len(payloads)] for i in range(rows)]
            if rows == 1:
                found.append(ask(client, part[0], ""))
            else:
                found.append(ask(client, {batch_key: part}, "", "/predict/batch"))
            if time.monotonic() > deadline:
                break
    return found


def median_ms(answers: Sequence[Answer], stage: str | None = None) -> float:
    """Return the median time of the answers, or of one stage of them where no answer leaves it out."""
    if stage is None:
        return quantile([answer.elapsed_ms for answer in answers], 0.5)
    return quantile([answer.stages.get(stage, 0.0) for answer in answers], 0.5)


def _body(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != httpx.codes.OK:
        return {}
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def number(value: object) -> float | None:
    """Return a JSON number as float, and None for everything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def ask_all(
    url: str, payloads: Sequence[dict[str, Any]], field: str, timeout: float = 20.0, seconds: float = math.inf
) -> list[Answer]:
    """Send single requests with CONCURRENCY clients; answers come back in the order of `payloads`.

    After `seconds` no further request is sent, the first FEWEST apart, so there may be fewer answers than payloads.
    """
    limits = httpx.Limits(max_connections=CONCURRENCY)
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=timeout, limits=limits) as client, ThreadPoolExecutor(CONCURRENCY) as pool:

        def one(item: tuple[int, dict[str, Any]]) -> Answer | None:
            late = item[0] >= FEWEST and time.monotonic() > deadline
            return None if late else ask(client, item[1], field)

        return [answer for answer in pool.map(one, enumerate(payloads)) if answer is not None]


def lonely(
    url: str, payloads: Sequence[Payload], batch_key: str, usual: LatencyProbe, vary: Vary = unvaried
) -> dict[str, float]:
    """Time batches and single requests with nobody beside them, up to three rounds of each as in `steady`.

    Returns the fields `alone_ms` and `batch_ms` of a LatencyProbe. One that is hopelessly slow ends all further rounds.
    """
    found: dict[str, float] = {}
    far = False
    for number, (name, rows) in enumerate((("batch_ms", BATCH), ("alone_ms", 1))):
        expected = getattr(usual, name) or 0.0
        for turn in range(ROUNDS):
            sent = [vary(payload, ROUNDS * (number + 1) + turn) for payload in payloads]
            measured = median_ms(alone(url, sent, batch_key, rows))
            found[name] = min(found.get(name, measured), measured)
            far = far or _far(found[name], expected)
            if far or found[name] <= USUAL * expected:
                break
    return found


def _far(found: float | None, expected: float | None) -> bool:
    return bool(found and expected) and (found or 0.0) > HOPELESS * (expected or 0.0) + SLACK_MS


def rounds(
    url: str, payloads: Sequence[dict[str, Any]], field: str, times: int, patience: float = 60.0
) -> list[list[float | None]]:
    """Send the same single requests several times, one after another, each round in another order.

    Returns the answers of each round in the order of `payloads`. Every request comes by a connection of its own: of several
    processes behind one address, each then gets some. After `patience` seconds no round begins but the second.
    """
    found: list[list[float | None]] = []
    begun = time.monotonic()
    for number_of_round in range(times):
        if len(found) > 1 and time.monotonic() - begun > patience:
            break
        order = list(range(len(payloads)))
        if number_of_round:
            random.Random(number_of_round).shuffle(order)
        answers: dict[int, float | None] = {}
        with httpx.Client(base_url=url, timeout=20.0, headers={"Connection": "close"}) as client:
            for index in order:
                answers[index] = ask(client, payloads[index], field).value
        found.append([answers[index] for index in range(len(payloads))])
    return found


def spread(answers: Sequence[float | None]) -> float:
    """Largest difference between answers to one request; those that are missing are left out."""
    given = [value for value in answers if value is not None]
    return max(given) - min(given) if given else 0.0


def apart(answers: Sequence[float | None]) -> bool:
    """Say whether answers to one request differ by more than rounding: the API answers four decimals."""
    known = [abs(value) for value in answers if value is not None]
    return spread(answers) > ROUNDED * max(1.0, *known, 0.0)


def hopeless(found: LatencyProbe, usual: LatencyProbe) -> bool:
    """Say whether a round was so slow that no further one could be as quick as usual, however busy the host is."""
    pairs = (
        (found.alone_ms, usual.alone_ms),
        (found.batch_ms, usual.batch_ms),
        (found.p50_ms, usual.p50_ms),
    )
    return any(_far(measured, expected) for measured, expected in pairs)


def steady(
    url: str,
    payloads: Sequence[Payload],
    field: str,
    usual: LatencyProbe,
    first: LatencyProbe | None = None,
    vary: Vary = unvaried,
) -> LatencyProbe:
    """Time up to three rounds and return the quickest; one as quick as usual ends it, and so does a hopeless one.

    `first` is a round that was timed already, on other requests. `vary` makes the requests of each round others, so that
    remembered answers do not pass for quick ones.

    A busy host only ever adds time, so the least of several rounds is the best estimate of the service's own
    (Chen and Revels, "Robust benchmarking in noisy environments", 2016).
    """
    best = first or latency(url, payloads, field)
    for turn in range(1, ROUNDS):
        if best.p50_ms <= USUAL * usual.p50_ms:
            break
        if hopeless(best, usual):
            break
        found = latency(url, [vary(payload, turn) for payload in payloads], field)
        if found.p50_ms < best.p50_ms:
            # What is alone was timed apart.
            best = found.model_copy(update={"alone_ms": best.alone_ms, "batch_ms": best.batch_ms})
    return best


def latency(url: str, payloads: Sequence[dict[str, Any]], field: str) -> LatencyProbe:
    """Time single requests and, meanwhile, `/health`, which an idle event loop answers at once."""
    return timed(url, payloads, field)[1]


def timed(
    url: str, payloads: Sequence[dict[str, Any]], field: str, seconds: float = math.inf
) -> tuple[list[Answer], LatencyProbe]:
    """Send single requests, and return their answers in order with how long they and `/health` took meanwhile.

    `seconds` is what `ask_all` takes it for.
    """
    stop = threading.Event()
    health: list[float] = []

    def watch() -> None:
        with httpx.Client(base_url=url, timeout=20.0) as client:
            while not stop.is_set():
                begin = time.perf_counter()
                try:
                    client.get("/health")
                except httpx.HTTPError:
                    health.append(20_000.0)
                else:
                    health.append((time.perf_counter() - begin) * 1000)
                stop.wait(0.02)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    answers = ask_all(url, payloads, field, seconds=seconds)
    stop.set()
    watcher.join(timeout=21)
    times = [answer.elapsed_ms for answer in answers]
    errors = sum(answer.value is None for answer in answers) / max(len(answers), 1)
    # The median of the slowest tenth is steadier than one maximum when only some dozens of samples exist.
    slow = sorted(health)[-max(len(health) // 10, 1) :]
    return answers, LatencyProbe(
        p50_ms=quantile(times, 0.5),
        p95_ms=quantile(times, 0.95),
        p99_ms=quantile(times, 0.99),
        health_p99_ms=statistics.median(slow) if slow else float("nan"),
        error_rate=errors,
    )
