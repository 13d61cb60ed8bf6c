"""The labelled corpus: what was handed in, and what a careful reader gives for it.

One person wrote the texts and the labels, before the grader had seen any of them. A text's label says which parts of
the truth it tells: whether its prose commits itself to the declared cause, the share of the mechanism, the quality of
the evidence, and how good the closing parts are. The labelled score follows from these by the published formula. Points of
the fix are measured and not read, so the label takes them as they are measured; whether a citation is one of those that
decide stands in the rubric and is looked up.
"""

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from crashlab.model import Bundle
from grader import causes, repair
from tests.fast import grader_fixtures as fixtures
from tests.grader import incidents

FOLDER = Path(__file__).with_name("corpus")
VOICES = ("beginner", "terse", "rambling", "non-native", "bullets")
KINDS = ("right", "partly", "near-miss", "symptom", "lucky", "wrong", "abandoned")
DEFAULTS: dict[str, dict[str, float]] = {
    # m: share of the mechanism that is told, a: whether the prose asserts the declared cause, fix: whether it was repaired
    "right": {"m": 1, "a": 1, "fix": 1},
    "partly": {"m": 0.5, "a": 1, "fix": 1},
    "near-miss": {"m": 0.5, "a": 1, "fix": 0},
    "symptom": {"m": 0, "a": 0, "fix": 0},
    "lucky": {"m": 1, "a": 1, "fix": 1},
    "wrong": {"m": 0, "a": 1, "fix": 0},
    "abandoned": {"m": 0, "a": 0, "fix": 0},
}
ENOUGH, TOLERANCE = 3, 0.08
"""Citations that are enough by the rubric, and how far a cited measurement may be off."""
PARTS = ("impact", "timeline", "detection", "resolution", "prevention")
REMEDIES = {
    "unit-mismatch": "Distances are divided by 1000 again in preprocess.py.",
    "featurelib-pin": "featurelib 2.1.0 is pinned in serving/internal.txt again.",
    "library-pin": "pandas is back at 2.3.3 in serving/requirements.txt.",
    "wrong-alias": "The alias is back on version 5 and the API was restarted.",
    "imputation-mismatch": "Unknown kitchen times stay unknown in serving.",
    "blocked-event-loop": "The handler is a plain function again.",
    "false-alarm": "Nothing was changed and the alerts were closed.",
    "covariate-shift": "The model was trained again with the orders of last week.",
    "timezone-offset": "The stamp is converted to the city's time before the hour is taken.",
    "stale-model-cache": "The API was restarted and loads the model again when the alias moves.",
    "category-encoding-order": "Serving uses the list of categories that the model was logged with.",
    "per-request-model-load": "The model is loaded once at the start again.",
    "upstream-schema-change": "Ingestion maps the new name of the field to the old one.",
    "dtype-rounding": "The distance keeps its fraction in serving.",
    "target-leakage": "Version 8 was trained without the column and promoted.",
    "concept-drift": "The model was trained again on the labels since Saturday.",
}
MEASURES = {
    "blocked-event-loop": ("34 ms", "640 ms"),
    "per-request-model-load": ("34 ms", "521 ms"),
    "false-alarm": ("2.68 minutes", "2.71 minutes"),
}
_HEAD = re.compile(
    r"^#### (?P<voice>[a-z-]+) \| (?P<kind>[a-z-]+)(?: \|(?P<claim>[^|\n]*))?(?:\|(?P<label>[^|\n]*))?$", re.MULTILINE
)


@dataclass(frozen=True)
class Label:
    """What a careful reader gives: the score out of 100, and whether the cause is rightly told and asserted."""

    score: float
    diagnosed: bool


@dataclass(frozen=True)
class Labelled:
    """One submission of the corpus with its label."""

    scenario: str
    voice: str
    kind: str
    core: str
    head: str
    tail: str
    fixed: bool
    label: Label

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the part that nothing was tuned on."""
        return self.scenario in incidents.HELD_OUT or self.voice == incidents.HELD_OUT_VOICE

    @property
    def text(self) -> str:
        """The whole post-mortem."""
        return fixtures.postmortem(self.head, f"\n{self.core}\n\n{self.tail}\n")

    def bundle(self, text: str | None = None) -> Bundle:
        """Return the frozen bundle, with another text where one is given."""
        return incidents.bundle(self.scenario, self.text if text is None else text, fixed=self.fixed)


def _claim(raw: str, scenario: str) -> tuple[str, str, str]:
    truth = incidents.bundle(scenario, "").truth
    words = raw.split()
    if not words:
        return truth.cause, truth.component, truth.object
    if words == ["-", "-", "-"]:
        return "", "", ""
    return words[0], words[1], " ".join(words[2:])


@cache
def _bank() -> dict[str, dict[str, list[dict[str, str | float]]]]:
    return tomllib.loads((FOLDER / "voices.toml").read_text(encoding="utf-8"))


def _tail(scenario: str, voice: str, kind: str) -> tuple[str, dict[str, float]]:
    """Choose closing parts, another mixture for each scenario and kind, with their labels."""
    before, now = MEASURES.get(scenario, ("2.7 minutes", "twice as much"))
    if scenario not in MEASURES:
        mae = incidents.bundle(scenario, "").broken.facts["quality mae"]
        now = f"{float(mae):.1f} minutes"
    texts, scores = [], {}
    for place, part in enumerate(PARTS):
        options = _bank()[voice][part]
        chosen = options[(3 * incidents.SCENARIOS.index(scenario) + 5 * KINDS.index(kind) + place) % len(options)]
        texts.append(str(chosen["text"]).format(before=before, now=now, remedy=REMEDIES[scenario]))
        scores[part] = float(chosen.get("score", 0.0))
    return "\n\n".join(texts), scores


def _evidence(core: str, bundle: Bundle) -> dict[str, float]:
    """Look up how many citations are true and count by the rubric, and whether one of them decides."""
    rubric = (*bundle.truth.supporting, *bundle.truth.discriminating)
    good = set()
    for selector, value in re.findall(r"\[((?:[^\[\]=]+=)?[^\[\]=]+)=([^\[\]=]+)\]", core):
        fact = bundle.broken.facts.get(selector)
        if fact is None or not any(_fits(pattern, selector) for pattern in rubric):
            continue
        near = (
            abs(float(value) - float(fact)) <= TOLERANCE * abs(float(fact))
            if isinstance(fact, int | float)
            else value == fact
        )
        good |= {selector} if near else set()
    decides = any(_fits(pattern, selector) for selector in good for pattern in bundle.truth.discriminating)
    return {"e": min(1.0, len(good) / ENOUGH), "d": float(decides)}


def _fits(pattern: str, selector: str) -> bool:
    return fnmatchcase(selector, pattern)


def _score(
    scenario: str, claim: tuple[str, str, str], said: dict[str, float], closing: dict[str, float], bundle: Bundle
) -> Label:
    truth = bundle.truth
    hops = causes.load().hops(claim[0], truth.cause) if claim[0] else 2
    distance = {0: 1.0, 1: 0.5}.get(hops, 0.0)
    asserts = 1.0 if said["a"] else 0.4
    known = min(1.0, said["e"] + said["d"])
    names = {truth.object.lower(), *(alias.lower() for alias in truth.object_aliases)}
    spoken = 5.0 if said["a"] else 2.5
    place = spoken * (claim[1] == truth.component) + spoken * (claim[2].lower() in names and bool(claim[0]))
    form = closing.get("impact", 0) + closing.get("timeline", 0) + closing.get("detection", 0) + (2 if closing else 0)
    fix = sum(item.points or 0.0 for item in repair.items(bundle)[0])
    score = 30 * distance * asserts * (0.4 + 0.6 * known) + place + 10 * said["m"] + 15 * said["e"] + 5 * said["d"]
    score += fix + 5 * closing.get("prevention", 0) + form
    return Label(round(score, 1), hops == 0 and bool(said["a"]))


def _submissions(scenario: str) -> list[Labelled]:
    text = (FOLDER / f"{scenario}.md").read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    found = []
    for at, match in enumerate(heads):
        core = text[match.end() : heads[at + 1].start() if at + 1 < len(heads) else len(text)].strip()
        voice, kind = match["voice"], match["kind"]
        claim = _claim(match["claim"] or "", scenario)
        said = dict(DEFAULTS[kind])
        said |= {key: float(value) for key, value in (pair.split("=") for pair in (match["label"] or "").split())}
        said |= _evidence(core, incidents.bundle(scenario, ""))
        tail, closing = ("", {}) if kind == "abandoned" else _tail(scenario, voice, kind)
        head = f"cause: {claim[0]}\ncomponent: {claim[1]}\nobject: {claim[2]}" if claim[0] else "cause:"
        fixed = bool(said["fix"])
        label = _score(scenario, claim, said, closing, incidents.bundle(scenario, "", fixed=fixed))
        found.append(Labelled(scenario, voice, kind, core, head, tail, fixed, label))
    return found


@cache
def corpus() -> tuple[Labelled, ...]:
    """Return every submission of the corpus."""
    return tuple(each for scenario in incidents.SCENARIOS for each in _submissions(scenario))
