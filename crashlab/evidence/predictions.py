"""What comes out of the model: predictions, decisions, their quality, and whose answers they are."""

import json
import math
import time
from collections.abc import Iterable
from typing import Any

import httpx

from crashlab import load, prior
from crashlab.errors import StackError
from crashlab.evidence.figures import distance, given, number
from crashlab.evidence.observer import Facts, Observer, answered
from crashlab.production import Prediction
from crashlab.quality import METRICS
from crashlab.stack.base import job

BATCH_ROWS = 20
"""Rows that are sent alone and together."""
FEWEST = 30
"""Labelled rows of the healthy days below which nothing is said of priors."""
REPEATED, ROUNDS, PATIENCE = 8, 3, 2.0
"""Rows that are sent again, how often, and seconds after which no third time follows: a slow system answers slowly."""
KNOWN_ROWS = 40
"""Rows that every registered version is asked to predict."""


@answered
def batch_facts(seen: Observer) -> Facts:
    """The same requests one by one and all in one batch: a prediction must not depend on its company."""
    rows = seen.now[-BATCH_ROWS:] or seen.before[-BATCH_ROWS:]
    if not rows:
        raise StackError("No request has been logged yet.", "Wait for traffic, then repeat.")
    payloads = seen.asked_again(rows)
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


@answered
def repeat_facts(seen: Observer) -> Facts:
    """The same requests in several rounds: an answer must not depend on who gives it or on what was asked before it."""
    rows = seen.now[-REPEATED:] or seen.before[-REPEATED:]
    if not rows:
        raise StackError("No request has been logged yet.", "Wait for traffic, then repeat.")
    payloads = seen.asked_again(rows)
    rounds = load.rounds(seen.stack.url("serving"), payloads, seen.workload.prediction, ROUNDS, PATIENCE)
    if any(value is None for answers in rounds for value in answers):
        raise StackError("The serving API did not answer single requests.", "See its log.")
    gaps = [load.spread(answers) for answers in zip(*rounds, strict=True)]
    return {
        "repeat mismatch": number(sum(load.apart(answers) for answers in zip(*rounds, strict=True)) / len(rows)),
        "repeat largest_difference": number(max(gaps)),
    }


@answered
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
            now = given(row.features.get(name) for row in rows)
            then = [(value, label) for row, label in known if (value := row.features.get(name)) is not None]
            if now and len({label for _, label in then}) > 1:
                distances.append(prior.unexplained(now, then, rate))
                facts[f"prior {name}{suffix} unexplained"] = number(distances[-1])
        facts[f"prior{suffix} unexplained"] = number(max(distances, default=0.0))
    return facts


def labelled(seen: Observer, rows: Iterable[Prediction]) -> list[tuple[float, float]]:
    """Prediction and outcome of the rows whose label has arrived."""
    return [(row.prediction, seen.labels[row.entity]) for row in rows if row.entity in seen.labels]


@answered
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
