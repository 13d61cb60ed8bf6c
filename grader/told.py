"""What a verdict says in sentences: what each citation told apart, and what a pass lacks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader import causes
from grader.proof import LEAST, Proof, Shown

if TYPE_CHECKING:
    from grader.scoring import Assessment

MOST_NAMED = 4
"""Look-alikes that are named in one sentence."""


def citations(proof: Proof, *, right: bool) -> list[str]:
    """Say of each citation what it showed. What it excludes is said beside the right cause alone: it would lead to it."""
    said = [f"{each.checked.citation.raw} {_shown(each, right=right)}" for each in proof.shown]
    return said + [
        f"{each.citation.raw} is {each.outcome}: {each.reason}." for each in proof.checked if each.outcome != "true"
    ]


def _shown(each: Shown, *, right: bool) -> str:
    found = each.contrast
    if found.symptom and not each.decides:
        return "repeats what an alert says already: it shows that something is wrong, and not what."
    if found.beside and not each.decides:
        # Beside a wrong cause it would tell which of the things that look wrong are harmless.
        return "is true, and does not bear on what happened." if right else "is true."
    moved = "moved against the healthy system" if found.moved else "is as on healthy days"
    if not right:
        return f"{moved}."
    if each.decides and not found.excludes:
        return f"{moved}, and decides."
    if found.excludes:
        known = causes.load().by_id
        names = [known[cause].title.lower() for cause in found.excludes[:MOST_NAMED] if cause in known]
        more = f" and {len(found.excludes) - MOST_NAMED} more" if len(found.excludes) > MOST_NAMED else ""
        return f"{moved}, which excludes {', '.join(names)}{more}."
    return f"{moved}, as it {'does' if found.moved else 'is'} with every look-alike too." if found.of else f"{moved}."


def lacking(found: "Assessment", *, fixed: bool, score: float, least: float) -> Iterator[str]:
    """Say what a pass lacks, one sentence for each gate that failed."""
    if not found.diagnosed:
        yield f"The diagnosis does not hold: {_undiagnosed(found)}"
    if not found.evidenced:
        proof = found.proof
        if not proof.deciding:
            yield "The evidence does not decide: no true citation tells the cause from most of what looks like it."
        elif len(proof.relevant) < LEAST:
            yield "The evidence is thin: beside the fact that decides, one more has to bear on what happened."
        else:
            yield "The evidence does not hold: false or stale citations outweigh the true ones."
    if not fixed:
        yield "The system is not repaired: see the checks of the fix."
    if score < least:
        yield f"{score:.1f} points are fewer than the {least:g} that a pass needs."


def _undiagnosed(found: "Assessment") -> str:
    """Name the first reason for which a diagnosis does not hold."""
    reading, right = found.reading, found.right
    reasons = (
        (not found.claim.cause, "the front matter declares no cause."),
        (right.distance < 1, "the declared cause is not what these facts come from."),
        (right.complete < 1, "the declared cause does not explain everything that is wrong."),
        (bool(reading.denied) and not reading.supported, "the text denies the cause that the front matter declares."),
        (right.others > 0, "other causes are claimed beside the declared one."),
        (reading.reversed, "cause and effect are exchanged."),
        (right.support < 1, "the text does not tell the declared cause, or does not commit itself to it."),
    )
    return next((why for holds, why in reasons if holds), "the text is full of doubt.")
