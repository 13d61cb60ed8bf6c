"""Grading a folder of frozen bundles again, so that a rubric or the grader can be corrected after the fact.

A correction changes what counts as right (names of the object, phrases of the mechanism, facts that support and
discriminate). What was injected cannot be changed: a truth whose cause, component, object or parameters differ is
another incident.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

import grader
from crashlab import final, store
from crashlab.errors import CrashlabError, UsageError
from crashlab.model import Bundle, Frozen, Truth, Verdict

INJECTED = (
    "scenario",
    "workload",
    "seed",
    "cause",
    "component",
    "object",
    "onset",
    "parameters",
    "needs_change",
)
"""What a truth says about what was done, and a rubric must not touch."""


class Correction(Frozen):
    """Additions to the rubric of one scenario, as a rubric file gives them. Phrases and selectors are added, not replaced.

    `concepts` are further phrases for each group of the mechanism, in the order of the groups.
    """

    object_aliases: tuple[str, ...] = ()
    concepts: tuple[tuple[str, ...], ...] = ()
    supporting: tuple[str, ...] = ()
    discriminating: tuple[str, ...] = ()


class ItemChange(Frozen):
    """One item whose points differ."""

    item: str
    before: float | None
    after: float | None


class Difference(Frozen):
    """One bundle graded again."""

    bundle: str
    incident: str
    author: str
    scenario: str
    before: float | None
    after: float
    passed_before: bool | None
    passed_after: bool
    items: tuple[ItemChange, ...] = ()
    problem: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return bool(self.items) or self.before != self.after or self.passed_before != self.passed_after


class Regrading(Frozen):
    """A difference report over a folder. `written` says whether verdicts were replaced."""

    version: Literal[1] = 1
    folder: str
    written: bool
    differences: tuple[Difference, ...]

    @property
    def changed(self) -> int:
        """Number of bundles with a difference."""
        return sum(each.changed for each in self.differences)


def bundles(folder: Path) -> Iterator[Path]:
    """Yield folders of submissions below `folder`: those that hold a `bundle.json`. Raises UsageError for none."""
    found = sorted(path.parent for path in folder.rglob("bundle.json")) if folder.is_dir() else []
    if not found:
        raise UsageError(f"There is no bundle below {folder}.", "Give the folder that holds incidents or submissions.")
    yield from found


def corrections(path: Path) -> dict[str, Correction]:
    """Read a rubric file: one TOML table per scenario. Raises UsageError with every complaint."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Correction.model_validate(value) for name, value in data.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path.name} cannot be read: {error}.", "A rubric file is TOML, one table per scenario."
        ) from error
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)
        )
        raise UsageError(
            f"{path.name} is not a rubric: {said}.", f"Keys: {', '.join(Correction.model_fields)}."
        ) from error


def corrected(truth: Truth, correction: Correction) -> Truth:
    """Add a correction to a truth's rubric."""
    mechanism = truth.mechanism
    more = correction.concepts + ((),) * (len(mechanism.concepts) - len(correction.concepts))
    groups = tuple((*group, *added) for group, added in zip(mechanism.concepts, more, strict=False))
    return truth.model_copy(
        update={
            "object_aliases": (*truth.object_aliases, *correction.object_aliases),
            "mechanism": mechanism.model_copy(update={"concepts": groups}),
            "supporting": (*truth.supporting, *correction.supporting),
            "discriminating": (*truth.discriminating, *correction.discriminating),
        }
    )


def current(truth: Truth) -> Truth:
    """Return the truth as its scenario plans it today. Raises CrashlabError where that is another incident."""
    from crashlab import scenario

    if truth.own_alerts:
        raise CrashlabError(
            f"The incident was drawn from the table of {truth.workload}.", "Grade it with its own rubric."
        )
    planned = scenario.plan(truth.scenario, truth.seed)
    differing = [name for name in INJECTED if getattr(planned, name) != getattr(truth, name) and name != "seed"]
    if _faults(planned) != _faults(truth):
        differing.append("contributing")
    if differing:
        raise CrashlabError(
            f"{truth.scenario} plans another incident today ({', '.join(differing)}).", "Grade it with its own rubric."
        )
    return planned.model_copy(update={"seed": truth.seed})


def _faults(truth: Truth) -> list[tuple[str, str, str]]:
    """Return what else was injected; the phrases of its mechanism are rubric and may change."""
    return [(each.cause, each.component, each.object) for each in truth.contributing]


def _points(verdict: Verdict) -> dict[str, float | None]:
    return {item.id: item.points for item in verdict.items}


def again(folder: Path, rubric: Mapping[str, Correction], *, replan: bool) -> tuple[Difference, Bundle, Verdict]:
    """Grade one bundle again and compare it with the verdict beside it."""
    bundle = store.read(folder / "bundle.json", Bundle)
    problem = ""
    truth = bundle.truth
    if replan:
        try:
            truth = current(truth)
        except CrashlabError as error:
            problem = f"{error.message} {error.hint}"
    if truth.scenario in rubric:
        truth = corrected(truth, rubric[truth.scenario])
    bundle = bundle.model_copy(update={"truth": truth})
    new = grader.grade(bundle)
    old = store.read(folder / "verdict.json", Verdict) if (folder / "verdict.json").is_file() else None
    before = _points(old) if old else {}
    after = _points(new)
    changes = [ItemChange(item=name, before=before.get(name), after=after.get(name))
               for name in dict.fromkeys((*before, *after)) if old and before.get(name) != after.get(name)]  # fmt: skip
    found = Difference(
        bundle=str(folder), incident=bundle.incident, author=bundle.submission.author, scenario=truth.scenario,
        before=old.score if old else None, after=new.score, passed_before=old.passed if old else None,
        passed_after=new.passed, items=tuple(changes), problem=problem,
    )  # fmt: skip
    return found, bundle, new


def regrade(folder: Path, *, rubric: Path | None = None, replan: bool = False, dry_run: bool = True) -> Regrading:
    """Grade every bundle below a folder again. Without `dry_run` verdicts are replaced, the old ones kept beside them.

    A bundle's rubric is corrected by `rubric`, a TOML file, and with `replan` by what its scenario says today.
    Overrides are an instructor's and stay. Raises UsageError where there is nothing to grade.
    """
    wanted: dict[str, Any] = dict(corrections(rubric)) if rubric else {}
    found: list[Difference] = []
    for each in bundles(folder):
        difference, bundle, verdict = again(each, wanted, replan=replan)
        found.append(difference.model_copy(update={"bundle": str(each.relative_to(folder)) or "."}))
        if dry_run or not difference.changed:
            continue
        old = each / "verdict.json"
        if old.is_file():
            number = 1 + len(list(each.glob("verdict.before-*.json")))
            store.write_text(each / f"verdict.before-{number}.json", old.read_text(encoding="utf-8"))
        store.write(each / "bundle.json", bundle, private=True)
        store.write(old, verdict)
        if (each / final.FINAL).is_file():
            final.keep(each)
    return Regrading(folder=str(folder), written=not dry_run, differences=tuple(found))
