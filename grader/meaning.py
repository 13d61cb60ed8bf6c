"""Which sentences of a post-mortem are turned into vectors, and how a vector is kept in a bundle.

The vectors are sentence embeddings (`crashlab.embedding`), made when a submission is frozen and rounded to whole numbers, so that whatever
reads them is the same to the byte anywhere. Nothing reads them yet; see docs/decisions/0013.
"""

import base64
import hashlib
from collections.abc import Sequence

from grader.reader import Document, Sentence

SCALE = 127
"""What a length of one is rounded to."""
TELLING = ("summary", "root cause", "evidence", "detection")
"""Sections that tell what was wrong, in the reports that people write."""
LONGEST = 60
"""Sentences of a report that are turned into vectors; the first ones of the sections that tell the cause."""
SHORTEST = 3
"""Words of a sentence that says something by itself."""


def key(text: str) -> str:
    """Return the name of a sentence's vector in a bundle."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def chosen(document: Document) -> list[Sentence]:
    """Return the sentences whose meaning is asked for, in order."""
    own = [each for each in document.prose if each.section in TELLING and len(each.words) >= SHORTEST]
    rest = [each for each in document.prose if each.section not in TELLING and len(each.words) >= SHORTEST]
    return [*own, *rest][:LONGEST]


def spoken(sentence: Sentence) -> str:
    """Return a sentence as it is turned into a vector: without its citations, which are measured and not read."""
    text = sentence.text
    for citation in sentence.citations:
        text = text.replace(citation.raw, " ")
    return " ".join(text.split())


def packed(vector: Sequence[float]) -> str:
    """Round a vector of length one to whole numbers, and write it as text."""
    return base64.b64encode(bytes(max(-127, min(127, round(x * SCALE))) & 0xFF for x in vector)).decode()
