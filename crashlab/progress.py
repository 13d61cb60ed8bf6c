"""A learner's record over the incidents of a state folder: what was solved, how, and what to practise next.

Only incidents that are over count: while one is open, nothing here may say what it is about.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import grader
from crashlab import scenario
from crashlab.errors import CrashlabError
from crashlab.incident import Incident, identifiers
from crashlab.model import Frozen, Identifier
from crashlab.scenario import Scenario
from crashlab.settings import Settings

SUGGESTIONS = 3
"""Most things to practise next."""


class Misconception(Frozen):
    """A cause that was taken for another one, and how often."""

    claimed: Identifier
    actual: Identifier
    times: int


class Tried(Frozen):
    """One incident that is over. `minutes` run from the page to the submission that passed."""

    incident: str
    scenario: Identifier
    level: int
    family: Identifier
    blind: bool
    started: datetime
    solved: bool
    score: float | None
    minutes: float | None
    attempts: int
    hints: int
    hint_cost: float
    wrong: tuple[tuple[Identifier, Identifier], ...]
    """Causes that were claimed and were not it, each with one that was."""


class Suggestion(Frozen):
    """What to practise, why, and the command that starts it."""

    why: str
    command: str


class Progress(Frozen):
    """The record."""

    tried: tuple[Tried, ...]
    open: int
    """Incidents that are not over."""
    misconceptions: tuple[Misconception, ...]
    solved_by_family: dict[str, tuple[int, int]]
    """Solved and tried incidents of each family of the catalogue."""
    next: tuple[Suggestion, ...]


def read(settings: Settings) -> Progress:
    """Read every incident of the state folder. One that cannot be read is left out."""
    known = scenario.catalogue(settings.scenarios)
    tried: list[Tried] = []
    unfinished = 0
    for identifier in identifiers(settings):
        try:
            one = Incident(settings, identifier)
            if not one.over:
                unfinished += 1
                continue
            tried.append(_tried(one, known))
        except CrashlabError:
            continue
    return summarise(tried, known, unfinished)


def _tried(one: Incident, known: Sequence[Scenario]) -> Tried:
    record, truth = one.record, one.sealed.truth
    family = next((item.family for item in known if item.name == truth.scenario), "unknown")
    passed = next((attempt for attempt in record.attempts if attempt.passed), None)
    scores = [attempt.score for attempt in record.attempts if attempt.score is not None]
    actual = tuple(fault.cause for fault in truth.faults)
    wrong = []
    for attempt in record.attempts:
        path = one.paths.attempt(attempt.number) / "postmortem.md"
        claimed = claim(path.read_text(encoding="utf-8")) if path.is_file() else ""
        if claimed and claimed not in actual:
            wrong.append((claimed, actual[0]))
    minutes = (passed.received_at - record.created_at).total_seconds() / 60 if passed else None
    return Tried(
        incident=record.id,
        scenario=truth.scenario,
        level=record.level,
        family=family,
        blind=record.blind,
        started=record.created_at,
        solved=passed is not None,
        score=max(scores, default=None),
        minutes=round(minutes, 1) if minutes is not None else None,
        attempts=len(record.attempts),
        hints=len(record.hints),
        hint_cost=sum(hint.cost for hint in record.hints),
        wrong=tuple(wrong),
    )


def claim(text: str) -> str:
    """Return the cause that a post-mortem declares; empty where it declares none or cannot be read."""
    try:
        return str(grader.parse(text).claim.cause)
    except ValueError:
        return ""


def summarise(tried: Sequence[Tried], known: Sequence[Scenario], unfinished: int = 0) -> Progress:
    """Sum up incidents that are over, and propose what to practise."""
    counts = Counter(pair for one in tried for pair in one.wrong)
    families = dict.fromkeys(item.family for item in known)
    return Progress(
        tried=tuple(tried),
        open=unfinished,
        misconceptions=tuple(
            Misconception(claimed=claimed, actual=actual, times=times)
            for (claimed, actual), times in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ),
        solved_by_family={
            family: (sum(one.solved for one in _of(tried, family)), len(_of(tried, family))) for family in families
        },
        next=tuple(_suggest(tried, known, counts))[:SUGGESTIONS],
    )


def _of(tried: Iterable[Tried], family: str) -> list[Tried]:
    return [one for one in tried if one.family == family]


def _easiest(item: Scenario) -> tuple[bool, int]:
    return not item.proved, item.level


def _suggest(
    tried: Sequence[Tried], known: Sequence[Scenario], counts: Counter[tuple[str, str]]
) -> Iterable[Suggestion]:
    """Yield proposals, the most useful first: what was confused, what is new, what is harder.

    A draft is proposed only where no proved scenario looks the same.
    """
    proved = [item for item in known if item.proved]
    titles = {cause.id: cause.title.lower() for cause in grader.taxonomy().causes}
    solved = {one.scenario for one in tried if one.solved}
    for (claimed, actual), times in counts.most_common():
        missed = {one.scenario for one in tried if (claimed, actual) in one.wrong}
        groups = {item.looks_like for item in known if item.name in missed}
        alike = sorted((i for i in known if i.looks_like in groups and i.name not in solved), key=_easiest)
        if alike:
            drawn = "" if alike[0].proved else " --drafts"
            often = "once" if times == 1 else f"{times} times"
            yield Suggestion(
                why=f"You took {titles.get(actual, actual)} for {titles.get(claimed, claimed)} {often}; here is another "
                "incident that looks the same. Find the one measurement that tells the two apart.",
                command=f"crashlab start --blind --family {alike[0].family} --level {alike[0].level}{drawn}",
            )
    for family in dict.fromkeys(item.family for item in sorted(proved, key=_easiest)):
        if not _of(tried, family):
            level = min(item.level for item in proved if item.family == family)
            yield Suggestion(
                why=f"Nothing of the family {family} yet.",
                command=f"crashlab start --blind --family {family} --level {level}",
            )
    clean = [one.level for one in tried if one.solved and not one.hints]
    above = sorted({item.level for item in proved if item.name not in solved and item.level > max(clean, default=0)})
    if clean and above:
        yield Suggestion(
            why=f"You solved level {max(clean)} without a hint.", command=f"crashlab start --blind --level {above[0]}"
        )
    helped = sorted((one for one in tried if one.solved and one.hints), key=lambda one: -one.hint_cost)
    for one in helped[:1]:
        yield Suggestion(
            why=f"{one.scenario} took {one.hints} hints; another seed of it shows whether it stuck.",
            command=f"crashlab start {one.scenario}",
        )
    if not tried:
        yield Suggestion(why="An easy one to begin with.", command="crashlab start --blind --level 2")
    else:
        yield Suggestion(why="Anything, as it comes on call.", command="crashlab start --blind --mix on-call")
