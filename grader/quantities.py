"""Numbers in prose with what they count: units, per cent and factors, and the ratio that two of them make.

`a ratio of 1.609`, `0.62 times`, `38 % too short`, `16.1 km arrive as 10` and `1609 m for a kilometre` are the same
finding, so a mechanism's number is looked for among all of the ratios that a sentence states.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from grader.reader import Sentence, number

_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("length", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("length", 1000.0)),
    **dict.fromkeys(("mi", "mile", "miles"), ("length", 1609.344)),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), ("time", 0.001)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("time", 1.0)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), ("time", 60.0)),
    **dict.fromkeys(("h", "hour", "hours", "hrs"), ("time", 3600.0)),
    **dict.fromkeys(("day", "days"), ("time", 86400.0)),
    **dict.fromkeys(("kb",), ("memory", 1e3)),
    **dict.fromkeys(("mb", "mib", "megabyte", "megabytes"), ("memory", 1e6)),
    **dict.fromkeys(("gb", "gib", "gigabyte", "gigabytes"), ("memory", 1e9)),
    **dict.fromkeys(("%", "percent"), ("share", 0.01)),
    **dict.fromkeys(("x", "times", "fold"), ("factor", 1.0)),
}
"""Units as written, with their dimension and their size in its base: metres, seconds, bytes, one."""
_WORDS = {
    "half": 0.5, "twice": 2.0, "double": 2.0, "doubled": 2.0, "tripled": 3.0, "thousandth": 0.001, "tenth": 0.1,
    "thousandfold": 1000.0, "sixtyfold": 60.0, "tenfold": 10.0, "quarter": 0.25, "third": 1 / 3,
}  # fmt: skip
_COUNTS = dict(
    zip("one two three four five six seven eight nine ten eleven twelve".split(), range(1, 13), strict=True)  # noqa: SIM905
)
_LESS = re.compile(
    r"\b(?:less|lower|shorter|smaller|below|short|low|small|under\w*|fewer|down|decreas\w+|shrunk|lost)\b"
)
_MORE = re.compile(r"\b(?:more|higher|longer|larger|above|long|high|large|over\w*|greater|up|increas\w+|grew|bigger)\b")
MOST_PAIRED = 6
"""Numbers of one dimension in a sentence that are still paired; a longer list states no ratio."""


@dataclass(frozen=True)
class Quantity:
    """A number of a sentence. `unit` is as written, `dimension` what it measures, `base` the value in its base unit."""

    value: float
    unit: str
    dimension: str
    base: float


def read(words: Sequence[str]) -> tuple[Quantity, ...]:
    """Return the quantities of a sentence's words, number words up to twelve and `half` or `twice` included."""
    found = []
    for at, word in enumerate(words):
        value = number(word)
        if value is None and word in _WORDS:
            found.append(Quantity(_WORDS[word], word, "factor", _WORDS[word]))
            continue
        if value is None:
            value = _COUNTS.get(word)
        if value is None:
            continue
        follow = words[at + 1] if at + 1 < len(words) else ""
        if follow == "per" and words[at + 2 : at + 3] == ["cent"]:
            follow = "%"
        dimension, size = _UNITS.get(follow, ("", 1.0))
        found.append(Quantity(value, follow if dimension else "", dimension, value * size))
    return tuple(found)


def ratios(sentence: Sentence) -> tuple[float, ...]:
    """Return every ratio that a sentence states: plain numbers, factors, per cent more or less, and quotients of two.

    Two numbers make a quotient where they have the same dimension, or none; the quotient of their written values
    counts beside that of their base values, since `10 miles instead of 10 km` and `16.1 arrives as 10` are both said.
    """
    quantities = read(sentence.words)
    text = " ".join(sentence.words)
    found = [each.value for each in quantities]
    for each in quantities:
        if each.dimension == "share":
            share = each.base
            found.append(share)
            if _LESS.search(text):
                found.append(1 - share)
            if _MORE.search(text):
                found.append(1 + share)
    if len(quantities) <= MOST_PAIRED:
        for one, other in permutations(quantities, 2):
            # The second of two numbers often goes without its unit.
            if other.value and (one.dimension == other.dimension or "" in (one.dimension, other.dimension)):
                found.append(one.value / other.value)
            if other.base and one.dimension == other.dimension and one.dimension:
                found.append(one.base / other.base)
    return tuple(dict.fromkeys(round(value, 9) for value in found))
