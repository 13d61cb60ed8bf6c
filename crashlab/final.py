"""The result that counts: the automatic verdict, what a judge advised, and an instructor's last word, all of them kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from crashlab import store
from crashlab.errors import UsageError
from crashlab.judge import Advice
from crashlab.model import Bundle, Frozen, Identifier, Verdict

OVERRIDES, ADVICE, FINAL = "overrides.json", "advice.json", "final.json"
"""Files beside a bundle and its verdict."""
HALF = 0.5
"""Share of its points from which an overridden cause or evidence meets its gate."""


class Override(Frozen):
    """An instructor's value for one item. `automatic` is the grader's at that time, None where it gave none."""

    item: Identifier
    points: float
    automatic: float | None
    author: str
    reason: str
    at: datetime


class Overrides(Frozen):
    """Every override of one submission in the order in which they were made; the last of an item counts."""

    version: Literal[1] = 1
    entries: tuple[Override, ...] = ()


class Final(Frozen):
    """The result of one submission. `score` and `passed` count; the automatic ones are in `verdict`."""

    version: Literal[1] = 1
    incident: str
    author: str
    received_at: datetime
    verdict: Verdict
    overrides: tuple[Override, ...] = ()
    advice: Advice | None = None
    score: float
    passed: bool


def override(folder: Path, item: str, points: float, author: str, reason: str) -> Override:
    """Record an override beside a graded bundle. Raises UsageError for an unknown item, points or an empty reason."""
    verdict = store.read(folder / "verdict.json", Verdict)
    known = {each.id: each for each in verdict.items if each.max_points > 0}
    if item not in known:
        raise UsageError(f"There is no item {item!r}.", f"Items: {', '.join(known)}.")
    most = known[item].max_points
    if not 0 <= points <= most:
        raise UsageError(f"{item} has between 0 and {most:g} points.", f"You gave {points:g}.")
    if not author.strip() or not reason.strip():
        raise UsageError(
            "An override needs an author and a reason.", "Give --author and --reason; the learner reads both."
        )
    path = folder / OVERRIDES
    before = store.read(path, Overrides) if path.is_file() else Overrides()
    entry = Override(
        item=item,
        points=points,
        automatic=known[item].points,
        author=author.strip(),
        reason=reason.strip(),
        at=datetime.now(UTC),
    )
    store.write(path, Overrides(entries=(*before.entries, entry)))
    return entry


def result(folder: Path) -> Final:
    """Put bundle, verdict, advice and overrides of one submission together. Raises StateError where one is damaged."""
    bundle = store.read(folder / "bundle.json", Bundle)
    verdict = store.read(folder / "verdict.json", Verdict)
    entries = store.read(folder / OVERRIDES, Overrides).entries if (folder / OVERRIDES).is_file() else ()
    advice = store.read(folder / ADVICE, Advice) if (folder / ADVICE).is_file() else None
    return combine(bundle, verdict, entries, advice)


def combine(bundle: Bundle, verdict: Verdict, entries: tuple[Override, ...], advice: Advice | None) -> Final:
    """Compute the score that counts: overridden items replace automatic ones, then advice is added within its bounds.

    A pass needs what it always needs. An overridden cause or evidence meets its gate with half of its points, an
    overridden check of the fix with all of them; once every check of the fix is met, those that waited for the others
    count in full.
    """
    import grader
    from crashlab.judge import bounded
    from grader.scoring import PASS_SCORE

    last = {entry.item: entry for entry in entries}
    score, passed = verdict.score, verdict.passed
    if last:
        points = {each.id: each.points for each in verdict.items}
        most = {each.id: each.max_points for each in verdict.items}
        points |= {name: entry.points for name, entry in last.items()}
        gates = grader.gates(bundle)
        for name in ("cause", "evidence"):
            if name in last:
                gates[name] = last[name].points >= HALF * most[name]
        fixes = [each for each in verdict.items if each.id.startswith("fix-")]
        gates["fix"] = all(
            last[each.id].points >= each.max_points if each.id in last else each.status in ("passed", "partial")
            for each in fixes
        )
        if gates["fix"]:
            points |= {each.id: each.max_points for each in fixes if each.id not in last}
        score = round(min(100.0, max(0.0, sum(value or 0.0 for value in points.values()))), 2)
        passed = score >= PASS_SCORE and all(gates.values())
    if advice is not None and not advice.failure:
        corrected = verdict.model_copy(update={"score": score})
        # Advice on an item that an instructor has spoken about is moot.
        wished = sum(each.points for each in advice.opinions if each.item not in last)
        score = round(score + bounded(wished, corrected, PASS_SCORE), 2)
    return Final(
        incident=bundle.incident,
        author=bundle.submission.author,
        received_at=bundle.submission.received_at,
        verdict=verdict,
        overrides=entries,
        advice=advice,
        score=score,
        passed=passed,
    )


def keep(folder: Path) -> Final:
    """Compute the result of one submission and write it beside its verdict."""
    final = result(folder)
    store.write(folder / FINAL, final)
    return final


def summary(final: Final) -> dict[str, object]:
    """Return what counts and what was automatic, for a JSON document."""
    return {
        "score": final.score,
        "passed": final.passed,
        "automatic_score": final.verdict.score,
        "automatic_passed": final.verdict.passed,
        "overrides": [entry.model_dump(mode="json") for entry in final.overrides],
        "advice": final.advice.model_dump(mode="json") if final.advice else None,
    }


def lines(final: Final) -> list[str]:
    """Say in short lines what overrides and advice did; nothing where there are none."""
    said = []
    for entry in final.overrides:
        was = "not graded" if entry.automatic is None else f"{entry.automatic:g}"
        said.append(f"{entry.item}: {entry.points:g} instead of {was}, by {entry.author}: {entry.reason}")
    if final.advice is not None:
        if final.advice.failure:
            said.append(f"Judge: not graded. {final.advice.failure}")
        for opinion in final.advice.opinions if not final.advice.failure else ():
            what = opinion.answer or opinion.status
            quote = f" “{opinion.quote}”" if opinion.quote else ""
            said.append(f"Judge on {opinion.item}: {what} ({opinion.points:+g}){quote} {opinion.reason}".rstrip())
    if said:
        word = "passed" if final.passed else "not passed"
        said.append(f"Result: {final.score:g} points, {word} (automatic: {final.verdict.score:g}).")
    return said
