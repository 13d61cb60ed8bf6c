"""The items of the diagnosis: cause, component, object and mechanism, with feedback that gives nothing away."""

import re
from dataclasses import dataclass

from crashlab.model import Bundle, Item, ItemStatus
from grader import causes
from grader.claim import Reading
from grader.mechanism import Account
from grader.postmortem import Claim
from grader.proof import Proof
from grader.reader import Document, Sentence, stems, tokens
from grader.text import one_line

UNSUPPORTED = 0.4
"""What is left of a cause that the prose does not assert, or contradicts."""
HEDGE_COST, HEDGE_FLOOR = 0.15, 0.5
LEADING = 5
"""Letters from which on the first word of a name such as `distance_km` stands for it in prose."""
SIMILAR = 88.0
"""Similarity from which on a misspelt object is the object."""


@dataclass(frozen=True)
class Correctness:
    """`C = T * S * h * n / (1 + w)`, each factor between 0 and 1 but w, the number of other causes claimed.

    `complete` is n, the share of the true causes that the front matter declares: 1 where there is one.
    """

    distance: float
    support: float
    doubt: float
    others: int
    complete: float = 1.0

    @property
    def value(self) -> float:
        """The product."""
        return round(self.distance * self.support * self.doubt * self.complete / (1 + self.others), 4)


def correctness(claim: Claim, reading: Reading, bundle: Bundle) -> Correctness:
    """How right the claimed cause is. Beyond one hop nothing is."""
    hops = causes.load().hops(claim.cause, bundle.truth.cause) if claim.cause else 2
    distance = {0: 1.0, 1: 0.5}.get(hops, 0.0)
    doubt = min(1.0, max(HEDGE_FLOOR, 1 - HEDGE_COST * (reading.hedges - 1)))
    declared = (1 + len(reading.found)) / (1 + len(bundle.truth.contributing))
    return Correctness(distance, 1.0 if reading.supported else UNSUPPORTED, doubt, reading.other_count, declared)


def _grade(earned: float, most: float) -> ItemStatus:
    return "passed" if earned >= 0.995 * most else "partial" if earned > 0 else "failed"


def cause_item(claim: Claim, reading: Reading, right: Correctness, proof: Proof) -> Item:
    """The cause: `30 * C * (0.4 + 0.6 * G)` with `G = min(1, evidence + discriminator)`."""
    known = min(1.0, proof.quality + proof.discriminating)
    earned = round(30 * right.value * (0.4 + 0.6 * known), 2)
    quote = f"cause: {claim.cause}" if claim.cause else ""
    if reading.denied and not reading.supported:
        quote = one_line(reading.denied[0].text)
    elif reading.support:
        quote = one_line(reading.support[0].text)
    return Item(
        id="cause",
        title="Cause",
        status=_grade(earned, 30),
        points=earned,
        max_points=30,
        quote=quote,
        observed=_claimed(claim, reading),
        improve="" if earned >= 29.8 else _advise(claim, reading, right, known),  # noqa: PLR2004
    )


def _claimed(claim: Claim, reading: Reading) -> str:
    if not claim.cause:
        return "The front matter declares no cause."
    said = "The prose asserts the declared cause" if reading.support else "The prose does not assert the declared cause"
    if reading.denied and not reading.supported:
        said = f"The prose denies the declared cause{' as often as it asserts it' if reading.support else ''}"
    more = f", and {reading.other_count} other cause(s) are claimed beside it." if reading.other_count else "."
    return said + more


def _advise(claim: Claim, reading: Reading, right: Correctness, known: float) -> str:  # noqa: PLR0911 one reason after the other
    if not claim.cause:
        return "Declare the one cause that your evidence bears out; `crashlab taxonomy` lists the ids."
    if right.distance == 0:
        return "If this were the cause, which facts would differ from the healthy system? Measure them, and one that would not."
    if right.others:
        return "Commit yourself to one cause, and say by what measurement you excluded the others."
    if reading.denied:
        return "The prose denies what the front matter declares. Make both say the same."
    if reading.reversed:
        return "Which came first, and which followed? Put cause and effect in that order."
    if right.support < 1:
        return "State the declared cause in a full sentence of the root cause, with its object or a measured number."
    if right.complete < 1:
        return "Does this one cause explain every alert, and every fact that differs from the healthy system?"
    if right.distance < 1:
        return "What else would show the same facts? Look for the one measurement that tells your cause from its neighbours."
    if right.doubt < 1:
        return "Replace supposition by a measurement."
    return "The diagnosis needs more evidence." if known < 1 else "Tie the claim closer to what you measured."


def component_item(claim: Claim, bundle: Bundle, document: Document) -> Item:
    """The component: in full where prose names it or the object, half where only the front matter does."""
    truth = bundle.truth
    right = claim.component == truth.component or (
        truth.cause == "no-fault" and claim.component in ("none", "monitoring")
    )
    component = next((each for each in causes.load().components if each.id == truth.component), None)
    phrases = (*(component.names if component else ()), truth.object, *truth.object_aliases)
    sentence = _names_any(phrases, document) if right else None
    free = truth.component == "none" and bool(document.prose)
    earned = (5.0 if sentence or free else 2.5) if right else 0.0
    quote = f"component: {claim.component}" if claim.component else ""
    improve = (
        "Say in the prose where in the system the cause sits."
        if right
        else "Which part has to change for the cause to go, and not only the symptom?"
    )
    return Item(
        id="component",
        title="Component",
        status=_grade(earned, 5),
        points=earned,
        max_points=5,
        quote=one_line(sentence.text) if sentence else quote,
        observed="",
        improve="" if earned == 5 else improve,  # noqa: PLR2004
    )


def object_item(claim: Claim, bundle: Bundle, document: Document) -> Item:
    """The object: the one feature, file, package or alias; in full where the prose names it too."""
    truth = bundle.truth
    nothing = truth.component == "none" or truth.object.lower() in ("", "none")
    right = same_object(claim.object, (truth.object, *truth.object_aliases)) or (
        nothing and claim.object.lower() in ("", "none", "-")
    )
    right = right and bool(claim.cause or claim.component or claim.object)
    sentence = _names_any((truth.object, *truth.object_aliases), document) if right and not nothing else None
    spoken = sentence is not None or (nothing and any(s.carries for s in document.prose))
    earned = (5.0 if spoken else 2.5) if right else 0.0
    improve = (
        "Name the object in the prose as well."
        if right
        else "Which single feature, file, package or alias would you change, and nothing else?"
    )
    return Item(
        id="object",
        title="Object",
        status=_grade(earned, 5),
        points=earned,
        max_points=5,
        quote=one_line(sentence.text) if sentence else (f"object: {claim.object}" if claim.object else ""),
        improve="" if earned == 5 else improve,  # noqa: PLR2004
    )


def _names_any(phrases: tuple[str, ...], document: Document) -> Sentence | None:
    wanted = [variant for phrase in phrases for variant in variants(phrase)]
    for sentence in document.prose:
        if not sentence.carries:
            continue
        text = f" {' '.join(sentence.words)} "
        folded = f" {' '.join(stems(sentence.words))} "
        if any(f" {variant} " in text or f" {' '.join(stems(variant.split()))} " in folded for variant in wanted):
            return sentence
    return None


def variants(name: str) -> list[str]:
    """Ways in which prose may write an object: as it is, its last path component, and words instead of underscores."""
    base = name.strip().lower()
    found = [
        *([base.split("_", 1)[0]] if "_" in base and base.index("_") >= LEADING else []),
        " ".join(tokens(base)),
        " ".join(tokens(base.rsplit("/", 1)[-1])),
        " ".join(base.replace("_", " ").split()),
    ]
    return [each for each in dict.fromkeys(found) if each]


def same_object(said: str, right: tuple[str, ...]) -> bool:
    """Say whether the claimed object is one of the right names: path, case, separators and a typing error forgiven."""
    from rapidfuzz import fuzz

    mine = _bare(said)
    if len(mine) < 2:  # noqa: PLR2004 - one letter names nothing
        return False
    for name in right:
        for option in (name, name.rsplit("/", 1)[-1]):
            want = _bare(option)
            if mine == want or _bare(said.rsplit("/", 1)[-1]) == want:
                return True
            if len(want) >= 6 and fuzz.ratio(mine, want) >= SIMILAR:  # noqa: PLR2004 - short names differ by a letter
                return True
    named = {_bare(part) for part in re.split(r"[\s,;()]+", said)}
    return len(named) <= 4 and any(_bare(name) in named for name in right if len(_bare(name)) > 3)  # noqa: PLR2004


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower().removesuffix("()"))


def mechanism_item(account: Account, reading: Reading, right: Correctness) -> Item:
    """The mechanism: its concepts in asserting sentences, halved where cause and effect are exchanged."""
    share = account.share * (0.5 if reading.reversed else 1.0)
    # Words of the mechanism beside another cause explain nothing.
    share *= 1.0 if right.distance == 1 else 0.5 if right.distance else 0.0
    denied = bool(reading.denied) and not reading.supported
    share *= 0.0 if denied else 1.0
    earned = round(10 * share, 2)
    sentence = account.sentences[0] if account.sentences and share else None
    improve = "Tell the whole way from the origin to the symptom: what did each side do, with which values?"
    return Item(
        id="mechanism",
        title="Mechanism",
        status=_grade(earned, 10),
        points=earned,
        max_points=10,
        quote=one_line(sentence.text) if sentence else "",
        observed=""
        if share >= 1
        else "An account whose cause is denied tells no mechanism."
        if denied
        else "Parts of the mechanism are missing or not asserted."
        if share
        else "No mechanism is asserted.",
        improve="" if share >= 1 else improve,
    )
