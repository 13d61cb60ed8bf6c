"""Checking citations: `[selector=value]` against the snapshots, with stated tolerances.

Versions, names and counts must be exact. Shares may be off by 0.03, ratios by 5 %, latencies by 30 % or 15 ms (they
are measured again at each request and vary), what a process uses and counts that grow while one looks at them by 30 %,
other measurements by 8 %.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from crashlab.model import Bundle, Value
from grader.reader import Citation, Sentence

Outcome = Literal["true", "false", "stale", "uncheckable"]
SHARE = 0.03
RATIO = 0.05
LATENCY = 0.30
LATENCY_MS = 15.0
OTHER = 0.08
GROWING = 0.30
_SMALL = 0.005
"""Absolute difference that is allowed to every measurement, since zero has no relative one."""
_SHARES = ("null_share", "zero_share", "parity_mismatch", "mismatch", "rate", "share", "throttled_share", "drift")
_UNITS = re.compile(
    r"(?<=[\d.])\s*(?:ms|msec|milliseconds?|s|sec|seconds?|min|mins|minutes?|km/h|kmh|km|kilomet(?:er|re)s?|m|mi|miles?|mb|gb|x|times|"
    r"requests?|rows?|labels?)$",
    re.IGNORECASE,
)
_YES = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Checked:
    """One citation with its outcome and the key of the fact it cites, empty where there is none."""

    citation: Citation
    sentence: Sentence
    outcome: Outcome
    key: str
    reason: str = ""


def normalise(selector: str) -> str:
    """Put a selector into the form of the facts' keys, as `crashlab measure` does.

    The family first, then plain subjects, then qualifiers such as `alias=champion` in alphabetical order, and the
    measurement last. Qualifiers may stand anywhere between family and measurement.
    """
    words = selector.strip().strip("[]").replace(" = ", "=").split()
    if not words:
        return ""
    if len(words) == 1:
        return words[0].lower()
    middle = words[1:-1]
    plain = [word for word in middle if "=" not in word]
    qualifiers = sorted(word for word in middle if "=" in word)
    return " ".join([words[0], *plain, *qualifiers, words[-1]])


def lookup(selector: str, facts: Mapping[str, Value]) -> str:
    """Return the key that a selector means, whatever its case and the order of its qualifiers; empty for none."""
    wanted = normalise(selector)
    if wanted in facts:
        return wanted
    folded = _loose(wanted)
    return next((key for key in facts if _loose(key) == folded), "")


@lru_cache(maxsize=16384)
def _loose(key: str) -> str:
    words = key.lower().split()
    return " ".join([*words[:1], *sorted(words[1:])])


def agrees(key: str, cited: str, actual: Value) -> bool:
    """Say whether a cited value is the measured one, within the tolerance of its kind."""
    said = cited.strip().strip("`'\"").strip()
    if isinstance(actual, bool):
        return _YES.get(said.lower()) is actual
    if isinstance(actual, str):
        return _name(said) == _name(actual)
    measured = quantity(said)
    if measured is None:
        return False
    if isinstance(actual, int):
        # Counts of the log and of labels go on growing while the learner looks at them.
        growing = key.startswith(("logs ", "usage ")) or key.endswith(" labels")
        return abs(measured - actual) <= (max(3.0, GROWING * actual) if growing else 0.0)
    return close(key, measured, float(actual))


def _name(text: str) -> str:
    folded = " ".join(text.lower().split())
    return re.sub(r"^v(?=\d)", "", folded)


def quantity(said: str) -> float | None:
    """Read a cited number: a unit behind it, per cent, thousands separators and a leading `v` are understood."""
    text = _UNITS.sub("", said.strip().lower().lstrip("~v")).strip()
    share = text.endswith("%")
    text = text.rstrip("%").strip()
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    if not re.fullmatch(r"[+-]?(\d{1,15}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,2})?", text):
        return None
    return float(text) / 100 if share else float(text)


def tolerance(key: str, actual: float) -> float:
    """Return how far a measurement of the kind that `key` ends with may be off, in its own unit."""
    what = key.rsplit(maxsplit=1)[-1]
    if what.endswith("_ms"):
        return max(LATENCY_MS, LATENCY * abs(actual))
    if key.startswith("usage ") and what != "throttled_share":
        return GROWING * abs(actual)
    if what == "parity_ratio":
        return RATIO * abs(actual)
    if what in _SHARES:
        return max(SHARE, OTHER * abs(actual) if what == "drift" else SHARE)
    return max(_SMALL, OTHER * abs(actual))


def close(key: str, said: float, actual: float) -> bool:
    """Say whether two measurements are the same within the tolerance of their kind."""
    return abs(said - actual) <= tolerance(key, actual)


def check(citation: Citation, sentence: Sentence, bundle: Bundle) -> Checked:
    """Check one citation against the broken snapshot; the others and the notebook decide about stale and uncheckable."""
    key = lookup(citation.selector, bundle.broken.facts)
    if key:
        if agrees(key, citation.value, bundle.broken.facts[key]):
            return Checked(citation, sentence, "true", key)
        noted = lookup(citation.selector, bundle.notebook)
        for facts, when in ((bundle.healthy.facts, "before the incident"), (bundle.after.facts, "after the repair")):
            other = lookup(citation.selector, facts)
            if other and agrees(other, citation.value, facts[other]):
                return Checked(citation, sentence, "stale", key, f"it is the value from {when}")
        if noted and agrees(noted, citation.value, bundle.notebook[noted]):
            return Checked(
                citation, sentence, "stale", key, "it is what you measured, but not while the incident was on"
            )
        return Checked(citation, sentence, "false", key, "the snapshot of the incident says otherwise")
    noted = lookup(citation.selector, bundle.notebook)
    if noted and agrees(noted, citation.value, bundle.notebook[noted]):
        return Checked(citation, sentence, "true", noted)
    family = citation.selector.split()[0].lower() if citation.selector.split() else ""
    reason = bundle.broken.failures.get(family, "there is no such fact")
    return Checked(citation, sentence, "uncheckable", "", reason)


def matches(pattern: str, key: str) -> bool:
    """Say whether a fact's key matches a selector of the rubric, in which `*` stands for any text of a word.

    A word that is `*` alone stands for any words between family and measurement.
    """
    wanted, found = pattern.lower().split(), key.lower().split()
    if not wanted or not found or not fnmatchcase(found[0], wanted[0]) or not fnmatchcase(found[-1], wanted[-1]):
        return False
    middle = found[1:-1]
    if wanted[-1] == "*":
        wanted = [*wanted[:-1], "*", "*"]
    named = [word for word in wanted[1:-1] if word != "*"]
    if "*" not in wanted[1:-1] and len(named) != len(middle):
        return False
    return all(any(fnmatchcase(have, word) for have in middle) for word in named)
