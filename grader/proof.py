"""Evidence: how well the citations bear the diagnosis out, and whether one tells it from its look-alikes."""

from dataclasses import dataclass, replace

from crashlab.model import Bundle
from grader import citations
from grader.citations import Checked
from grader.contrast import Contrast, contrast
from grader.reader import Document
from grader.support import speaks

ENOUGH = 3
"""Distinct true citations that support the diagnosis in full."""
LEAST = 2
"""Of those, what a pass needs: one that decides and one more that bears."""
PASSING = 0.33
"""Quality that a pass needs: that of two facts that no sentence speaks about."""
FALSE_COST = 0.34
STALE_COST = 0.2
MANY = 15
"""Distinct citations from which on each further one dilutes; at twice as many nothing is left."""
BARE = 0.5
"""Weight of a citation that no sentence speaks about."""


@dataclass(frozen=True)
class Shown:
    """One true citation with what it tells apart."""

    checked: Checked
    contrast: Contrast
    decides: bool
    weight: float


@dataclass(frozen=True)
class Proof:
    """Every citation checked, and the two grades between 0 and 1 that follow from them."""

    checked: tuple[Checked, ...]
    shown: tuple[Shown, ...]
    """Distinct true citations."""
    quality: float

    @property
    def relevant(self) -> tuple[Shown, ...]:
        """Those that bear on the diagnosis."""
        return tuple(each for each in self.shown if each.contrast.bears or each.decides)

    @property
    def deciding(self) -> tuple[Shown, ...]:
        """Those that tell the cause from most of its look-alikes."""
        return tuple(each for each in self.shown if each.decides)

    @property
    def discriminating(self) -> bool:
        """Whether one decides, and what is false does not outweigh what is shown."""
        return self.quality > 0 and bool(self.deciding)

    @property
    def enough(self) -> bool:
        """Whether it is enough for a pass: a fact that decides, one more that bears, and little that is false."""
        return self.discriminating and len(self.relevant) >= LEAST and self.quality >= PASSING

    def of(self, outcome: str) -> list[Checked]:
        """Citations with one outcome."""
        return [each for each in self.checked if each.outcome == outcome]


def look(key: str, bundle: Bundle) -> tuple[Contrast, bool]:
    """Say what a fact tells apart, and whether it decides.

    The scenario's own lists add what no table can tell: facts that it was written about.
    """
    truth = bundle.truth
    found = contrast(key, bundle)
    decides = found.decides or any(citations.matches(pattern, key) for pattern in truth.discriminating)
    if not found.bears and (decides or any(citations.matches(pattern, key) for pattern in truth.supporting)):
        found = replace(found, moved=True, beside=False)
    return found, decides


def examine(document: Document, bundle: Bundle) -> Proof:
    """Check every citation of a post-mortem; the same one twice is one."""
    checked: dict[tuple[str, str], Checked] = {}
    weights: dict[tuple[str, str], float] = {}
    for citation, sentence in document.citations:
        found = citations.check(citation, sentence, bundle)
        key = (found.key or citations.normalise(citation.selector), found.outcome)
        spoken = speaks(sentence, citation)
        weights[key] = max(weights.get(key, 0.0), 1.0 if spoken else BARE)
        checked.setdefault(key, found)
    shown = tuple(
        Shown(each, *look(each.key, bundle), weights[key]) for key, each in checked.items() if each.outcome == "true"
    )
    relevant = [each for each in shown if each.contrast.bears or each.decides]
    # However many ways there are to repeat an alert, they say one thing.
    symptoms = [each.weight for each in relevant if each.contrast.symptom and not each.decides]
    weight = sum(each.weight for each in relevant if not each.contrast.symptom or each.decides)
    quality = min(1.0, (weight + max(symptoms, default=0.0)) / ENOUGH)
    quality -= FALSE_COST * sum(each.outcome == "false" for each in checked.values())
    quality -= STALE_COST * sum(each.outcome == "stale" for each in checked.values())
    if len(checked) > MANY:
        quality *= max(0.0, 1 - (len(checked) - MANY) / MANY)
    return Proof(tuple(checked.values()), shown, round(max(0.0, quality), 4))
