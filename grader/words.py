"""Word lists of the prose reader."""

import tomllib
from functools import cache

from grader import resources


@cache
def load() -> dict[str, dict[str, frozenset[str]]]:
    """Read the word lists that ship with the grader, by part and name."""
    data = tomllib.loads(resources.read("words.toml"))
    return {part: {name: frozenset(text.split()) for name, text in lists.items()} for part, lists in data.items()}
