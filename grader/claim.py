"""What the post-mortem claims: the declared cause, what the prose asserts of it and of others, and with what doubt."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from grader import causes
from grader.phrases import SKIPPED, Span, compiled, find_any
from grader.postmortem import Claim
from grader.reader import Document, Sentence, stems
from grader.status import clause, hedges, status
from grader.support import is_fragment

_FRAME = re.compile(
    r"\b(?:root cause|cause|caused|causes|reason|due to|because(?: of)?|culprit|responsible|to blame|explains?|fault is|problem is|"
    r"problem was|incident is|incident was|it is|it was|this is|this was|diagnos(?:is|ed)|source of|comes? from|came from|led to)\b"
)
_EFFECT = re.compile(
    r"\b(?:looks? like|looked like|appears? as|shows? up as|showed up as|seen as|leads? to|led to|leading to|result(?:s|ed|ing)? in|"
    r"produc(?:es|ed|ing)|caus(?:es|ed|ing)|which means|effectively|amounts? to|in effect|as if|kind of|form of|symptom|mimics?|"
    r"behaves? like|so that|therefore|hence)\b"
)
_SYMPTOM = ("latency", "predictions", "prediction error", "errors", "mae", "alert", "p95", "prediction quality")
_BACKWARD = re.compile(
    r"\b(?:because(?: of)?|due to|caused by|owing to|as a result of|result of|comes? from|came from|stems? from)\b"
)
_FORWARD = re.compile(
    r"\b(?:caus(?:es|ed)|led to|leads? to|result(?:s|ed) in|made|makes|triggers?|triggered|forces?|forced|drives?|drove)\b"
)
_OR = re.compile(r"\bor\b")
_ALTERNATIVE = re.compile(
    r"(?:[a-z]+ ){0,2}(?:, (?:an?|the|some) (?:[a-z]+ ){1,6}?)*,? ?or (?:else |possibly |perhaps |maybe )*(?:an?|the|some) [a-z]"
)
"""`…, a memory leak or a cold start` behind a mention: one of several, and nobody says which."""
_ALTERNATIVE_BEFORE = re.compile(
    r"\b(?:an?|the|some) (?:[a-z]+ ){1,4}(?:, (?:an?|the|some) (?:[a-z]+ ){1,4})*,? ?or (?:else |possibly |perhaps |maybe )*(?:an?|the|some)$"
)
_ENDED_BEFORE = re.compile(
    r"\b(?:remov|eliminat|clear)(?:ed|es|ing) (?:the|this|that|our|its)(?: [a-z_]+){0,2}$|\bgot rid of (?:[a-z_]+ ){0,3}?$"
)
_ENDED_BEHIND = re.compile(
    r"^(?:[a-z_]+ ){0,3}?(?:(?:is|was|are|were|has|have)(?: now| since)? (?:gone|disappeared|vanished)|disappeared|vanished|went away|"
    r"remain(?:s|ed)?|(?:is|was) left|any ?more|afterwards)\b"
)
_LISTED = re.compile(
    r"\b(?:lists?|hypothes[ei]s|suspects?|candidates?|suspicions?|considerations?|tables?|causes?|"
    r"theor(?:y|ies)|ideas?|explanations?|guess(?:es)?|assumptions?)\b"
)
"""What a cause is taken from that was only thought of."""
ELSEWHERE = ("impact", "timeline", "detection", "resolution", "prevention")
"""Sections that do not tell the cause: what was repaired is no account of what was wrong."""


MOST_MENTIONS = 4
"""Places of one sentence at which a cause is looked at; whoever names it more often says no more by it."""


@dataclass(frozen=True)
class Mention:
    """One place where a cause is named, with what the sentence does with it."""

    cause: str
    sentence: Sentence
    span: Span
    status: str


@dataclass
class Reading:
    """What the prose says about causes."""

    declared: str
    mentions: list[Mention] = field(default_factory=list)
    support: list[Sentence] = field(default_factory=list)
    """Sentences that assert the declared cause and are tied to the stack."""
    others: dict[str, Sentence] = field(default_factory=dict)
    """Other causes that are asserted to be the cause, with the sentence."""
    contributing: tuple[str, ...] = ()
    """Causes that the front matter declares beside the first, and that are none."""
    found: tuple[str, ...] = ()
    """Causes among those that it declares beside the first which are true as well."""
    named: int = 0
    """Sentences among them that name the cause."""
    denied: list[Sentence] = field(default_factory=list)
    """Sentences that deny the declared cause."""
    reversed: bool = False
    hedges: int = 0

    @property
    def other_count(self) -> int:
        """Number of further causes that are claimed, in the front matter or in prose."""
        return len(set(self.contributing) | set(self.others))

    @property
    def supported(self) -> bool:
        """Whether the prose asserts the declared cause, does not deny it as often, and has cause and effect right.

        Where it is denied by name, telling its mechanism elsewhere does not assert it.
        """
        enough = self.named > len(self.denied) if self.denied else bool(self.support)
        return enough and not self.reversed and not self.others


def mentions(document: Document) -> list[Mention]:
    """Find every cause of the taxonomy that the learner's own prose names."""
    found: list[Mention] = []
    for sentence in document.prose:
        words = stems(sentence.words)
        for cause, phrases in _candidates(frozenset(words)).items():
            found.extend(
                Mention(cause, sentence, span, status(sentence, span, named=cause != "no-fault"))
                for span in find_any(phrases, words)[:MOST_MENTIONS]
                # One word names a cause only where something is said of it.
                if sentence.full or span.end - span.start > 1
            )
    beside: dict[int, list[Mention]] = {}
    for mention in found:
        beside.setdefault(id(mention.sentence), []).append(mention)
    return [_either(mention, beside[id(mention.sentence)]) for mention in found]


@lru_cache(maxsize=1)
def _phrases_by_word() -> tuple[dict[str, list[tuple[str, str]]], dict[tuple[str, str], int]]:
    """Return each stem's phrases, as often as it stands in them, and how many of its stems each phrase needs."""
    by_word: dict[str, list[tuple[str, str]]] = {}
    needed: dict[tuple[str, str], int] = {}
    for cause in causes.load().causes:
        for phrase in dict.fromkeys(cause.phrases):
            needed[cause.id, phrase] = max(1, len(compiled(phrase)) - 1)
            for word in compiled(phrase):
                by_word.setdefault(word, []).append((cause.id, phrase))
    return by_word, needed


def _candidates(words: frozenset[str]) -> dict[str, list[str]]:
    """Return the phrases of each cause that can stand in these words, in the taxonomy's order."""
    # A phrase can only stand where all its words do, one of them misspelt at most: counting them is quicker than a search.
    by_word, needed = _phrases_by_word()
    there = Counter(found for word in words for found in by_word.get(word, ()))
    viable: dict[str, list[str]] = {}
    for (cause, phrase), least in needed.items():
        if there[cause, phrase] >= least:
            viable.setdefault(cause, []).append(phrase)
    return viable


def _either(mention: Mention, all_mentions: Sequence[Mention]) -> Mention:
    """Two causes joined by `or` in one clause are alternatives, and neither is asserted."""
    if mention.status != "asserted":
        return mention
    words = mention.sentence.words
    start, end = clause(words, mention.span)
    if _ALTERNATIVE.match(" ".join(words[mention.span.end :])) or _ALTERNATIVE_BEFORE.search(
        " ".join(words[: mention.span.start])
    ):
        return Mention(mention.cause, mention.sentence, mention.span, "hypothetical")
    if not _OR.search(" ".join(words[start:end])):
        return mention
    for other in all_mentions:
        if other.sentence is mention.sentence and other.cause != mention.cause and start <= other.span.start < end:
            between = words[min(mention.span.end, other.span.end) : max(mention.span.start, other.span.start)]
            if "or" in between:
                return Mention(mention.cause, mention.sentence, mention.span, "hypothetical")
    return mention


def read_claim(
    document: Document, claim: Claim, mechanism: list[Sentence], contributing: tuple[str, ...] = ()
) -> Reading:
    """Read what the prose says about the declared cause and about others.

    `mechanism` are sentences that tell the mechanism of the declared cause without naming it; they support it too.
    `contributing` are the true causes beside the one that the account leads with; claiming them costs nothing.
    """
    beside = dict.fromkeys(c for c in claim.contributing if c != claim.cause)
    reading = Reading(
        claim.cause,
        contributing=tuple(c for c in beside if c not in contributing),
        found=tuple(c for c in beside if c in contributing),
    )
    reading.mentions = mentions(document)
    spared = {*claim.ruled_out, *contributing}
    backward = forward = 0
    for mention in reading.mentions:
        if mention.cause == claim.cause:
            if mention.status == "ruled out":
                if (
                    mention.sentence not in reading.denied
                    and mention.sentence.section not in ELSEWHERE
                    and not _ended(mention)
                    and _denies(mention, reading.mentions)
                ):
                    reading.denied.append(mention.sentence)
            elif (
                mention.status == "asserted"
                and (mention.sentence.carries or _labels(mention))
                and mention.sentence.section not in ELSEWHERE
                and not _denies(mention, reading.mentions)
            ):
                if mention.sentence not in reading.support:
                    reading.support.append(mention.sentence)
                    reading.named += 1
                backward += _is_effect(mention)
                forward += 1
        elif mention.status == "asserted" and mention.cause not in spared and _claims_root(mention, reading):
            reading.others.setdefault(mention.cause, mention.sentence)
    doubtful = [m.sentence for m in reading.mentions if m.cause == claim.cause and m.status != "asserted"]
    for sentence in mechanism:
        if sentence not in reading.support and sentence not in doubtful:
            reading.support.append(sentence)
            forward += 1
    reading.reversed = forward > 0 and backward == forward
    reading.hedges = sum(
        hedges(sentence) for sentence in reading.support if sentence.section in ("summary", "root cause")
    )
    return reading


def _labels(mention: Mention) -> bool:
    """Whether a mention is the label of a note, as in `Stale model cache: loaded at startup` or `…, i.e. a memory leak`."""
    words = mention.sentence.words
    before, behind = words[: mention.span.start], words[mention.span.end :]
    while before and before[-1] in ("a", "an", "the", "is", "this"):
        before = before[:-1]
    opens = not before or before[-1] in (
        ":",
        "--",
        "\u2014",
        "->",
        "\u2192",
        ";",
        "namely",
        "hence",
        "i.e",
        "therefore",
        "thus",
    )
    return mention.sentence.leans and opens and (not behind or behind[0] in (":", "(", ";"))


def _ended(mention: Mention) -> bool:
    """Whether the sentence says that the cause is no longer there, as in `the leak is gone`: then it was there before."""
    words = mention.sentence.words
    before, behind = " ".join(words[: mention.span.start]), " ".join(words[mention.span.end :])
    ended = _ENDED_BEFORE.search(before) or _ENDED_BEHIND.match(behind)
    return ended is not None and not _LISTED.search(behind)


def _denies(mention: Mention, all_mentions: Sequence[Mention]) -> bool:
    """Whether the sentence of a mention denies its cause at least as often as it asserts it."""
    same = [m.status for m in all_mentions if m.sentence is mention.sentence and m.cause == mention.cause]
    return "ruled out" in same and same.count("ruled out") >= same.count("asserted")


def _claims_root(mention: Mention, reading: Reading) -> bool:
    """Whether a sentence claims another cause as the root, and not as a name for what the declared one does."""
    sentence = mention.sentence
    if sentence.section in ("prevention", "detection", "timeline", "resolution"):
        return False
    words = sentence.words
    start, end = clause(words, mention.span)
    # A clause often opens behind the word that frames it, as in `because of`.
    before, after = " ".join(words[max(0, start - 2) : mention.span.start]), " ".join(words[mention.span.end : end])
    if not _named_outright(mention):
        return False
    same = [
        m for m in reading.mentions if m.sentence is sentence and m.cause == reading.declared and m.status == "asserted"
    ]
    if same and not re.search(
        r"\b(?:and|also|plus|as well as|,)\b|,", " ".join(_between(words, same[0].span, mention.span))
    ):
        return False
    if _EFFECT.search(" ".join(words[start : mention.span.start])) and not re.search(r"caused by|because", before):
        return False
    return (
        _FRAME.search(before) is not None
        or is_fragment(sentence)
        or re.match(r"(?:is|was|are|were) (?:the|our|to blame)|caused|explains", after) is not None
    )


def _named_outright(mention: Mention) -> bool:
    """Whether the words are the name of a cause, side by side, and not ordinary words that happen to fit a phrase."""
    cause = causes.load().by_id[mention.cause]
    said = tuple(stems([w for w in mention.sentence.words[mention.span.start : mention.span.end] if w not in SKIPPED]))
    # Phrases of ordinary words, which `=` opens, also tell what merely happened.
    names = (cause.title, cause.precise, cause.id, *(each for each in cause.phrases if not each.startswith("=")))
    return any(len(compiled(name)) > 1 and said == compiled(name) for name in names) or cause.id == "no-fault"


def _between(words: Sequence[str], one: Span, other: Span) -> Sequence[str]:
    left, right = (one, other) if one.start <= other.start else (other, one)
    return words[left.end : right.start]


def _is_effect(mention: Mention) -> bool:
    """Whether the sentence makes the cause the effect of a symptom, for instance `latency rose, which caused …`."""
    words = mention.sentence.words
    before, after = " ".join(words[: mention.span.start]), " ".join(words[mention.span.end :])
    symptom_before = any(mark in before for mark in _SYMPTOM)
    if (
        symptom_before
        and _FORWARD.search(before)
        and not re.search(r"\b(?:was|were|is|are|been|be) caused by\b", before)
    ):
        forward = list(_FORWARD.finditer(before))[-1]
        return any(mark in before[: forward.start()] for mark in _SYMPTOM) and not _BACKWARD.search(
            before[forward.start() :]
        )
    backward = _BACKWARD.search(after)
    return backward is not None and any(mark in after[backward.end() :][:60] for mark in _SYMPTOM)
