"""The whole grade: `30·C·(0.4 + 0.6·G) + 10·Loc + 10·Mech + 15·Ev + 5·Disc + 20·Fix + 5·Prev + 5·Form` less hints."""

import re
from dataclasses import dataclass

from crashlab.model import Bundle, Item, Verdict
from grader import borrowed, causes, diagnosis, form, repair, support, told
from grader.claim import Reading, read_claim
from grader.diagnosis import Correctness
from grader.mechanism import Account, read_mechanism, stands_for_cause
from grader.postmortem import Claim, Malformed, Postmortem, parse_text
from grader.proof import Proof, examine
from grader.prosefacts import wrong_numbers
from grader.reader import Document, read
from grader.support import entities, shuffled
from grader.text import one_line

PASS_SCORE = 70.0
PASS_CAUSE = 0.5
EVIDENCE = 15.0
"""Points of true, relevant evidence."""
SHORT = 3
"""Letters of a word that is too short to give anything away."""
LINES = (
    ("cause", "Cause", 30.0), ("component", "Component", 5.0), ("object", "Object", 5.0), ("mechanism", "Mechanism", 10.0),
    ("evidence", "Evidence", 15.0), ("discriminator", "Evidence that decides", 5.0),
    *((name, title, points) for name, title, points, _ in repair.CHECKS),
    ("prevention", "Actions that can be checked", 5.0),
    ("impact", "Impact with a number and a window", 1.0), ("timeline", "Timeline with times", 1.0),
    ("detection", "How it was noticed", 1.0), ("blameless", "No blame", 1.0), ("terms", "Precise terms", 1.0),
)  # fmt: skip
"""Every item that is graded: id, title and points. They sum to 100."""


def grade_bundle(bundle: Bundle) -> Verdict:
    """Grade a bundle. A post-mortem that cannot be read gives a verdict that says so instead of a score."""
    try:
        found = assess(bundle)
    except Malformed as error:
        return _not_graded(bundle, str(error))
    return _grade(found)


def gates(bundle: Bundle) -> dict[str, bool]:
    """Return what a pass needs beside the points: the cause, the evidence and the fix, each met or not."""
    try:
        found = assess(bundle)
    except Malformed:
        return {"cause": False, "evidence": False, "fix": False}
    return {"cause": found.diagnosed, "evidence": found.evidenced, "fix": repair.items(bundle)[1]}


def _not_graded(bundle: Bundle, reason: str) -> Verdict:
    items = tuple(Item(id=i, title=t, status="not graded", points=None, max_points=p) for i, t, p in LINES)
    return Verdict(
        incident=bundle.incident,
        scenario=bundle.truth.scenario,
        graded=False,
        reason=reason,
        score=0.0,
        passed=False,
        items=items,
    )


@dataclass(frozen=True)
class Assessment:
    """What was made of a post-mortem before points are given: claim, reading, correctness, mechanism and evidence.

    `bundle` is the one that was read, with its truth as this account leads it.
    """

    bundle: Bundle
    postmortem: Postmortem
    document: Document
    names: frozenset[str]
    reading: Reading
    right: Correctness
    account: Account
    proof: Proof

    @property
    def claim(self) -> Claim:
        """What the front matter declares."""
        return self.postmortem.claim

    @property
    def diagnosed(self) -> bool:
        """Whether the cause itself, and every cause that acted with it, is declared, asserted and committed to."""
        return self.right.distance == 1 and self.right.complete == 1 and self.right.value >= PASS_CAUSE

    @property
    def evidenced(self) -> bool:
        """Whether the evidence is enough for a pass."""
        return self.proof.enough


def assess(bundle: Bundle) -> Assessment:
    """Read a bundle's post-mortem against its truth. Raises `grader.postmortem.Malformed`."""
    postmortem = parse_text(bundle.submission.text)
    document = read(postmortem.body)
    borrowed.mark(document, bundle)
    if shuffled(document.prose):
        for sentence in document.sentences:
            sentence.borrowed = True
    claim = postmortem.claim
    # Two faults at once have no order: the one that the account leads with is held to the main items.
    bundle = bundle.model_copy(update={"truth": bundle.truth.led_by(claim.cause)})
    names = entities(bundle)
    support.mark(document, names)
    account = read_mechanism(document, bundle)
    telling = stands_for_cause(account) if claim.cause == bundle.truth.cause else []
    beside = tuple(item.cause for item in bundle.truth.contributing)
    reading = read_claim(document, claim, telling, beside)
    right = diagnosis.correctness(claim, reading, bundle)
    return Assessment(bundle, postmortem, document, names, reading, right, account, examine(document, bundle))


def _grade(found: Assessment) -> Verdict:
    bundle, claim, document, reading, right = found.bundle, found.claim, found.document, found.reading, found.right
    account, proof, names = found.account, found.proof, found.names
    fixes, fixed = repair.items(bundle)
    items = [
        diagnosis.cause_item(claim, reading, right, proof),
        diagnosis.component_item(claim, bundle, document),
        diagnosis.object_item(claim, bundle, document),
        diagnosis.mechanism_item(account, reading, right),
        *_evidence_items(found),
        *fixes,
        form.prevention(document, names),
        form.impact(document, bundle.brief),
        form.timeline(document),
        form.detection(document),
        form.blameless(document),
        form.terms(document, claim.cause),
    ]
    hints = round(sum(hint.cost for hint in bundle.hints), 2)
    if hints:
        items.append(Item(id="hints", title="Hints taken", status="partial", points=-hints, max_points=0.0))
    unmeasured = sum(item.max_points for item in items if item.points is None)
    score = round(min(100.0, max(0.0, sum(item.points or 0.0 for item in items))), 2)
    # A neighbouring cause may reach 70 points with a good fix, but it is not the cause.
    passed = score >= PASS_SCORE and found.diagnosed and found.evidenced and fixed
    return Verdict(
        incident=bundle.incident,
        scenario=bundle.truth.scenario,
        graded=True,
        score=score,
        max_score=100.0 - unmeasured,
        passed=passed,
        items=tuple(_discreet(item, bundle) for item in items),
        notes=tuple(_notes(found)),
        lacking=() if passed else tuple(told.lacking(found, fixed=fixed, score=score, least=PASS_SCORE)),
    )


MOST_TOLD = 16
"""Citations of which it is said what they show."""
ASK = "Which other cause would show the same facts? Cite one measurement on which the two would differ."


def _evidence_items(found: Assessment) -> list[Item]:
    proof = found.proof
    false, stale, lost = proof.of("false"), proof.of("stale"), proof.of("uncheckable")
    true = proof.of("true")
    observed = f"{len(true)} citations are true ({len(proof.relevant)} of them bear on what happened), "
    observed += f"{len(false)} false, {len(stale)} stale, {len(lost)} uncheckable."
    earned = round(EVIDENCE * proof.quality, 2)
    improve = "Cite three facts that would be different if your diagnosis were wrong, each in a sentence that says what it shows."
    if false:
        improve = "Measure the false ones again and cite what you get."
    elif stale:
        improve = "Cite values from the time of the incident, not from before or after it."
    quoted = (false or stale or [each.checked for each in proof.relevant] or lost)[:2]
    quote = "; ".join(each.citation.raw + (f" ({each.outcome})" if each.outcome != "true" else "") for each in quoted)
    evidence = Item(
        id="evidence",
        title="Evidence",
        status="passed" if earned == EVIDENCE else "partial" if earned else "failed",
        points=earned,
        max_points=EVIDENCE,
        quote=one_line(quote),
        observed=observed,
        improve="" if earned == EVIDENCE else improve,
        details=tuple(told.citations(found.proof, right=found.right.distance == 1)[:MOST_TOLD]),
    )
    deciding = Item(
        id="discriminator",
        title="Evidence that decides",
        status="passed" if proof.discriminating else "failed",
        points=5.0 if proof.discriminating else 0.0,
        max_points=5,
        quote=one_line("; ".join(each.checked.citation.raw for each in proof.deciding[:1])),
        observed="A true citation tells your cause from what looks like it."
        if proof.discriminating
        else "No true citation tells the cause from what looks like it.",
        improve=""
        if proof.discriminating
        else " ".join(filter(None, (ASK, causes.load().deciding_test(found.claim.cause)))),
    )
    return [evidence, deciding]


def _notes(found: Assessment) -> list[str]:
    bundle, document, reading = found.bundle, found.document, found.reading
    notes = [*found.postmortem.questions, *found.postmortem.notes]
    if document.disguised:
        notes.append(
            f"{document.disguised} disguised characters (invisible, or of another script) were read as what they look like."
        )
    if document.cut:
        notes.append("The post-mortem is very long; only its beginning was read.")
    if any(sentence.borrowed for sentence in document.sentences):
        notes.append("Sentences of the template, the brief or the reference pages earn nothing.")
    notes += [
        f"This sentence claims another cause than the declared one: “{one_line(sentence.text, 160)}”"
        for sentence in list(reading.others.values())[:3]
    ]
    notes += [f"{what}: “{one_line(sentence.text, 160)}”" for what, sentence in wrong_numbers(document, bundle)[:5]]
    return notes


def _discreet(item: Item, bundle: Bundle) -> Item:
    """Make sure that the grader's own words name nothing of the truth; the learner's quoted words may."""
    truth = bundle.truth
    if not truth.needs_change:
        return item
    secret = {truth.cause, truth.component, truth.object, *truth.object_aliases}
    for second in truth.contributing:
        secret |= {second.cause, second.component, second.object, *second.object_aliases}
    secret |= {value for value in truth.parameters.values() if isinstance(value, str)}
    secret |= {str(value) for value in truth.parameters.values() if isinstance(value, float) and value != int(value)}
    words = [
        re.escape(word)
        for word in sorted(secret)
        if len(word) > SHORT and word not in ("none", "no-fault", "monitoring")
    ]
    if not words:
        return item
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(words)})(?![\w.])", re.IGNORECASE)
    if not (pattern.search(item.observed) or (pattern.search(item.improve) and item.id != "terms")):
        return item
    return item.model_copy(
        update={"observed": pattern.sub("…", item.observed), "improve": pattern.sub("…", item.improve)}
    )
