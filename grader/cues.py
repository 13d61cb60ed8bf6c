"""The lexicon of denials and suppositions, and how its entries become patterns."""

import re
import tomllib
from functools import cache

from grader import resources

_CLASS = re.compile(r"<(\w+)>")


@cache
def classes() -> dict[str, tuple[str, ...]]:
    """Read the classes of words and phrases that ship with the grader, by name."""
    data = tomllib.loads(resources.read("cues.toml"))
    return {name: tuple(re.split(r",\s+", text.strip())) for part in data.values() for name, text in part.items()}


@cache
def _alternatives(name: str) -> str:
    # The longest first, so that `out of the question` is found before `out`.
    entries = sorted(classes()[name], key=lambda entry: (-len(entry), entry))
    return "(?:" + "|".join(_CLASS.sub(lambda match: _alternatives(match[1]), entry) for entry in entries) + ")"


def pattern(text: str) -> "re.Pattern[str]":
    """Compile a pattern over words joined by single blanks, in which `<name>` is any entry of the class of that name."""
    return re.compile(_CLASS.sub(lambda match: _alternatives(match[1]), text))


def members(name: str) -> frozenset[str]:
    """Return the single words of a class."""
    return frozenset(entry for entry in classes()[name] if " " not in entry)
