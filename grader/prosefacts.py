"""Numbers that stand in prose beside the name of a fact, without a citation: wrong ones are pointed out.

Nothing is taken off for them, since prose is read with less certainty than a citation: a number counts as wrong only
where the sentence names one kind of fact, and no snapshot, before, during or after, bears any of its numbers out.
"""

import re
from collections.abc import Iterable, Mapping

from crashlab.model import Bundle, Value
from grader.citations import close
from grader.reader import CITED, Document, Sentence, number

_NAMED = (
    (r"\bp50\b|\bmedian latency\b", "latency* p50_ms"),
    (r"\bp95\b|95th percentile", "latency* *p95_ms"),
    (r"\bp99\b|99th percentile", "latency* *p99_ms"),
    (r"\bmae\b|mean absolute error", "quality* mae"),
    (r"\berror rate\b", "errors* rate"),
    (r"\bparity mismatch\b", "parity* mismatch"),
    (r"\bprediction drift\b", "prediction* drift"),
    (r"\bauc\b", "quality* auc"),
    (r"\bapproval rate\b", "decision* rate"),
)
"""Words of prose, and the facts that they speak of in any window."""
_OF_SUBJECT = (
    (r"\bimportance\b", "importance", ""),
    (r"\bdrift(?:ed|s)?\b|wasserstein", "feature|raw", "drift"),
    (r"\b(?:null|missing|nan) share\b|\bshare of (?:nulls|missing)", "feature|raw", "null_share"),
    (r"\bzero share\b|\bshare of zeros\b", "feature", "zero_share"),
)
"""Words that speak of a fact of the feature that the sentence names: pattern, families, measurement."""
_NEAR = 6
"""Words between a name and its number."""
_SECONDS = 30
"""Latencies below this are taken for seconds as well as for milliseconds."""
_FACTOR = 100
FACTOR_TOLERANCE = 0.15
"""`Twelve times` is said of anything near twelve."""
_VERSION = re.compile(
    r"\b([a-z][a-z0-9_-]{2,30}) (?:version |release |to |at |is |on |from )*(\d+\.\d+(?:\.\d+)?)\b(?!\s*(?:%|ms))"
)
_WINDOWS = ("broken", "healthy", "after")


def wrong_numbers(document: Document, bundle: Bundle) -> list[tuple[str, Sentence]]:
    """Find numbers in prose that no snapshot bears out, each with what it seems to speak of."""
    found: list[tuple[str, Sentence]] = []
    facts = [getattr(bundle, name).facts for name in _WINDOWS] + [bundle.notebook]
    pins = _pins(facts)
    for sentence in document.prose:
        if sentence.section == "prevention":
            continue
        text = " ".join(word for word in sentence.words if word != CITED)
        if _wrong_named(text, facts) or _wrong_of_subject(text, sentence, facts):
            found.append(("A number in this sentence is not what was measured", sentence))
        elif _wrong_ratio(text, sentence, bundle):
            found.append(("A ratio in this sentence is not what was measured", sentence))
        elif _wrong_version(text, pins):
            found.append(("A version in this sentence is installed nowhere in this system", sentence))
    return found


def _wrong_named(text: str, facts: Iterable[Mapping[str, Value]]) -> bool:
    for pattern, selector in _NAMED:
        match = re.search(pattern, text)
        if match is None:
            continue
        known = list(_values(selector, facts))
        said = _numbers_after(text[match.end() :])
        if known and said and not any(_borne_out(value, known) for value in said):
            return True
    return False


def _wrong_of_subject(text: str, sentence: Sentence, facts: Iterable[Mapping[str, Value]]) -> bool:
    for pattern, families, measurement in _OF_SUBJECT:
        match = re.search(pattern, text)
        if match is None:
            continue
        known = [
            (key, float(value))
            for each in facts
            for key, value in each.items()
            if key.split()[0] in families.split("|")
            and key.split()[1].lower() in sentence.words
            and (not measurement or key.split()[-1] == measurement)
            and _numeric(value)
        ]
        said = _numbers_after(text[match.end() :])
        share = 100 if "%" in text or "per cent" in text else 1
        if known and said and not any(_borne_out(value, known) or _borne_out(value / share, known) for value in said):
            return True
    return False


def _numbers_after(text: str) -> list[float]:
    words = text.split()[:_NEAR]
    return [value for value in map(number, words) if value is not None]


def _values(selector: str, facts: Iterable[Mapping[str, Value]]) -> Iterable[tuple[str, float]]:
    family, last = selector.split()
    pattern = re.compile(re.escape(family).replace(r"\*", r"( \S+)*") + " " + re.escape(last).replace(r"\*", r"\S*"))
    for each in facts:
        for key, value in each.items():
            if pattern.fullmatch(key) and _numeric(value):
                yield key, float(value)


def _numeric(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _borne_out(said: float, facts: list[tuple[str, float]]) -> bool:
    for key, actual in facts:
        values = [said]
        if key.endswith("_ms") and said < _SECONDS:
            values.append(said * 1000)
        if key.endswith((" rate", " mismatch", " parity_mismatch")):
            values.append(said / 100)
        if any(close(key, value, actual) for value in values):
            return True
    # `p95 rose 12 times` speaks of two facts at once.
    values = [actual for _, actual in facts if actual > 0]
    return said < _FACTOR and any(
        abs(said - one / other) <= FACTOR_TOLERANCE * said for one in values for other in values
    )


def _wrong_ratio(text: str, sentence: Sentence, bundle: Bundle) -> bool:
    match = re.search(r"\b(?:ratio|factor)(?: of| is| was| about| around| roughly| ~)* (\d+(?:\.\d+)?)", text)
    if match is None:
        return False
    said = float(match[1])
    for key, value in bundle.broken.facts.items():
        if (
            key.endswith(" parity_ratio")
            and key.split()[1].lower() in sentence.words
            and isinstance(value, int | float)
        ):
            actual = float(value)
            return not any(close(key, each, actual) for each in (said, 1 / said if said else 0.0))
    return False


def _pins(facts: Iterable[Mapping[str, Value]]) -> dict[str, set[str]]:
    """Versions of every package on any side at any time; `python` is the interpreter of the API."""
    found: dict[str, set[str]] = {}
    for each in facts:
        for key, value in each.items():
            words = key.split()
            if words[0] == "pin":
                found.setdefault(words[-1].lower(), set()).add(str(value))
            elif key == "serving python":
                found.setdefault("python", set()).add(str(value))
    return found


def _wrong_version(text: str, pins: Mapping[str, set[str]]) -> bool:
    for package, version in _VERSION.findall(text):
        known = pins.get(package)
        if known and not any(each == version or each.startswith(f"{version}.") for each in known):
            return True
    return False
