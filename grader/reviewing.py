"""Reviewing a post-mortem of an incident that nobody injected: whether it could teach its readers anything.

What is checked follows published practice: Google's Site Reliability Engineering, chapter 15 and appendix D (impact,
root cause, trigger, detection, resolution, actions with owners), PagerDuty's post-mortem guide (times that agree,
actions that say when they are done), and Etsy's debriefing guide (no blame). No claim is made about the cause: nothing
of the system can be seen from here.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from crashlab.model import Frozen, Identifier, ItemStatus
from grader import borrowed, causes, form, support, terms, times
from grader.phrases import find_any
from grader.postmortem import Malformed, split
from grader.reader import Document, Sentence, read, stems
from grader.status import hedges, status
from grader.text import one_line

DISCLAIMER = (
    "Whether the cause is right cannot be seen from a text; this review looks at how well it is told and shown."
)
SECTIONS = ("impact", "timeline", "detection", "root cause", "resolution", "prevention")
EVIDENCE_ENOUGH = 3
DEEP = 2
"""Sentences with a causal relation that a root cause needs: what broke, and why that could happen."""
_SYMPTOM = re.compile(
    r"\b(?:latency|errors?|predictions?|accuracy|quality|requests?|timeouts?|5xx|500s?|alerts?|metrics?|slow|failed|failing|down|"
    r"unavailable|degraded|wrong|high|spiked?|dropped)\b"
)
_ORIGIN = re.compile(
    r"\b(?:deploy\w*|releas\w+|chang\w+|commit\w*|config\w*|version\w*|upgrad\w*|migrat\w+|schema|alias|threshold|code|handler|job|"
    r"pipeline|library|package|dependency|limit|quota|cache|index|query|feature\w*|column|field|unit|default|model|"
    r"promot\w+|rollout|flag|certificate|disk|memory|thread\w*|pool|producer|upstream|training|serving)\b"
)
_SHOWN = re.compile(
    r"§|`[^`]+`|\bhttps?://\S+|\b(?:graph|dashboard|log line|query|trace|screenshot|report|commit|pull request|ticket|run)\b",
    re.IGNORECASE,
)
_FACT = re.compile(r"\d")
_OWNER = re.compile(
    r"\b(?:owner|owned by|assigned to|due|by (?:mon|tues|wednes|thurs|fri)day|by \d{4}-\d{2}-\d{2}|team)\b|@\w+|\b[A-Z][A-Z0-9]+-\d+\b"
)
_PLACEHOLDER = re.compile(
    r"\b(?:tbd|tba|todo|n/a|xxx|lorem ipsum|fill (?:this )?in)\b|^\s*(?:-|\.{3}|…)\s*$", re.IGNORECASE
)
_STARTED = re.compile(
    r"\b(?:deploy\w*|releas\w+|rolled out|merged|began|begins?|started|starts?|introduced|changed|promoted|onset)\b",
    re.IGNORECASE,
)
_NOTICED = re.compile(r"\b(?:alert\w*|paged?|fired|noticed|detected|reported|complain\w*|ticket)\b", re.IGNORECASE)
_ENDED = re.compile(
    r"\b(?:resolved|recovered|fixed|mitigated|rolled back|reverted|restored|back to normal|closed|all clear)\b",
    re.IGNORECASE,
)
ROUGHLY = 0.2
"""Share by which a stated duration may differ from its own window."""


class Remark(Frozen):
    """One thing that was looked at: whether it is there, the words it was judged by, and what to do."""

    id: Identifier
    title: str
    status: ItemStatus
    quote: str = ""
    observed: str = ""
    improve: str = ""


class Review(Frozen):
    """What was found in a post-mortem. `sound` says whether nothing essential is missing; there are no points."""

    version: Literal[1] = 1
    sound: bool
    disclaimer: str = DISCLAIMER
    remarks: tuple[Remark, ...]


def review_text(text: str) -> Review:
    """Review a post-mortem with or without front matter. Never raises, whatever the text."""
    try:
        _, body = split(text)
    except Malformed:
        body = text
    document = read(body)
    borrowed.mark(document)
    for sentence in document.sentences:
        sentence.borrowed = sentence.borrowed or _PLACEHOLDER.search(sentence.text) is not None
    support.mark(document, frozenset())
    remarks = tuple(check(document) for check in CHECKS)
    return Review(sound=all(remark.status == "passed" for remark in remarks), remarks=remarks)


def _remark(
    name: str, title: str, grade: ItemStatus, sentence: Sentence | None = None, observed: str = "", improve: str = ""
) -> Remark:
    quote = one_line(sentence.text) if sentence is not None else ""
    return Remark(
        id=name, title=title, status=grade, quote=quote, observed=observed, improve="" if grade == "passed" else improve
    )


def _in(document: Document, *sections: str) -> list[Sentence]:
    return [sentence for sentence in document.prose if sentence.section in sections]


def _graded(done: float) -> ItemStatus:
    return "passed" if done >= 1 else "partial" if done > 0 else "failed"


def structure(document: Document) -> Remark:
    """Every part that a reader looks for is there and says something."""
    missing = [
        name
        for name in SECTIONS
        if not any(support.reads_as_sentence(s) or s.kind in ("item", "cell") for s in _in(document, name))
    ]
    done = 1 - len(missing) / len(SECTIONS)
    return _remark(
        "structure", "Structure", _graded(1 if not missing else done),
        observed=f"Without content: {', '.join(missing)}." if missing else "Every part is there.",
        improve="Write the missing parts, or say in a sentence why there is nothing to say.",
    )  # fmt: skip


def impact(document: Document) -> Remark:
    """Impact has a number and a window, and a stated duration fits the window."""
    item = form.impact(document)
    sentences = _in(document, "impact")
    text = " ".join(s.text for s in sentences)
    said, window = times.stated_minutes(text), times.span_minutes(text)
    if said is not None and window and abs(said - window) > ROUGHLY * max(said, window):
        return _remark(
            "impact", "Impact", "partial", sentences[0],
            f"The duration that is stated ({said:g} minutes) does not fit the window that is given ({window:g} minutes).",
            "Make the duration and the window agree.",
        )  # fmt: skip
    return _remark("impact", "Impact", item.status, sentences[0] if sentences else None, improve=item.improve)


def timeline(document: Document) -> Remark:
    """The timeline has times in order, and nothing is noticed before it begins or solved before it is noticed."""
    sentences = _in(document, "timeline")
    found = [(moment, s) for s in sentences for moment in times.moments(s.text)[:1]]
    if len({moment.text for moment, _ in found}) < 2:  # noqa: PLR2004 - one time is no line
        return _remark(
            "timeline", "Timeline", "partial" if sentences else "failed", sentences[0] if sentences else None,
            f"{len(found)} entries with a time.", "Give each event its time: the change, the first sign, the alert, the fix.",
        )  # fmt: skip
    wrong = times.disorder([moment for moment, _ in found])
    if wrong:
        late = next(s for moment, s in found if moment.text == wrong[1].text)
        return _remark(
            "timeline", "Timeline", "partial", late, f"{wrong[1].text} stands after {wrong[0].text}.",
            "Put the events in the order in which they happened, in one time zone.",
        )  # fmt: skip
    begun, seen, over = (_first(found, pattern) for pattern in (_STARTED, _NOTICED, _ENDED))
    for early, after, words in ((begun, seen, "noticed before it begins"), (seen, over, "over before it is noticed")):
        if early is not None and after is not None and found.index(after) < found.index(early):
            return _remark(
                "timeline", "Timeline", "partial", after[1], f"By this timeline the incident is {words}.",
                "Check the times of the change, the alert and the fix against their sources.",
            )  # fmt: skip
    return _remark("timeline", "Timeline", "passed", sentences[0], f"{len(found)} entries with a time, in order.")


def _first(
    found: Sequence[tuple[times.Moment, Sentence]], pattern: "re.Pattern[str]"
) -> tuple[times.Moment, Sentence] | None:
    return next((each for each in found if pattern.search(each[1].text)), None)


def detection(document: Document) -> Remark:
    """It says how the incident was noticed."""
    item = form.detection(document)
    own = _in(document, "detection")
    return _remark(
        "detection", "Detection", item.status, own[0] if own else None,
        improve="Say which rule or person noticed it, how long after it began, and what could have shown it earlier.",
    )  # fmt: skip


def mechanism(document: Document) -> Remark:
    """The root cause is a mechanism: it says what was changed or wrong where, and how that led to the symptom."""
    sentences = [s for s in _in(document, "root cause") if s.carries or support.reads_as_sentence(s)]
    if not sentences:
        sentences = [s for s in _in(document, "summary") if s.carries]
    causal = [s for s in sentences if support.CAUSAL.search(" ".join(s.words))]
    origin = [s for s in sentences if _ORIGIN.search(" ".join(s.words))]
    only_symptom = bool(sentences) and not origin and any(_SYMPTOM.search(" ".join(s.words)) for s in sentences)
    doubt = sum(hedges(s) for s in sentences)
    if not sentences or only_symptom:
        return _remark(
            "mechanism", "Mechanism and not symptom", "failed", sentences[0] if sentences else None,
            "The root cause repeats the symptom." if only_symptom else "There is no root cause.",
            "Ask why until you reach something that somebody can change: what differed, where, and how did that lead to what was seen?",
        )  # fmt: skip
    if not causal or not origin:
        return _remark(
            "mechanism", "Mechanism and not symptom", "partial", sentences[0], "It names something, and not how that led to the symptom.",
            "Add the step between: because of what did the symptom follow?",
        )  # fmt: skip
    if doubt > 1:
        return _remark(
            "mechanism", "Mechanism and not symptom", "partial", causal[0], f"{doubt} words of doubt in the root cause.",
            "Replace supposition by a measurement, or say openly what is not known.",
        )  # fmt: skip
    return _remark("mechanism", "Mechanism and not symptom", "passed", causal[0])


def evidence(document: Document) -> Remark:
    """Claims are borne out by something that a reader can look up: numbers, queries, commits, reports."""
    told = [
        s
        for s in document.sentences
        if s.section in ("evidence", "root cause", "summary", "impact", "detection") and not s.borrowed
    ]
    shown = [
        s for s in told if s.kind in ("code", "quote") or s.citations or _SHOWN.search(s.text) or _FACT.search(s.text)
    ]
    return _remark(
        "evidence", "Evidence", _graded(len(shown) / EVIDENCE_ENOUGH), shown[0] if shown else None,
        f"{len(shown)} statements with a number, a quotation or a reference.",
        "Show for each step of the root cause what you saw: a number, a log line, a commit, a report.",
    )  # fmt: skip


def blameless(document: Document) -> Remark:
    """Nobody is blamed."""
    item = form.blameless(document)
    blaming = item.status == "failed" and item.quote
    if item.status == "failed" and not blaming:
        return _remark("blameless", "No blame", "not graded", observed="There is too little prose to judge.")
    first = next((s for s in document.prose if one_line(s.text) == item.quote), None)
    return _remark(
        "blameless", "No blame", item.status, first, improve="Describe what the system allowed instead of who did it."
    )


def actions(document: Document) -> Remark:
    """Actions have a verb, an object, a way to verify, and an owner or a date."""
    sentences = _in(document, "prevention")
    scored = [(form.action_score(s, frozenset()), s) for s in sentences]
    good = [s for score, s in scored if score >= 1]
    weak = [s for score, s in scored if score < 1]
    owned = any(_OWNER.search(s.text) for s in sentences)
    if not sentences or not any(score for score, _ in scored):
        return _remark(
            "actions", "Actions that can be checked", "failed", sentences[0] if sentences else None, "No action can be checked.",
            "Write a verb, an object and a way to verify: 'add a parity test that fails the release'.",
        )  # fmt: skip
    if not good or not owned:
        return _remark(
            "actions", "Actions that can be checked", "partial", (weak or sentences)[0],
            f"{len(good)} of {len(sentences)} actions say how one knows that they are done; "
            + ("some have an owner or a date." if owned else "none has an owner or a date."),
            "Say for each action how to verify it, who owns it and when it is due.",
        )  # fmt: skip
    return _remark(
        "actions",
        "Actions that can be checked",
        "passed",
        good[0],
        f"{len(good)} of {len(sentences)} actions can be checked.",
    )


def wording(document: Document) -> Remark:
    """Terms are precise: none is used beside one that it is a near miss of."""
    sentences = [s for s in document.prose if s.section not in ("prevention", "ruled out")]
    asserted: dict[str, Sentence] = {}
    for sentence in sentences:
        words = stems(sentence.words)
        for cause in causes.load().causes:
            if any(status(sentence, span) == "asserted" for span in find_any((cause.precise, cause.title), words)):
                asserted.setdefault(cause.id, sentence)
    for name in asserted:
        wrong = next(iter(form.near_misses(document, name)), None)
        if wrong is not None:
            cause = causes.load().by_id[name]
            return _remark(
                "terms", "Precise terms", "partial", wrong[0], f"'{wrong[1]}' stands beside '{cause.precise}'.",
                f"The two mean different things; if it was {cause.title.lower()}, the precise term is '{cause.precise}'.",
            )  # fmt: skip
    for sentence in sentences:
        words = stems(sentence.words)
        for vague, instead in VAGUE:
            if find_any((vague,), words):
                entry = terms.find(instead)
                meaning = f" ({entry.definition})" if entry else ""
                return _remark(
                    "terms", "Precise terms", "partial", sentence, f"'{vague}' says little.",
                    f"Say what exactly, for instance '{instead}'{meaning}, if that is what you saw.",
                )  # fmt: skip
    written = sum(map(support.reads_as_sentence, document.prose)) >= 3  # noqa: PLR2004 - less is no post-mortem
    return _remark(
        "terms",
        "Precise terms",
        "passed" if written else "not graded",
        observed="" if written else "There is too little prose to judge.",
    )


VAGUE = (
    ("the model broke", "train/serve skew"), ("the model went bad", "concept drift"), ("bad data", "upstream change"), ("data issue", "upstream change"),
    ("model issue", "model version"), ("glitch", "upstream change"), ("the ai", "model version"), ("some bug", "upstream change"), ("hiccup", "tail latency"),
    ("model stage", "alias"), ("went stale", "feature freshness"), ("network issue", "tail latency"), ("data quality problem", "data contract"),
)  # fmt: skip
"""Wordings that say little, with a precise term that is often meant."""
CHECKS: tuple[Callable[[Document], Remark], ...] = (
    structure, impact, timeline, detection, mechanism, evidence, blameless, actions, wording,
)  # fmt: skip
