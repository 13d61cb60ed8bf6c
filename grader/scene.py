"""A mention with its surroundings, as the reader of denials looks at it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.clauses import JOINTS, Fragment, clause, fragments
from grader.phrases import Span
from grader.predicates import (
    ASIDE,
    CLAUSAL,
    DEFINITE,
    EPISTEMIC,
    FAULTS,
    HEAD,
    LONGEST_NAME,
    NEAR,
    NEUTRAL,
    PREDICATING,
    SINGULAR,
    STALE,
    TOPIC,
    UNNAMING,
)
from grader.reader import Sentence


@dataclass(frozen=True)
class Scene:
    """The words around a mention, and what is known of the mention itself."""

    left: list[str]
    """Words of the clause before the mention."""
    earlier: list[str]
    """Words before that clause."""
    after: list[Fragment]
    """Fragments behind the mention; the first one is what is said of it directly."""
    following: list[str]
    """Words of the next sentence."""
    clausal: bool
    """Whether the mention has a verb itself, as `the alias points to the wrong version` does."""
    listed: bool
    """Whether further names seem to follow in a row."""
    name: str
    """Last word of the mention."""
    named: bool
    """Whether it is the name of a cause."""
    negative: bool
    """Whether its name begins with a denial, as that of `no reload after the promotion` does."""
    definite: bool
    neutral: bool
    """Whether the mention is the name of something that is there in any case, as `feature order` is."""
    suspicion: bool
    """Whether a word such as `theory` stands behind the mention."""

    @property
    def echo(self) -> str:
        """A pattern of the mention's own noun at the beginning of an answer, as in `wrong alias: the alias is correct`."""
        return (
            rf"^(?:the )?{re.escape(self.name)} (?=(?:is|was|are|were|did|does|has|have|had|can|looks|stays|stayed)\b)"
        )

    @property
    def subject(self) -> bool:
        """Whether a predicate follows directly."""
        return self.after[0].text.split(" ")[0] in PREDICATING

    @property
    def rest(self) -> str:
        """Everything behind the mention."""
        return " ".join(fragment.text for fragment in self.after)


def scene_of(sentence: Sentence, span: Span, *, named: bool) -> Scene:
    """Return the surroundings of the mention at `span`; `named` as for `status.status`."""
    words = sentence.words
    start, _ = clause(words, span)
    tail = " ".join(words[_listed(words, span.end) :])
    head = HEAD.match(tail + " ")
    if head:
        tail = tail[head.end() :]
    left = re.sub(ASIDE, " ", " ".join(words[start : span.start])).split()
    if tail.split()[:1] and tail.split()[0] in PREDICATING and not {"neither", "both", "either"} & set(left):
        # `…, and the mismatch is still there` has a subject of its own.
        joints = [at for at in range(len(left)) if left[at] in ("and", ",") and len(left) - at < NEAR and at > 1]
        left = left[joints[-1] + 1 :] if joints and has_verb(left[: joints[-1]]) else left
    return Scene(
        left=left,
        earlier=[*sentence.opening, *words[:start]],
        after=fragments(tail.split()),
        following=sentence.following,
        clausal=has_verb(words[span.start : span.end]),
        listed=words[span.end : span.end + 1] in (["or"], ["nor"], ["and"], [","]),
        name=words[span.end - 1],
        named=named,
        negative=words[span.start] in ("no", "not", "never", "nothing")
        and words[span.start - 1 : span.start] != ["is"],
        definite=_is_definite(words[start : span.start]),
        neutral=any(word in NEUTRAL for word in words[span.start : span.end])
        and words[span.start] not in STALE
        and words[span.end - 1] not in FAULTS,
        suspicion=bool(head and head[1]),
    )


def _is_definite(left: Sequence[str]) -> bool:
    """Whether a definite article or its like stands before a mention, and no conjunction `that`."""
    if left[-1:] == ["that"]:
        return len(left) == 1 or left[-2] in TOPIC or left[-2] in ("by", "than", "to")
    return bool(left) and left[-1] in DEFINITE


def _listed(words: Sequence[str], at: int) -> int:
    """Return where a row of names ends that begins with the mention, if a predicate follows it; else `at`.

    In `a leak, a cold start and drift were excluded` the predicate is that of every name.
    """
    here, joined, plural = at, False, False
    while here < len(words) and not joined and words[here] in (",", "and", "or", "nor"):
        while here < len(words) and words[here] in (",", "and", "or", "nor"):
            joined = joined or words[here] != ","
            plural = plural or words[here] == "and"
            here += 1
        first = here
        while here < len(words) and here - first < LONGEST_NAME and _names(words[here]):
            here += 1
        if here == first:
            return at
    while here < len(words) and words[here] in ("both", "all", "each"):
        here += 1
    fits = joined and here < len(words) and words[here] in PREDICATING and not (plural and words[here] in SINGULAR)
    return here if fits else at


def _names(word: str) -> bool:
    return word.isalpha() and not (word in CLAUSAL or word in JOINTS or word in DEFINITE or word in UNNAMING)


def has_verb(words: Sequence[str]) -> bool:
    """Whether words hold a finite verb or a pronoun, and are a clause rather than a note."""
    return any(word in CLAUSAL or word in EPISTEMIC for word in words)
