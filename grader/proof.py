"""Evidence: how well the citations bear the diagnosis out, and whether one tells it from its look-alikes."""

from dataclasses import dataclass

from crashlab.model import Bundle
from grader import citations
from grader.citations import Checked
from grader.reader import Document
from grader.support import speaks

ENOUGH = 3
"""Distinct true citations that support the diagnosis in full."""
FALSE_COST = 0.34
STALE_COST = 0.2
MANY = 15
"""Citations from which on each further one dilutes; at twice as many nothing is left."""
BARE = 0.5
"""Weight of a citation that no sentence speaks about."""


@dataclass(frozen=True)
class Proof:
    """Every citation checked, and the two grades between 0 and 1 that follow from them."""

    checked: tuple[Checked, ...]
    quality: float
    discriminating: bool
    relevant: tuple[Checked, ...]

    deciding: tuple[Checked, ...] = ()
    """Those among the relevant ones that tell the cause from its look-alikes."""

    def of(self, outcome: str) -> list[Checked]:
        """Citations with one outcome."""
        return [each for each in self.checked if each.outcome == outcome]


def relevant(key: str, bundle: Bundle) -> bool:
    """Say whether a fact bears on the diagnosis: the rubric names it, or, without a rubric, it changed."""
    patterns = (*bundle.truth.supporting, *bundle.truth.discriminating)
    if patterns:
        return any(citations.matches(pattern, key) for pattern in patterns)
    before, now = bundle.healthy.facts.get(key), bundle.broken.facts.get(key)
    if isinstance(before, float) and isinstance(now, int | float) and not isinstance(now, bool):
        return not citations.close(key, float(now), before)
    return before != now


def examine(document: Document, bundle: Bundle) -> Proof:
    """Check every citation of a post-mortem."""
    checked: dict[tuple[str, str], Checked] = {}
    weights: dict[tuple[str, str], float] = {}
    for citation, sentence in document.citations:
        found = citations.check(citation, sentence, bundle)
        key = (found.key or citations.normalise(citation.selector), found.outcome)
        spoken = speaks(sentence, citation)
        weights[key] = max(weights.get(key, 0.0), 1.0 if spoken else BARE)
        checked.setdefault(key, found)
    good = {key: each for key, each in checked.items() if each.outcome == "true" and relevant(each.key, bundle)}
    quality = sum(weights[key] for key in good) / ENOUGH
    quality = min(1.0, quality)
    quality -= FALSE_COST * sum(each.outcome == "false" for each in checked.values())
    quality -= STALE_COST * sum(each.outcome == "stale" for each in checked.values())
    written = len(document.citations)
    if written > MANY:
        quality *= max(0.0, 1 - (written - MANY) / MANY)
    deciding = tuple(
        each
        for each in good.values()
        if any(citations.matches(pattern, each.key) for pattern in bundle.truth.discriminating)
    )
    telling = quality > 0 and bool(deciding)
    return Proof(tuple(checked.values()), round(max(0.0, quality), 4), telling, tuple(good.values()), deciding)
