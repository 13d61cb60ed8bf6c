"""Subtracting what the learner was given: the template, the brief, the taxonomy's and the glossary's definitions.

A sentence is borrowed when most of its four-word shingles stand in a given text, or when it nearly repeats one of the
given sentences (a normalised edit similarity of at least 0.9).
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from crashlab.model import Bundle
from grader import causes, skeleton, terms
from grader.reader import Document, tokens

SHINGLE = 4
SHARE = 0.6
NEAR = 90.0
ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget) (?:all |any |the |your |every )*(?:previous|prior|above|earlier|instructions?|rubric|rules)\b|"
    r"\b(?:award|give|grant|assign)\b.{0,40}\b(?:points|marks|score|grade)\b|\bfull (?:marks|points|score)\b|"
    r"\b(?:system|assistant|grader|judge|examiner)\s*:|\byou are (?:a|an|the) (?:grader|judge|assistant|examiner|language model)\b|"
    r"\b(?:dear|attention|note to) (?:grader|judge|examiner)\b|\bpassed\s*=\s*true\b",
    re.IGNORECASE,
)
"""Sentences that speak to whoever grades them instead of about the incident."""
_MARKS = frozenset("?;:,()§%") | {"--", "\u2014", "->", "\u2192"}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in tokens(text) if word not in _MARKS)


def _shingles(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[at : at + SHINGLE] for at in range(len(words) - SHINGLE + 1)}


@lru_cache(maxsize=1)
def _public() -> tuple[tuple[str, ...], ...]:
    taxonomy = causes.load()
    said = [cause.definition for cause in taxonomy.causes]
    said += [component.title for component in taxonomy.components]
    said += [entry.definition for entry in terms.load()]
    said += skeleton.sentences()
    return tuple(_words(text) for text in said)


def _given(bundle: Bundle) -> Iterable[str]:
    from grader.reader import read

    brief = bundle.brief
    yield from (brief.title, brief.objective, brief.onset_hint)
    yield from (alert.summary for alert in brief.alerts)
    yield from (change.summary for change in brief.timeline)
    yield from (sentence.text for sentence in read(bundle.template).sentences)


def mark(document: Document, bundle: Bundle | None = None) -> None:
    """Mark the sentences of a document that are not the learner's own."""
    from rapidfuzz import fuzz, process

    given = [words for words in (*_public(), *(_words(text) for text in (_given(bundle) if bundle else ()))) if words]
    shingles = {shingle for words in given for shingle in _shingles(words)}
    whole = {words for words in given if len(words) > 1}
    lines = [" ".join(words) for words in given if len(words) >= SHINGLE]
    for sentence in document.sentences:
        if sentence.kind not in ("prose", "item", "cell"):
            continue
        words = tuple(word for word in sentence.words if word not in _MARKS)
        mine = _shingles(words)
        if ORDERS.search(sentence.text) or words in whole or (mine and len(mine & shingles) / len(mine) >= SHARE):
            sentence.borrowed = True
        elif len(words) >= SHINGLE and not sentence.citations:
            near = process.extractOne(" ".join(words), lines, scorer=fuzz.ratio, score_cutoff=NEAR)
            sentence.borrowed = near is not None
