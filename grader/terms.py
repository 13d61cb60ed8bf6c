"""The glossary: what the field's terms mean, what else they are called, and what they are confused with."""

import tomllib
from functools import cache

from crashlab.model import Frozen
from grader import resources


class Entry(Frozen):
    """One term. `synonyms` are accepted for it; `confused_with` are near misses that mean something else."""

    term: str
    definition: str
    synonyms: tuple[str, ...] = ()
    confused_with: tuple[str, ...] = ()
    source: str


@cache
def load() -> tuple[Entry, ...]:
    """Read the glossary that ships with the grader, in alphabetical order."""
    text = resources.read("glossary.toml")
    entries = [Entry.model_validate(entry) for entry in tomllib.loads(text)["terms"]]
    return tuple(sorted(entries, key=lambda entry: entry.term.lower()))


def find(term: str) -> Entry | None:
    """Return the entry of a term or of one of its synonyms, whatever the case; None where there is none."""
    wanted = term.strip().lower()
    for entry in load():
        if wanted in (entry.term.lower(), *(synonym.lower() for synonym in entry.synonyms)):
            return entry
    return None
