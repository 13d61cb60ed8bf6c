"""The learner's record."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crashlab import mixes, progress, scenario, store
from crashlab.model import HintTaken
from crashlab.records import Attempt, Paths, Record, Sealed
from crashlab.settings import Settings

ROOT = Path(__file__).parents[2]
BEGAN = datetime(2026, 9, 7, 9, tzinfo=UTC)


def written(cause: str) -> str:
    return f"---\ncause: {cause}\ncontributing: []\ncomponent: serving-code\nobject: x\nruled_out: []\n---\n\n## Summary\nA.\n"


def keep(
    home: Path,
    name: str,
    *claims: str,
    identifier: str = "",
    passed: bool = True,
    phase: str = "stopped",
    hints: int = 0,
) -> None:
    """Write an incident the way the engine leaves it behind: one attempt for each claim, ten minutes apart."""
    identifier = identifier or f"eta-{name}"
    paths = Paths(home, identifier)
    attempts = []
    for number, cause in enumerate(claims, start=1):
        store.write_text(paths.attempt(number) / "postmortem.md", written(cause))
        last = number == len(claims)
        attempts.append(
            Attempt(
                number=number, received_at=BEGAN + timedelta(minutes=10 * number), sha256=hashlib.sha256().hexdigest(),
                score=92.0 if last and passed else 40.0, passed=last and passed, graded=True,
            )
        )  # fmt: skip
    record = Record.model_validate(
        {
            "id": identifier, "workload": "eta", "runtime": "embedded", "scenario": "", "blind": True,
            "level": scenario.load(ROOT / "scenarios", name).level, "commitment": "", "created_at": BEGAN, "phase": phase,
            "snapshot": home, "attempts": attempts,
            "hints": [HintTaken(index=i, cost=3.0 + i) for i in range(hints)],
        }
    )  # fmt: skip
    store.write(paths.record, record)
    store.write(paths.truth, Sealed(nonce="n", seed=3, scenario=name, truth=scenario.plan(name, 3)))


def read(home: Path) -> progress.Progress:
    return progress.read(Settings(root=ROOT, home=home))


def test_nothing_yet_says_where_to_begin(tmp_path):
    found = read(tmp_path)
    assert (found.tried, found.misconceptions, found.open) == ((), (), 0)
    assert len(found.next) == progress.SUGGESTIONS
    assert all(item.command.startswith("crashlab start ") for item in found.next)


def test_a_solved_incident_has_its_time_hints_and_score(tmp_path):
    keep(tmp_path, "wrong-alias", "concept-drift", "wrong-alias", hints=2)
    (one,) = read(tmp_path).tried
    assert one.solved
    assert (one.minutes, one.score, one.attempts, one.hints, one.hint_cost) == (20.0, 92.0, 2, 2, 7.0)
    assert one.family == "registry-and-configuration"


def test_what_was_taken_for_what_is_counted_and_the_right_cause_is_not(tmp_path):
    keep(tmp_path, "wrong-alias", "concept-drift", "stale-model-cache", "wrong-alias")
    keep(tmp_path, "wrong-alias", "concept-drift", identifier="eta-again", passed=False)
    found = {(item.claimed, item.actual): item.times for item in read(tmp_path).misconceptions}
    assert found == {("concept-drift", "wrong-alias"): 2, ("stale-model-cache", "wrong-alias"): 1}


def test_either_of_two_causes_is_no_misconception(tmp_path):
    keep(tmp_path, "wrong-and-slow", "event-loop-blocking", "feature-library-version-mismatch", passed=False)
    found = read(tmp_path).misconceptions
    assert [(item.claimed, item.actual) for item in found] == [("feature-library-version-mismatch", "unit-mismatch")]


def test_a_confusion_is_practised_on_a_look_alike_that_is_not_solved(tmp_path):
    keep(tmp_path, "unit-mismatch", "covariate-shift", "unit-mismatch")
    first = read(tmp_path).next[0]
    assert "unit mismatch for covariate shift once" in first.why
    catalogue = scenario.catalogue(ROOT / "scenarios")
    group = next(s.looks_like for s in catalogue if s.name == "unit-mismatch")
    alike = [s for s in catalogue if s.looks_like == group]
    wanted = {
        f"--family {s.family} --level {s.level}{'' if s.proved else ' --drafts'}"
        for s in alike
        if s.name != "unit-mismatch"
    }
    assert any(first.command.endswith(options) for options in wanted)


def test_what_is_proposed_can_be_drawn(tmp_path, monkeypatch):
    """A proposal names drafts where there is nothing else, and no level or family that has drafts alone."""
    catalogue = scenario.catalogue(ROOT / "scenarios")
    keep(tmp_path, "unit-mismatch", "covariate-shift", "unit-mismatch")
    monkeypatch.setattr(progress, "SUGGESTIONS", 99)
    keep(tmp_path, "library-pin", "covariate-shift", "dependency-version-mismatch")
    keep(tmp_path, "wrong-alias", "wrong-alias")
    for found in (read(tmp_path), read(tmp_path / "nothing")):
        for words in (item.command.split() for item in found.next if "--blind" in item.command):
            given = dict(itertools.pairwise(words))
            level = int(given["--level"]) if "--level" in given else None
            drawn = mixes.candidates(catalogue, "embedded", level, given.get("--family"), drafts="--drafts" in words)
            assert drawn


def test_an_open_incident_says_nothing(tmp_path):
    keep(tmp_path, "wrong-alias", "concept-drift", passed=False, phase="submitted")
    found = read(tmp_path)
    assert (found.tried, found.open, found.misconceptions) == ((), 1, ())
    assert "wrong-alias" not in found.model_dump_json()


@pytest.mark.parametrize("damage", ["", "{", "---\ncause: gremlins\n---\n"])
def test_what_cannot_be_read_is_left_out(tmp_path, damage):
    keep(tmp_path, "wrong-alias", "concept-drift", "wrong-alias")
    keep(tmp_path, "unit-mismatch", "unit-mismatch", identifier="eta-other")
    Paths(tmp_path, "eta-other").truth.write_text(damage)
    (Paths(tmp_path, "eta-wrong-alias").attempt(1) / "postmortem.md").write_text(damage)
    found = read(tmp_path)
    assert [one.scenario for one in found.tried] == ["wrong-alias"]
    assert found.misconceptions == ()


def test_a_clean_success_leads_to_a_harder_level(tmp_path):
    catalogue = [item for item in scenario.catalogue(ROOT / "scenarios") if item.proved]
    # Of each family one of the easiest, and nothing of the highest level.
    easiest = {item.family: item for item in reversed(catalogue) if item.level < catalogue[-1].level}
    others = {item.family: item for item in catalogue if item.family not in easiest}
    for item in others.values():
        keep(tmp_path, item.name, scenario.plan(item.name, 3).cause, hints=1)
    for item in easiest.values():
        keep(tmp_path, item.name, scenario.plan(item.name, 3).cause)
    found = read(tmp_path)
    top = max(item.level for item in easiest.values())
    assert found.next[0].why == f"You solved level {top} without a hint."
    assert found.next[0].command == f"crashlab start --blind --level {top + 1}"
