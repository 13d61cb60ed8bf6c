"""The second reader: what an account is about, by the meaning of its sentences.

The rules of the first reader know causes by their names and phrases, and people tell what happened in words of their own. Here each
sentence is a vector (a sentence embedding, `crashlab.embedding`), made when the submission is frozen, rounded to whole numbers
and kept in the bundle. Everything from there on is arithmetic on whole numbers, so that the same bundle gives the same bytes
anywhere. A bundle without vectors is read by the first reader alone.

Two things are asked of a sentence: which cause it is about, by its nearest prototypes (`prototypes.json`: sentences that tell a cause in
many voices), and what it does (commit itself, leave open, heap up, deny, give up, confess), by a linear classifier over the
vector. Both files are made by `python -m crashlab.meaning_data` from texts of the tuning part; see docs/decisions/0013.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from grader import resources
from grader.reader import Document, Sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.int64]

SIZE = 384
"""Numbers of a vector."""
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


def unpacked(text: str) -> "Vector":
    """Read a vector as `packed` writes it. Raises ValueError where it is none."""
    import numpy as np

    found = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.int8)
    if found.size != SIZE:
        raise ValueError("not a vector")
    return found.astype(np.int64)


@dataclass(frozen=True)
class Heads:
    """The linear classifier of what a sentence does: whole-number weights for each act."""

    acts: tuple[str, ...]
    weights: "Vector"
    offsets: "Vector"


@cache
def _data() -> Mapping[str, Any]:
    return dict(json.loads(resources.read("prototypes.json")))


@cache
def prototypes() -> "tuple[tuple[str, ...], Vector]":
    """Return the causes of all prototypes, and the prototypes themselves, one in each row."""
    import numpy as np

    rows = [(cause, unpacked(text)) for cause, texts in _data()["causes"].items() for text in texts]
    return tuple(cause for cause, _ in rows), np.stack([vector for _, vector in rows])


@cache
def heads() -> Heads:
    """Return the classifier of what a sentence does."""
    import numpy as np

    found = _data()["acts"]
    return Heads(
        tuple(found["names"]), np.array(found["weights"], dtype=np.int64), np.array(found["offsets"], dtype=np.int64)
    )


def similarities(vector: "Vector") -> dict[str, int]:
    """Return how near a sentence is to the nearest prototype of each cause, in units of `SCALE` squared."""
    causes, rows = prototypes()
    found: dict[str, int] = {}
    for cause, value in zip(causes, (rows @ vector).tolist(), strict=True):
        found[cause] = max(found.get(cause, value), value)
    return found


def act(vector: "Vector") -> dict[str, int]:
    """Return the score of each act for a sentence; the highest is what it does."""
    known = heads()
    return dict(zip(known.acts, (known.weights @ vector + known.offsets).tolist(), strict=True))


def vectors(sentences: Iterable[Sentence], stored: Mapping[str, str]) -> "list[tuple[Sentence, Vector]]":
    """Return the sentences that a bundle has vectors of. One that is damaged is left out."""
    found = []
    for sentence in sentences:
        text = stored.get(key(spoken(sentence)))
        if text is None:
            continue
        try:
            found.append((sentence, unpacked(text)))
        except ValueError:
            continue
    return found
