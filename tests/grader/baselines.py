"""What the grader is compared with: two common ways of grading prose, and answers that nobody had to think about."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from crashlab.model import Bundle
from grader import causes, template
from grader.reader import stems, tokens
from tests.fast import grader_fixtures as fixtures
from tests.grader import incidents
from tests.grader.labelled import Labelled, corpus

PASS = 70.0


@dataclass(frozen=True)
class Grade:
    """A baseline's grade: a score out of 100, and whether it takes the cause for rightly diagnosed."""

    score: float
    diagnosed: bool


@cache
def _reference(scenario: str) -> Counter[str]:
    found: Labelled = next(s for s in corpus() if (s.scenario, s.voice, s.kind) == (scenario, "beginner", "right"))
    return _bag(found.text)


def _bag(text: str) -> Counter[str]:
    return Counter(word for word in stems(tokens(text)) if word.isalpha())


def overlap(bundle: Bundle) -> float:
    """Cosine of word counts with a reference answer, between 0 and 1."""
    mine, other = _bag(bundle.submission.text), _reference(bundle.truth.scenario)
    shared = sum(mine[word] * other[word] for word in mine.keys() & other.keys())
    size = math.sqrt(sum(n * n for n in mine.values()) * sum(n * n for n in other.values()))
    return shared / size if size else 0.0


def keywords(bundle: Bundle) -> float:
    """Share of the expected keywords that stand anywhere in the text: cause, component, object and mechanism."""
    text = f" {' '.join(tokens(bundle.submission.text))} "
    truth = bundle.truth
    cause = causes.load().by_id[truth.cause]
    groups = [
        (cause.id, *cause.phrases), (truth.component,), (truth.object, *truth.object_aliases), *truth.mechanism.concepts,
    ]  # fmt: skip
    hits = [any(f" {' '.join(tokens(re.sub('^=', '', phrase)))} " in text for phrase in group) for group in groups]
    return sum(hits) / len(hits)


MEASURES = {"bag-of-words overlap": overlap, "keyword list": keywords}


@cache
def _threshold(name: str) -> float:
    """Return the cut with the best accuracy of the cause on the tuning part."""
    scored = [(MEASURES[name](each.bundle()), each.label.diagnosed) for each in corpus() if not each.held_out]
    cuts = sorted({value for value, _ in scored})
    return max(cuts, key=lambda cut: sum((value >= cut) == right for value, right in scored))


def grade(name: str, bundle: Bundle) -> Grade:
    """Grade with a baseline. Its scale puts the cut at the pass mark and its best value at 100."""
    value, cut = MEASURES[name](bundle), _threshold(name)
    score = PASS * value / cut if value < cut else PASS + (100 - PASS) * (value - cut) / max(1e-9, 1 - cut)
    return Grade(score, value >= cut)


CONSTANT = """
## Summary
The data has drifted since the weekend and the model is no longer accurate.

## Impact
All customers were affected from Saturday 06:30 to Monday 09:00; the error was 2.5 times as large.

## Root cause
Data drift: the distribution of the inputs changed, so the model makes worse predictions.

## Evidence
- the error is up [quality mae=5.0]
- the predictions moved [prediction drift=0.4]

## Resolution
We retrained the model and promoted it.

## Prevention
- Add an alert on drift above 0.1 that pages the team.
- Retrain weekly and check the error before each promotion.
"""


def answers(scenario: str) -> dict[str, Bundle]:
    """Return answers that need no investigation, on a repaired system, so that the writing alone is judged."""
    blank = incidents.bundle(scenario, "")
    every = causes.load().causes
    shotgun = "\n".join(f"The root cause is a {each.title.lower()} in the serving code." for each in every)
    head = f"cause: {every[0].id}\ncontributing: [{', '.join(each.id for each in every[1:])}]\ncomponent: serving-code\nobject: everything"
    return {
        "nothing": incidents.bundle(scenario, ""),
        "constant answer": incidents.bundle(
            scenario,
            fixtures.postmortem("cause: covariate-shift\ncomponent: upstream-data\nobject: distance_km", CONSTANT),
        ),
        "shotgun": incidents.bundle(scenario, fixtures.postmortem(head, f"## Root cause\n{shotgun}\n")),
        "empty template": incidents.bundle(scenario, template(blank.brief)),
    }
