"""Answers that took no diagnosis or no repair, on every proved scenario: what the grader must not let through.

Each is handed in with the right fix, so that the writing alone has to fail it, but for the one that lacks the fix.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import grader
from crashlab import verify
from crashlab.model import Bundle
from grader import causes
from grader.scoring import PASS_SCORE
from tests.fast import grader_fixtures as fixtures
from tests.grader import baselines, proved
from tests.grader.attacks import CITATION
from tests.grader.proved import Case

HEADING = "## Answers without a diagnosis or a fix"
RIGHT = "the right answer, with the right fix"
WRITTEN = {"Summary", "Root cause", "Evidence"}
"""Sections that tell the diagnosis."""


NEAR = 10.0
"""Points below the pass mark from which on it is told what else holds an answer back."""


ALIKE = 2
"""Look-alikes whose answer is tried on an incident."""


@dataclass(frozen=True)
class Graded:
    """What one answer to one incident got: points, whether it passes, and what a pass lacks beside points.

    `lacks` is looked up where the points are near the pass mark or beyond it, and is empty for what passes.
    """

    scenario: str
    score: float
    passed: bool
    lacks: tuple[str, ...]


def _blank(case: Case) -> str:
    return grader.template(case.brief)


def _constant(_: Case) -> str:
    head = "cause: covariate-shift\ncomponent: upstream-data\nobject: distance_km"
    return fixtures.postmortem(head, baselines.CONSTANT)


def _every_cause(_: Case) -> str:
    known = causes.load().causes
    head = f"cause: {known[0].id}\ncontributing: [{', '.join(each.id for each in known[1:])}]\ncomponent: serving-code\nobject: everything"
    said = "\n".join(f"The root cause is a {each.title.lower()} in the serving code." for each in known)
    return fixtures.postmortem(head, f"## Root cause\n{said}\n")


def _brief(case: Case) -> str:
    told = case.brief
    lines = [told.title, told.objective, told.onset_hint]
    lines += [f"- {alert.summary} {alert.observed} {alert.unit} since {alert.since}" for alert in told.alerts]
    lines += [f"- {change.at}: {change.summary}" for change in told.timeline]
    pasted = "\n".join(lines)
    return re.sub(r"(## .+\n)", rf"\1\n{pasted}\n".replace("\\n", "\n"), _blank(case))


def _without_citations(case: Case) -> str:
    return CITATION.sub("", case.reference())


def _without_diagnosis(case: Case) -> str:
    """Return the right answer without its claim and without the sections that tell the diagnosis."""
    head, body = case.reference().split("---\n", 2)[1:]
    kept = [part for part in body.split("## ")[1:] if part.split("\n", 1)[0] not in WRITTEN]
    return fixtures.postmortem(
        re.sub(r"(?m)^(cause|component|object):.*$", r"\1:", head), "".join(f"## {p}" for p in kept)
    )


def _look_alikes(case: Case) -> Iterator[Bundle]:
    """Yield the right answers of the two nearest look-alikes, filled with what this incident shows; others with each seed.

    Look-alikes are the proved scenarios that fire one of the same alerts; where there is none, all others.
    """
    others = [each for each in proved.cases() if each.seed == case.seed and each.known.name != case.known.name]
    alike = [each for each in others if set(each.known.alerts) & set(case.known.alerts)]
    near = dict(enumerate(alike or others))

    def distance(at: int) -> tuple[int, int]:
        return grader.hops(near[at].truth.cause, case.truth.cause), (at + case.seed) % len(near)

    for at in sorted(near, key=distance)[:ALIKE]:
        yield case.bundle(case.render(near[at]))


def _alone(make: Callable[[Case], str]) -> Callable[[Case], Iterator[Bundle]]:
    def one(case: Case) -> Iterator[Bundle]:
        yield case.bundle(make(case))

    return one


def _unrepaired(case: Case) -> Iterator[Bundle]:
    # Where nothing is broken, nothing is what there is to do.
    if case.truth.needs_change:
        yield case.bundle(case.reference(), fixed=False)


ANSWERS: dict[str, Callable[[Case], Iterator[Bundle]]] = {
    "the empty template": _alone(_blank),
    "one constant answer: data drift, retrained": _alone(_constant),
    "every cause, listed": _alone(_every_cause),
    "every cause, declared over the right prose": _alone(lambda case: verify.shotgun(case.reference())),
    "the brief, pasted back": _alone(_brief),
    "the right answer to a look-alike, with this one's values": _look_alikes,
    "the right prose without a citation": _alone(_without_citations),
    "the right fix without a diagnosis": _alone(_without_diagnosis),
    "the right diagnosis without a fix": _unrepaired,
    RIGHT: _alone(Case.reference),
}
"""Answers by name; the last one is the right one, to compare with."""


@cache
def graded(name: str) -> tuple[Graded, ...]:
    """Grade an answer to every proved scenario with every seed."""
    return tuple(_graded(case, bundle) for case in proved.cases() for bundle in ANSWERS[name](case))


def _graded(case: Case, bundle: Bundle) -> Graded:
    verdict = grader.grade(bundle)
    near = not verdict.passed and verdict.score >= PASS_SCORE - NEAR
    lacks = tuple(gate for gate, met in grader.gates(bundle).items() if not met) if near else ()
    return Graded(case.known.name, verdict.score, verdict.passed, lacks)


def section() -> str:
    """Return the part of the page that tells of these answers, as Markdown."""
    columns = ("answer", "n", "mean", "most", "pass", f"{PASS_SCORE - NEAR:g} points or more", "held back there by")
    lines = ["| " + " | ".join(columns) + " |", "|---|---:|---:|---:|---:|---:|---|"]
    for name in ANSWERS:
        rows = graded(name)
        near = [row for row in rows if row.lacks]
        held = [gate for gate in ("cause", "evidence", "fix") if any(gate in row.lacks for row in near)]
        cells = (
            name, str(len(rows)), f"{sum(row.score for row in rows) / len(rows):.1f}", f"{max(row.score for row in rows):.1f}",
            f"{sum(row.passed for row in rows)} of {len(rows)}", str(len(near)) if near else "", " or ".join(held),
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    names = sorted({case.known.name for case in proved.cases()})
    told = (
        f"Each answer to {len(names)} proved scenarios ({', '.join(names)}) with {len(proved.SEEDS)} seeds, points out of 100. "
        "All but one come with the right fix, which alone earns 20, so that the writing has to fail them. A pass needs "
        f"{PASS_SCORE:g} points and, whatever the points, the right cause, evidence for it and a fix that works: the last columns say how "
        f"many answers come within {NEAR:g} points of the mark or beyond it, and which of the three they lack. Look-alikes are other proved "
        f"scenarios that fire one of the same alerts, the {ALIKE} with the nearest causes. Where nothing is broken, doing nothing is the fix."
    )
    return "\n\n".join((HEADING, told, "\n".join(lines)))
