"""Finding phrases in sentences: by word stems, with a few words in between and one typing error per long word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from grader.reader import stems, tokens

GAP = 1
"""Words that may stand between two words of a phrase, articles and such aside, as in `mismatch of the distance unit`."""
TYPO_LENGTH = 7
"""Letters from which on a word may hold one typing error; shorter words are too near to each other."""
EXACT = "="
"""Opens a phrase whose words stand side by side, since they are common words otherwise."""
_MARKS = frozenset(("?", ";", ":", "--", "\u2014", ",", "(", ")"))
SKIPPED = frozenset(("the", "a", "an", "of", "is", "was", "are", "were", "to", "in", "on", "at", "for"))
_AUXILIARY = SKIPPED | {"had", "has", "have", "been", "be", "being", "now", "then", "also"}
"""Words that never count as a gap: joining words, and what compound tenses are made of."""


@dataclass(frozen=True)
class Span:
    """Where a phrase stands in a sentence's words: first word and the word after the last."""

    start: int
    end: int


@lru_cache(maxsize=4096)
def compiled(phrase: str) -> tuple[str, ...]:
    """Return the stems of a phrase's words, joining words left out."""
    words = [word for word in tokens(phrase.removeprefix(EXACT)) if word not in _MARKS]
    if phrase.startswith(EXACT):
        return tuple(stems(words))
    core = [word for word in words if word not in SKIPPED] or words
    return tuple(stems(core))


@lru_cache(maxsize=65536)
def alike(left: str, right: str) -> bool:
    """Say whether two stems are the same word, one typing error in a long one allowed."""
    if left == right:
        return True
    if min(len(left), len(right)) < TYPO_LENGTH - 1 or abs(len(left) - len(right)) > 1 or left[0] != right[0]:
        return False
    if not (left.isalpha() and right.isalpha()):
        return False
    from rapidfuzz.distance import OSA

    return OSA.distance(left, right, score_cutoff=1) <= 1


def find(phrase: str, sentence: Sequence[str]) -> list[Span]:
    """Find a phrase in a sentence's stems. Words of the phrase keep their order; `GAP` others may come between."""
    wanted = compiled(phrase)
    if not wanted:
        return []
    found: list[Span] = []
    exact = phrase.startswith(EXACT)
    for start, word in enumerate(sentence):
        if not alike(word, wanted[0]):
            continue
        if exact:
            if tuple(sentence[start : start + len(wanted)]) == wanted:
                found.append(Span(start, start + len(wanted)))
            continue
        end = _match(wanted, sentence, start)
        if end is not None:
            found.append(Span(start, end))
    return found


def _match(wanted: Sequence[str], sentence: Sequence[str], start: int) -> int | None:
    at = start + 1
    for word in wanted[1:]:
        gap = 0
        while at < len(sentence) and not alike(sentence[at], word):
            if sentence[at] not in _AUXILIARY:
                gap += 1
            if sentence[at] in _MARKS or gap > GAP:
                return None
            at += 1
        if at >= len(sentence):
            return None
        at += 1
    return at


def find_any(phrases: Iterable[str], sentence: Sequence[str]) -> list[Span]:
    """Find every place where one of the phrases stands, the longest match first at each place, without overlaps."""
    spans = sorted({span for phrase in phrases for span in find(phrase, sentence)}, key=lambda s: (s.start, -s.end))
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
