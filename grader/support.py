"""Whether a sentence can carry a claim: it reads as a sentence, and it is tied to this stack.

A list of keywords has no verb and no function words; a shuffled sentence has function words in impossible places. A
sentence is tied to the stack by one of its entities, a number, a citation or a causal relation.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from crashlab.model import Bundle
from grader import words as lists
from grader.reader import CITED, Citation, Document, Sentence, number, stem, tokens

_LISTS = lists.load()["support"]
_FUNCTION = _LISTS["function"]
_VERBS = frozenset(map(stem, _LISTS["verbs"]))
_SHORT = 4
"""Letters of the longest word that is too short to be recognised as a verb by its ending."""
FEWEST_WORDS = 4
LEAST_FUNCTION = ((24, 0.24), (9, 0.2), (0, 0.08))
"""Least share of function words by number of words: ordinary prose has two fifths, terse notes a tenth."""
LONGEST = 110
COMMA_SHARE = 0.3
LONGEST_LIST = 18
"""Words from which on a text without a mark, a pronoun or a finite verb is a list; terse notes have up to 17."""
_FINITE = lists.load()["status"]["finite"] | {
    "it",
    "we",
    "i",
    "they",
    "this",
    "that",
    "there",
    "who",
    "which",
    "nobody",
}
LONGEST_BARE = 9
"""Words in a row without a function word that a sentence may have."""
_JOINING = _LISTS["joining"]
TINY = 2
"""Letters of a word that names nothing."""
FRAGMENT = 8
"""Words of the longest note that is understood without the form of a sentence."""
SORTED_FROM, SORTED_SHARE = 6, 0.9
"""Words from which on alphabetical order is no accident, and the share of neighbours that makes a list."""
SPOKEN = 2
"""Words beside the citation from which on a sentence says something about it."""
LONGEST_NOTE = 24
"""Words of the longest note that a label may open."""
TERSE = 16
TERSE_JOINED, TERSE_SHARE = 2, 0.24
"""Joining words of a terse note without a number, and their share of its words."""
LEADING = 5
"""Letters from which on the first word of a name stands for the name."""
MISPLACED_EVERY = 14
"""A sentence of this many words may have one function word in an impossible place, as a slip."""
SHUFFLED_FROM, SHUFFLED_SHARE = 6, 0.12
CAUSAL = re.compile(
    r"\b(?:because|due to|owing to|caus(?:e|es|ed|ing)|led to|leads? to|leading to|so that|therefore|thus|hence|result(?:s|ed|ing)? in|"
    r"as a result|since|consequently|which (?:makes?|made|means?|meant|is why)|mak(?:es|ing)|made|forces?|trigger(?:s|ed)|explains?|"
    r"root cause|reason|that is why|this is why|comes? from|came from|stems? from|arises? from|means that|whenever|instead of|"
    r"so (?:the|every|all|each|that|it|predictions?|requests?)|introduced by|responsible for|drives?|via|through|stall(?:s|ed)|"
    r"block(?:s|ed|ing)|delay(?:s|ed)|queue[sd]?|breaks?|broke|fills?|filled|replac(?:es|ed)|drops?|dropped|turn(?:s|ed) into)\b|->|\u2192"
)


CLAIMING = ("summary", "root cause", "evidence")
"""Sections whose sentences lean on each other: an account of a cause goes through them."""


def reads_as_sentence(sentence: Sentence) -> bool:
    """Say whether the words can be a sentence: a verb, function words, and none where no sentence has them."""
    words = [word for word in sentence.words if word[0].isalnum() or word in ("->", "\u2192")]
    if len(words) < FEWEST_WORDS or not any(is_verb(word) for word in words):
        return False
    joined = sum(word in _FUNCTION for word in words)
    spelt = sum(word.isalpha() for word in words)
    least = next(share for length, share in LEAST_FUNCTION if spelt >= length)
    if joined < 1 or joined < least * spelt or len(words) > LONGEST:
        return False
    if sentence.words.count(",") > COMMA_SHARE * len(words) or _longest_bare_run(words) > LONGEST_BARE:
        return False
    return _misplaced(sentence.words) == 0 or _misplaced(sentence.words) * MISPLACED_EVERY <= len(words)


def _longest_bare_run(words: Sequence[str]) -> int:
    """Length of the longest run of words without a function word; names, numbers and citations may stand in rows."""
    longest = run = 0
    for word in words:
        run = 0 if word in _FUNCTION or word in _JOINING or not word.isalpha() else run + 1
        longest = max(longest, run)
    return longest


def is_verb(word: str) -> bool:
    """Say whether a word is, or looks like, a verb; an arrow is one in notes."""
    if word in ("->", "\u2192"):
        return True
    if word in _LISTS["not_verbs"]:
        return False
    return stem(word) in _VERBS or (len(word) > _SHORT and word.endswith(("ed", "ing")))


def _misplaced(words: Sequence[str]) -> int:
    found = 0
    for left, right in pairwise((*words, "")):
        if (left in _LISTS["determiners"] and (right in _LISTS["never_after_determiner"] or right == "")) or (
            left in _LISTS["prepositions"] and right in _LISTS["never_after_preposition"]
        ):
            found += 1
    return found


def shuffled(sentences: Iterable[Sentence]) -> bool:
    """Say whether a whole text has function words in impossible places too often to be written by anybody."""
    misplaced = total = 0
    for sentence in sentences:
        misplaced += _misplaced(sentence.words)
        total += sum(word in _LISTS["determiners"] or word in _LISTS["prepositions"] for word in sentence.words)
    return total >= SHUFFLED_FROM and misplaced / total > SHUFFLED_SHARE


@lru_cache(maxsize=8)
def _entities(keys: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for key in keys:
        for word in key.lower().split()[1:]:
            found.update(part for part in word.split("=") if len(part) > TINY)
    # `distance` stands for `distance_km` in prose.
    found |= {name.split("_", 1)[0] for name in found if name.find("_") >= LEADING}
    return frozenset(found - _LISTS["ordinary"] | _LISTS["entities"])


def entities(bundle: Bundle) -> frozenset[str]:
    """Names that this stack has: features, packages, aliases, files, measurements."""
    keys = set(bundle.broken.facts) | set(bundle.healthy.facts)
    names = set(_entities(frozenset(keys)))
    for key, value in bundle.broken.facts.items():
        if key.startswith("commit ") and isinstance(value, str):
            names.update(part.rsplit("/", 1)[-1].lower() for part in value.split(","))
    for name in (bundle.truth.object, *bundle.truth.object_aliases):
        names.update(part for part in name.lower().replace("/", " ").split() if len(part) > TINY)
    return frozenset(names)


def grounded(sentence: Sentence, names: frozenset[str]) -> bool:
    """Say whether a sentence is tied to the stack: an entity, a number, a citation or a causal relation."""
    words = sentence.words
    if any(word == CITED or word in names or number(word) is not None for word in words):
        return True
    if any(word.endswith("s") and word[:-1] in names for word in words):
        return True
    return CAUSAL.search(" ".join(words)) is not None


def is_fragment(sentence: Sentence) -> bool:
    """Say whether a sentence is a short note without the form of a sentence, as in `Classic unit mismatch`."""
    said = [word for word in sentence.words if word[0].isalnum()]
    # A few words name something; more of them need a joining word, or they are a list.
    joined = len(said) <= FRAGMENT // 2 or any(word in _FUNCTION or word in _JOINING for word in said)
    return 0 < len(said) <= FRAGMENT and joined and sentence.words.count(",") <= 1 and _misplaced(sentence.words) == 0


def is_terse(sentence: Sentence, names: frozenset[str]) -> bool:
    """Say whether a sentence is a terse technical note: a name of the stack, joining words, and a number or a verb."""
    words = sentence.words
    if not FEWEST_WORDS <= len(words) <= TERSE or words.count(",") > 1 or _misplaced(words):
        return False
    joined = sum(word in _FUNCTION for word in words)
    if not joined or not any(word in names for word in words):
        return False
    if any(number(word) is not None for word in words):
        return True
    # Notes leave articles out and keep conjunctions, so these count here.
    joined += sum(word in _JOINING for word in words)
    spelt = sum(word.isalpha() for word in words)
    return joined >= max(TERSE_JOINED, TERSE_SHARE * spelt) and any(map(is_verb, words))


def _is_heap(sentence: Sentence) -> bool:
    """Say whether words are heaped up.

    They are in alphabetical order, or too many without a mark, a pronoun or a finite verb, or a piece of a sentence that
    is too long and has too few joints.
    """
    spelt = [word for word in sentence.words if word.isalpha()]
    if len(spelt) >= SORTED_FROM:
        in_order = sum(left <= right for left, right in pairwise(spelt))
        if in_order >= SORTED_SHARE * (len(spelt) - 1):
            return True
    if len(spelt) >= LONGEST_LIST and len(spelt) == len(sentence.words) and not any(word in _FINITE for word in spelt):
        return True
    if sentence.whole is None:
        return False
    spelt = [word for word in sentence.whole if word.isalpha()]
    return sum(word in _FUNCTION for word in spelt) < LEAST_FUNCTION[0][1] * len(spelt)


def speaks(sentence: Sentence, citation: Citation | None = None) -> bool:
    """Say whether a sentence says something about its citations, beside the words of the selectors themselves."""
    if not sentence.citations or sentence.kind not in ("prose", "item", "cell") or _is_heap(sentence):
        return False
    cited = {word for each in ([citation] if citation else sentence.citations) for word in tokens(each.selector)}
    return sum(word.isalpha() and word not in cited for word in sentence.words) >= SPOKEN


def mark(document: Document, names: frozenset[str]) -> None:
    """Mark the sentences that can carry a claim.

    An account is told in several sentences, so one that is not tied to the stack itself may lean on the sentence
    before or after it, or on any of the sections that tell the cause, and so may a short note.
    """
    prose = document.prose
    heaps = [_is_heap(sentence) for sentence in prose]
    full = [
        not heap and (reads_as_sentence(sentence) or is_terse(sentence, names))
        for heap, sentence in zip(heaps, prose, strict=True)
    ]
    tied = [grounded(sentence, names) for sentence in prose]
    firm = [whole and bound for whole, bound in zip(full, tied, strict=True)]
    anchored = any(firm[at] or speaks(sentence) for at, sentence in enumerate(prose) if sentence.section in CLAIMING)
    for at, sentence in enumerate(prose):
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(prose)]
        leaning = any(firm[i] for i in beside) or (anchored and sentence.section in CLAIMING)
        note = is_fragment(sentence) and (leaning or (tied[at] and any(map(is_verb, sentence.words)))) and not heaps[at]
        sentence.full = full[at]
        sentence.leans = (
            anchored and sentence.section in CLAIMING and not heaps[at] and len(sentence.words) <= LONGEST_NOTE
        )
        sentence.carries = firm[at] or (full[at] and leaning) or note
