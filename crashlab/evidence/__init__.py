"""Facts about a running stack: one on request (`measure`), or all of them frozen (`collect`).

Each family of selectors is one function. The same code answers a learner and fills the grader's snapshots, so a
citation is checked against exactly what could have been measured.
"""

import difflib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from crashlab.errors import CrashlabError, UsageError
from crashlab.evidence.deployed import (
    commit_facts,
    deployment_facts,
    log_facts,
    pin_facts,
    registry_facts,
    serving_facts,
)
from crashlab.evidence.features import category_facts, feature_facts, parity_facts, raw_facts, table_facts
from crashlab.evidence.observer import ANSWERED, Facts, Observer, group
from crashlab.evidence.predictions import (
    answer_facts,
    batch_facts,
    decision_facts,
    fingerprint_facts,
    prediction_facts,
    prior_facts,
    quality_facts,
    repeat_facts,
)
from crashlab.evidence.requests import latency_facts, request_facts
from crashlab.model import Evidence, Phase, Value

SUGGESTIONS, SUBJECTS = 2, 12
"""How many facts like a wrong selector, and how many subjects of its family, are named."""
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
    groups = {group(function): function for function in (*FAMILIES.values(), answer_facts)}

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
