"""A blind start does not repeat what was just played."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crashlab import drawing, mixes, scenario, snapshot, starting, store
from crashlab.records import Paths, Record, Sealed
from crashlab.scenario import Scenario
from crashlab.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
BEGAN = datetime(2026, 9, 7, 9, tzinfo=UTC)


def keep(
    home: Path, name: str, seed: int, *, age: int = 0, weeks: int = 0, phase: str = "stopped", identifier: str = ""
) -> Paths:
    """Write an incident the way a start leaves it behind, `age` hours old."""
    paths = Paths(home, identifier or f"eta-{name}-{seed}")
    record = Record.model_validate(
        {
            "id": paths.root.name, "workload": "eta", "runtime": "embedded", "scenario": "", "blind": True, "level": 1,
            "commitment": "", "created_at": BEGAN - timedelta(hours=age), "phase": phase, "snapshot": home, "weeks": weeks,
        }
    )  # fmt: skip
    store.write(paths.record, record)
    truth = scenario.plan(name, seed).moved(weeks)
    store.write(paths.truth, Sealed(nonce="n", seed=seed, scenario=name, truth=truth))
    return paths


class Drawn(Exception):
    """What a start drew, before it begins with anything."""


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Starts that end as soon as they have drawn, with draws that repeat from run to run."""

    def stop(*_: object) -> None:
        raise Drawn

    drawn, rng = [], random.Random(7)
    monkeypatch.setattr(snapshot, "ensure", stop)
    monkeypatch.setattr(starting.secrets, "SystemRandom", lambda: rng)
    plan = scenario.plan

    def noted(name, seed, ground=None):
        drawn.append((name, seed))
        return plan(name, seed, ground)

    monkeypatch.setattr(scenario, "plan", noted)

    def start(name: str | None = None, **options) -> tuple[str, int]:
        with pytest.raises(Drawn):
            starting.start(Settings(root=ROOT, home=tmp_path), name, **options)
        # The truth that is injected is planned last.
        return drawn[-1]

    return start


def essence(name: str, seed: int) -> str:
    return scenario.plan(name, seed).essence


@pytest.mark.parametrize("options", [{"level": 1}, {"level": 1, "blind": True}])
def test_a_draw_with_one_cause_has_another_truth_than_the_incident_before(tmp_path, draw, options):
    keep(tmp_path, "wrong-alias", 4)
    drawn = [draw(**options) for _ in range(16)]
    assert {name for name, _ in drawn} == {"wrong-alias"}
    found = {essence(*each) for each in drawn}
    assert essence("wrong-alias", 4) not in found
    assert len(found) == 2


def test_one_that_is_hidden_but_named_has_another_truth_too(tmp_path, draw):
    keep(tmp_path, "wrong-alias", 4)
    found = {essence(*draw("wrong-alias", blind=True)) for _ in range(16)}
    assert essence("wrong-alias", 4) not in found


def test_one_that_is_named_openly_may_be_any(tmp_path, draw):
    keep(tmp_path, "wrong-alias", 4)
    assert essence("wrong-alias", 4) in {essence(*draw("wrong-alias")) for _ in range(16)}


def test_the_cause_is_another_where_one_fits(tmp_path, draw):
    keep(tmp_path, "unit-mismatch", 4)
    found = Counter(draw(level=2)[0] for _ in range(16))
    assert set(found) == {"imputation-mismatch", "blocked-event-loop"}


def test_a_cause_counts_by_whichever_scenario_it_came(tmp_path, draw):
    """Two scenarios of one cause are one cause to whoever has just named it."""
    keep(tmp_path, "drift-in-unused-column", 4)
    assert scenario.plan("drift-in-unused-column", 4).cause == scenario.plan("false-alarm", 4).cause
    assert "false-alarm" not in {draw(level=3)[0] for _ in range(16)}


def test_the_incident_before_is_the_latest_one(tmp_path, draw):
    latest = keep(tmp_path, "unit-mismatch", 4)
    keep(tmp_path, "imputation-mismatch", 4, age=2)
    # Submitting to an old one makes its folder the one that changed last.
    (Paths(tmp_path, "eta-imputation-mismatch-4").root / "submissions").mkdir()
    found = {draw(level=2)[0] for _ in range(16)}
    assert found == {"imputation-mismatch", "blocked-event-loop"}
    assert latest.root.is_dir()


@pytest.mark.parametrize("what", ["starting", "borrowed", "damaged", "sealed nowhere"])
def test_what_was_nobodys_incident_does_not_count(tmp_path, what):
    settings = Settings(root=ROOT, home=tmp_path)
    keep(tmp_path, "unit-mismatch", 4, age=1)
    paths = keep(tmp_path, "wrong-alias", 4, phase="starting" if what == "starting" else "live")
    if what == "borrowed":
        paths.system.symlink_to(tmp_path)
    if what == "damaged":
        paths.record.write_text("{ half")
    if what == "sealed nowhere":
        paths.truth.unlink()
    found = drawing.previous(settings)
    assert found is not None
    assert found.truth.scenario == "unit-mismatch"


def test_an_open_one_counts_and_without_any_there_is_none(tmp_path):
    settings = Settings(root=ROOT, home=tmp_path)
    assert drawing.previous(settings) is None
    keep(tmp_path, "unit-mismatch", 4, phase="live")
    assert drawing.previous(settings).truth.scenario == "unit-mismatch"


@pytest.mark.parametrize("name", ["stale-feature-table", "wrong-alias"])
def test_a_truth_is_known_again_in_another_week(name):
    """Texts of a truth that name days are moved with its calendar, so both are compared in one."""
    known = scenario.plan(name, 4)
    later = known.model_copy(update={"seed": 5, "onset": known.onset + timedelta(hours=1)})
    assert drawing.repeats(later, drawing.Played(known.moved(3), 3))
    other = next(t for seed in range(99) if (t := scenario.plan(name, seed)).essence != known.essence)
    assert not drawing.repeats(other, drawing.Played(known.moved(3), 3))


def test_a_seed_that_is_given_draws_what_it_always_drew(tmp_path, draw):
    before = {seed: draw(seed=seed) for seed in range(6)}
    buckets, known = mixes.load(FOLDER), mixes.candidates(
        scenario.catalogue(FOLDER), "embedded", None, None, drafts=False
    )  # fmt: skip
    for seed, (name, _) in before.items():
        assert mixes.draw(known, buckets, "teaching", random.Random(f"draw:{seed}"), seed).name == name
        keep(tmp_path, name, seed, identifier="eta-last")
        assert draw(seed=seed) == (name, seed)


def test_a_scenario_with_one_truth_is_drawn_all_the_same(monkeypatch):
    only = scenario.plan("wrong-alias", 4)
    monkeypatch.setattr(scenario, "plan", lambda *_: only)
    found = scenario.load(FOLDER, "wrong-alias")

    def choose(some: list[Scenario], _: int) -> Scenario:
        return some[0]

    chosen, _ = drawing.draw([found], choose, random.Random(1), drawing.Played(only, 0))
    assert chosen is found
