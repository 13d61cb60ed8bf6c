"""Hidden requests: what a repaired system is held to, drawn from a pool that no learner's file contains."""

import json
import random
import threading
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field

from crashlab import load, production, watching
from crashlab.errors import CrashlabError, StackError
from crashlab.evidence.figures import same
from crashlab.model import Frozen, LatencyProbe, PinMismatch, Probe, ProbeRow
from crashlab.past import moved_field
from crashlab.pins import minor
from crashlab.quality import METRICS
from crashlab.registry import RegistryClient
from crashlab.stack.base import Report as Progress
from crashlab.stack.base import Stack, job, packages, silent
from crashlab.workload import Workload

FAST = LatencyProbe(p50_ms=0, p95_ms=0, p99_ms=0, health_p99_ms=0, error_rate=0)
"""Stands for an unknown usual latency: every round is then run."""
PATIENCE = 3.0
"""Seconds that the log's writer is given."""
STILL = 4
"""Readings of the log, 0.2 seconds apart, that must agree before it is taken to be written."""
SOME = 12
"""Hidden requests after which a slow system can be given up."""
TOGETHER = 20
"""Requests that are sent in one batch."""
AGAIN, ROUNDS = 12, 3
"""Requests that are sent again, and how often each is sent."""
SIZE = 80
"""Hidden requests of one incident."""
RECOVERED = 0.5
"""Share of the lost accuracy that a repair has to win back where the world has changed."""
FRESH = timedelta(days=14)
"""Days after the replayed week from which requests of a changed world are drawn."""
PREDICTION_TOLERANCE = 1e-4
"""Relative difference under which two predictions are the same."""


class HiddenRow(Frozen):
    """A request with its true value and what the training pipeline of the approved champion makes of it."""

    order: dict[str, Any]
    actual: float
    features: dict[str, float | None]
    prediction: float
    decision: str = ""
    """What that version's own threshold leads to; empty where nothing is decided."""


class HiddenSet(Frozen):
    """The hidden requests of one incident, and which of them the fault changed (by position).

    `healthy_mae` is the error of a healthy system and `mae_limit` the one that a repaired system may have, where these
    are not those of the requests themselves because the world has changed.
    """

    rows: tuple[HiddenRow, ...]
    touched: tuple[bool, ...] = ()
    healthy_mae: float | None = None
    mae_limit: float | None = None
    words: dict[str, Any] = Field(default_factory=dict)
    """How clients express fields since the onset, as in `traffic.json`; empty where they speak as ever."""


def read_pool(path: Path, event_time: str, weeks: int) -> list[HiddenRow]:
    """Read a snapshot's pool, its event times `weeks` later."""
    text = moved_field(path.read_text(encoding="utf-8"), event_time, weeks)
    return [HiddenRow.model_validate_json(line) for line in text.splitlines() if line]


def draw(pool: Sequence[HiddenRow], seed: int, entity: str) -> HiddenSet:
    """Choose an incident's requests and give them ordinary entity keys, so that nothing marks them as a check."""
    rng = random.Random(f"hidden:{seed}")
    chosen = rng.sample(list(pool), min(SIZE, len(pool)))
    rows = []
    for row in chosen:
        key = f"{str(row.order[entity])[:2]}{rng.randrange(10**7):07d}"
        rows.append(row.model_copy(update={"order": {**row.order, entity: key}}))
    return HiddenSet(rows=tuple(rows))


@dataclass(frozen=True)
class Reply:
    """What the API answered to one row: `value` None where there was no prediction, `decision` empty for none."""

    value: float | None = None
    decision: str = ""


def reply(workload: Workload, body: Any) -> Reply:
    """Read one answer of the API."""
    if not isinstance(body, dict):
        return Reply()
    decision = body.get(workload.decision.field) if workload.decision else None
    return Reply(load.number(body.get(workload.prediction)), "" if decision is None else str(decision))


def in_todays_words(stack: Stack, hidden: HiddenSet) -> HiddenSet:
    """Return the requests as today's clients would send them.

    Where a client expresses a field in another way since the onset, a repaired system has to understand just that; what
    is expected of it stays the answer to the order itself.
    """
    text = "".join(json.dumps(row.order) + "\n" for row in hidden.rows)
    orders = [
        json.loads(line)
        for line in told(stack, ["traffic", "words", "--clients", json.dumps(hidden.words)], text).splitlines()
        if line.strip()
    ]
    rows = tuple(row.model_copy(update={"order": order}) for row, order in zip(hidden.rows, orders, strict=True))
    return hidden.model_copy(update={"rows": rows})


def in_changed_world(
    stack: Stack, workload: Workload, hidden: HiddenSet, world: Mapping[str, float], seed: int, data_seed: int
) -> HiddenSet:
    """Return fresh requests of a world that has changed, with what the champion answers to them.

    Nobody can be as good there as in the world of the history, with some hundred labels to learn from: a repaired system
    has to win back RECOVERED of what the champion loses. It loses against its error in the world of the history, or where
    the generator says what can be known `best` in its world, against that: outcomes may be harder to tell there.
    """
    healthy = champion_error(workload, hidden.rows)
    start = workload.calendar.week_end.date()
    text = told(
        stack,
        ["sample", "--n", str(len(hidden.rows)), "--stream", f"w{seed}", "--seed", str(data_seed), "--world", json.dumps(dict(world)),
         "--start", start.isoformat(), "--end", (start + FRESH).isoformat()],
    )  # fmt: skip
    drawn = [json.loads(line) for line in text.splitlines() if line.strip()]
    if all("best" in row for row in drawn):
        healthy = METRICS[workload.quality.metric]([(row["best"], row["actual"]) for row in drawn])
    plain = [HiddenRow(order=row["order"], actual=row["actual"], features={}, prediction=0.0) for row in drawn]
    rows = score_with(stack, workload.champion, plain)
    found = draw(rows, seed, workload.entity)
    return found.model_copy(
        update={
            "healthy_mae": healthy,
            "mae_limit": healthy + (1 - RECOVERED) * (champion_error(workload, found.rows) - healthy),
        }
    )


def champion_error(workload: Workload, rows: Sequence[HiddenRow]) -> float:
    """Error of the champion, by the workload's own metric."""
    return METRICS[workload.quality.metric]([(row.prediction, row.actual) for row in rows])


def told(stack: Stack, argv: Sequence[str], stdin: str = "") -> str:
    """Run a job of the training side; returns what it printed. Raises StackError where it fails."""
    done = job(stack, argv, stdin=stdin)
    if done.code != 0:
        raise StackError(f"The job `{' '.join(argv[:2])}` failed.", done.err.strip()[-300:])
    return done.out


def predict_batch(stack: Stack, workload: Workload, rows: Sequence[HiddenRow]) -> list[Reply]:
    """Send the rows in batches of TOGETHER, some at a time; an empty reply where none came back."""
    try:
        url = stack.url("serving")
    except StackError:
        return [Reply()] * len(rows)
    with httpx.Client(base_url=url, timeout=60) as client:

        def ask(part: Sequence[HiddenRow]) -> list[Reply]:
            try:
                response = client.post("/predict/batch", json={workload.batch_key: [row.order for row in part]})
                response.raise_for_status()
                answers = [reply(workload, answer) for answer in response.json()["predictions"]]
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                answers = []
            return answers if len(answers) == len(part) else [Reply()] * len(part)

        with ThreadPoolExecutor(load.CONCURRENCY) as pool:
            return [answer for found in pool.map(ask, batched(rows, TOGETHER)) for answer in found]


def batched(rows: Sequence[HiddenRow], size: int) -> Iterator[Sequence[HiddenRow]]:
    """Yield the rows in parts of `size`, the last one with what is left."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def agrees(left: float | None, right: float) -> bool:
    """Say whether an answer is the expected prediction."""
    return left is not None and abs(left - right) <= PREDICTION_TOLERANCE * max(1.0, abs(right))


def as_expected(answer: Reply, row: HiddenRow) -> bool:
    """Say whether an answer has the expected prediction and the expected decision."""
    return agrees(answer.value, row.prediction) and answer.decision == row.decision


def mark_touched(stack: Stack, workload: Workload, hidden: HiddenSet) -> HiddenSet:
    """Record which hidden rows the injected fault changes, by asking the broken system."""
    with unlogged(stack, workload, hidden):
        answers = predict_batch(stack, workload, hidden.rows)
    touched = tuple(not as_expected(answer, row) for answer, row in zip(answers, hidden.rows, strict=True))
    return hidden.model_copy(update={"touched": touched})


def score_with(stack: Stack, version: int, rows: Sequence[HiddenRow]) -> list[HiddenRow]:
    """Return the rows as the training side's code and a version's own pipeline and threshold answer them."""
    text = "".join(json.dumps(row.order) + "\n" for row in rows)
    done = job(stack, ["score", "--version", str(version)], stdin=text)
    if done.code != 0:
        raise StackError(f"The training side could not score version {version}.", done.err.strip()[-300:])
    answers = [json.loads(line) for line in done.out.splitlines() if line.strip()]
    return [row.model_copy(update=answer) for row, answer in zip(rows, answers, strict=True)]


def _share(wrong: int, total: int) -> float:
    return wrong / total if total else 0.0


def probe(
    stack: Stack,
    workload: Workload,
    hidden: HiddenSet,
    healthy: LatencyProbe,
    champion: int,
    report: Progress = silent,
    *,
    live: bool = True,
    thorough: bool = True,
    soak: bool = False,
) -> Probe:
    """Measure what the learner left: as it stands, then after a redeploy of the workspace, on the hidden requests.

    Without `live` the system as it stands is not asked: it is about to be replaced by the same. A probe that is not
    `thorough` ends early where the system is so slow, or answers so wrongly, that the rest of the requests cannot save
    it: one wrong answer is enough for a verdict. With `soak`, the growth of memory over further requests is measured as
    well.

    Never raises for what the learner did: a system that cannot be measured is a Probe with its `failure`.
    """
    with unlogged(stack, workload, hidden) as settled:
        services = _running(stack)
        base = Probe(services=services, healthy_latency=healthy)
        if live:
            report("asking the system as it was left")
            rows = hidden.rows[:20]
            left = predict_batch(stack, workload, rows)
            wrong = sum(not as_expected(answer, row) for answer, row in zip(left, rows, strict=True))
            ready = any(answer.value is not None for answer in left)
            base = base.model_copy(update={"live_ready": ready, "live_mismatch": _share(wrong, len(left))})
        for name, title in (("mlflow", "MLflow server"), ("serving", "serving API")):
            # What is to be replaced anyway need not run.
            if not services.get(name, False) and (live or name == "mlflow"):
                return base.model_copy(update={"failure": f"The {title} is not running."})
        report("redeploying the workspace")
        try:
            stack.deploy(report)
        except CrashlabError as error:
            failed = {"redeployed": False, "redeploy_error": error.message, "failure": "The workspace does not deploy."}
            return base.model_copy(update=failed)
        try:
            found = _measure(stack, workload, hidden, base, champion, report, settled, thorough=thorough)
            if not soak:
                return found
            settled.clear()
            report("soaking")
            grown = watching.soak(stack, workload, [row.order for row in hidden.rows])
            limit = workload.rules.memory_growth_mb
            return found.model_copy(update={"memory_growth_mb": grown, "memory_growth_limit_mb": limit})
        except CrashlabError as error:
            return base.model_copy(update={"failure": f"{error.message} {error.hint}".strip()})


def varied(order: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an order that differs by `number` hundred-thousandths in its first measured column, if it has one."""
    name = next((name for name, value in order.items() if isinstance(value, float) and value > 0), None)
    return order if name is None else {**order, name: order[name] * (1 - number * 1e-5)}


def _running(stack: Stack) -> dict[str, bool]:
    return {name: stack.state(name, health=False).running for name in ("mlflow", "serving")}


@contextmanager
def unlogged(stack: Stack, workload: Workload, hidden: HiddenSet) -> Iterator[threading.Event]:
    """Take the hidden requests out of the prediction log again, where a learner would find them.

    Yields an event that is set by whoever has seen all that was sent in the log: nothing is then waited for.
    """
    begun = datetime.now(UTC)
    keys = {str(row.order[workload.entity]) for row in hidden.rows}
    settled = threading.Event()
    try:
        yield settled
    finally:
        if not settled.is_set():
            _settle(stack, keys, begun)
        production.forget(stack.home / "data", keys)


def _measure(
    stack: Stack,
    workload: Workload,
    hidden: HiddenSet,
    base: Probe,
    champion: int,
    report: Progress,
    settled: threading.Event,
    *,
    thorough: bool,
) -> Probe:
    report("asking the hidden requests")
    url = stack.url("serving")
    begun = datetime.now(UTC)
    usual = base.healthy_latency or FAST
    orders = [row.order for row in hidden.rows]
    some = len(orders) if thorough else SOME
    answers, first = load.timed(url, orders[:some], workload.prediction)
    versions = stack.registry.versions()
    alias = stack.registry.aliases().get("champion")
    served, expected = _expected(stack, hidden, champion, set(versions), report)
    payloads = [
        {**row.order, workload.entity: f"{production.MONITOR_PREFIX}{i}"} for i, row in enumerate(hidden.rows[:40])
    ]
    lost = not thorough and (load.hopeless(first, usual) or _refuted(workload, answers, expected))
    if not lost:
        report("measuring latency")
        alone = load.lonely(url, payloads, workload.batch_key, usual, varied)
        first = first.model_copy(update=alone)
        lost = not thorough and load.hopeless(first, usual)
        if not lost and not thorough:
            report("asking the hidden requests")
            rest, crowd = load.timed(url, orders[some:], workload.prediction)
            answers += rest
            first = crowd.model_copy(update=alone)
    if lost:
        shown = slice(some)
        hidden = hidden.model_copy(update={"rows": hidden.rows[shown], "touched": hidden.touched[shown]})
        expected = expected[shown]
    touched = hidden.touched or (True,) * len(hidden.rows)
    rows = tuple(
        ProbeRow(
            key=str(row.order[workload.entity]),
            expected=want.prediction,
            observed=answer.value,
            expected_decision=want.decision,
            observed_decision=reply(workload, answer.body).decision,
            actual=row.actual,
            touched=mark,
        )
        for row, want, answer, mark in zip(hidden.rows, expected, answers, touched, strict=True)
    )
    logged = _logged(stack, {row.key for row in rows}, begun)
    if lost and len(logged) == len(rows):
        settled.set()
    mismatch = {
        name: _share(
            sum(
                not same(logged[row.key].features.get(name), want.features.get(name))
                for row, want in zip(rows, expected, strict=True)
                if row.key in logged
            ),
            len(logged),
        )
        for name in workload.features
    }
    known = [row for row in rows if row.observed is not None]
    skewed = any(share > 0 for share in mismatch.values())
    metric = METRICS[workload.quality.metric]
    latency = first
    in_batch: float | None = None
    again: float | None = None
    if not lost:
        report("measuring latency")
        latency = load.steady(url, payloads, workload.prediction, usual, first, varied)
    if not lost and not load.hopeless(first, usual):
        # Last, when every process of a fresh deployment has had time to start.
        together = predict_batch(stack, workload, hidden.rows[:TOGETHER])
        wrong = [not as_expected(answer, want) for answer, want in zip(together, expected, strict=False)]
        in_batch, again = _share(sum(wrong), len(wrong)), _repeated(url, payloads[:AGAIN], workload.prediction)
    return base.model_copy(
        update={
            "rows": rows,
            "logged": _share(sum(row.key in logged for row in known), len(known)) if known else None,
            "feature_mismatch": mismatch,
            "metric": workload.quality.metric,
            "mae": metric([(row.observed or 0.0, row.actual) for row in known]) if known else None,
            "healthy_mae": champion_error(workload, hidden.rows) if hidden.healthy_mae is None else hidden.healthy_mae,
            "mae_limit": hidden.mae_limit,
            "latency": latency,
            "alias_version": alias,
            "served_version": served,
            "approved_versions": tuple(v for v, tags in versions.items() if tags.get("promotion") == "approved"),
            "batch_mismatch": in_batch,
            "repeat_mismatch": again,
            "fingerprint_matches": _fingerprint(stack, served, rows, logged, skewed=skewed, thorough=thorough),
            "pin_mismatches": _pins(stack, workload, served),
            "services": _running(stack),
        }
    )


def _expected(
    stack: Stack, hidden: HiddenSet, champion: int, versions: Container[int], report: Progress
) -> tuple[int, list[HiddenRow]]:
    """Return the version that the API says it serves, and what the training side answers with that one."""
    try:
        served = int(httpx.get(stack.url("serving") + "/info", timeout=10).json()["model"]["version"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise StackError("The serving API does not say what it serves.", "GET /info must name the model.") from error
    # The champion's answers are known from the snapshot; another version's are computed by the training side.
    if served == champion:
        return served, list(hidden.rows)
    if served in versions:
        report("scoring with the training side")
        return served, score_with(stack, served, hidden.rows)
    raise StackError(f"The serving API says it serves version {served}, which is not registered.", "")


def _refuted(workload: Workload, answers: Sequence[load.Answer], expected: Sequence[HiddenRow]) -> bool:
    """Say whether one of the first answers is wrong."""
    return any(not as_expected(reply(workload, a.body), row) for a, row in zip(answers, expected, strict=False))


def _repeated(url: str, payloads: Sequence[dict[str, Any]], field: str) -> float:
    """Share of requests that are answered otherwise when they are sent again."""
    answers = list(zip(*load.rounds(url, payloads, field, ROUNDS), strict=True))
    return _share(sum(load.apart(each) for each in answers), len(answers))


def _fingerprint(
    stack: Stack,
    served: int,
    rows: Sequence[ProbeRow],
    logged: Mapping[str, production.Prediction],
    *,
    skewed: bool,
    thorough: bool,
) -> bool | None:
    """Say whether the answers are those of the version that is said to serve, for the features that serving made.

    Where these are the training side's, its answers are what to compare with. Where they are not, the version answers to
    the logged ones: a skew is no other version. None where that is not worth a job, or where nothing was logged.
    """
    known = [row for row in rows if row.observed is not None]
    if not known:
        return False
    if not skewed:
        return all(agrees(row.observed, row.expected) for row in known)
    kept = [row for row in known if row.key in logged]
    if not thorough or not kept:
        return None
    text = "".join(json.dumps(logged[row.key].features) + "\n" for row in kept)
    answers = [
        json.loads(line)
        for line in told(stack, ["fingerprint", "--version", str(served)], text).splitlines()
        if line.strip()
    ]
    return all(
        str(served) in answer and agrees(row.observed, answer[str(served)])
        for row, answer in zip(kept, answers, strict=True)
    )


def _settle(stack: Stack, entities: set[str], since: datetime) -> None:
    """Wait until the log's writer, which works in the background, has written what was sent."""
    deadline, seen = time.monotonic() + PATIENCE, [-1]
    while len(seen) < STILL or len(set(seen[-STILL:])) > 1:
        seen.append(len(production.by_entity(stack.home / "data", entities, since)))
        if seen[-1] >= len(entities) or time.monotonic() > deadline:
            return
        time.sleep(0.2)


def _logged(stack: Stack, entities: set[str], since: datetime) -> dict[str, production.Prediction]:
    # The log's writer works in the background, some tenths of a second behind the answers.
    deadline = time.monotonic() + PATIENCE
    while True:
        found = production.by_entity(stack.home / "data", entities, since)
        if len(found) >= len(entities) or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _pins(stack: Stack, workload: Workload, version: int) -> tuple[PinMismatch, ...]:
    if not isinstance(stack.registry, RegistryClient):
        return ()
    logged = stack.registry.requirements(version)
    installed = packages(stack, "serving")
    found = [name for name in workload.packages if name in logged and installed.get(name) != logged[name]]
    python = stack.registry.python(version)
    if python and minor(python) != minor(installed.get("python", "")):
        logged["python"] = python
        found.append("python")
    return tuple(PinMismatch(package=name, model=logged[name], serving=installed.get(name, "absent")) for name in found)
