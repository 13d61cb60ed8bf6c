"""A stand is put back between scenarios: whatever one of them leaves is found, and gone before the next one."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crashlab.model import moved
from crashlab.registry import RegistryClient
from crashlab.settings import Settings
from crashlab.stack import processes
from crashlab.stack.base import Commit, Edit, job, silent
from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.services import LAUNCH, launch
from crashlab.stand import Stand, clean_up, open_stand

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stand(home: Path) -> Iterator[Stand]:
    with open_stand(Settings(root=ROOT, home=home), "embedded", "eta", silent) as made:
        yield made
    assert isinstance(made.stack, EmbeddedStack)
    assert not processes.marked(made.stack.mark)
    assert not made.folder.exists()


def leave_everything_behind(stand: Stand) -> None:
    """What the most careless scenario could do."""
    stack = stand.stack
    assert isinstance(stack, EmbeddedStack)
    assert isinstance(stack.registry, RegistryClient)
    stack.workspace.commit(
        Commit(
            "Leave a trace",
            (Edit("serving/trace.txt", "", "here\n"),),
            "A <a@example.com>",
            "2026-09-05T00:00:00+00:00",
        )
    )
    (stack.workspace.path / "untracked.txt").write_text("here")
    stack.workspace.git("branch", "another")
    stack.up(["serving", "traffic"])
    stack.registry.move_alias("champion", 2)
    assert job(stack, ["train", "--alias", "champion"], timeout=600).code == 0
    assert len(stack.registry.versions()) == 7
    (stand.system / "data" / "traffic.json").write_text("{}")
    (stand.system / "mlflow" / "artifacts" / "left.txt").write_text("here")
    (stand.system / "notes").mkdir()
    (stand.system / "notes" / "left.txt").write_text("here")


def test_a_stand_has_the_calendar_of_the_day_it_was_made(stand):
    assert launch(stand.system) == moved(LAUNCH, stand.weeks)
    with closing(sqlite3.connect(stand.system / "data" / "predictions.db")) as connection:
        (newest,) = connection.execute("SELECT max(event_time) FROM predictions").fetchone()
    assert timedelta() < datetime.now(UTC) - datetime.fromisoformat(newest) < timedelta(days=8)


def test_what_is_left_is_found_and_gone_after_the_reset(stand):
    assert stand.leftovers() == []
    leave_everything_behind(stand)
    found = stand.leftovers()
    for name in (
        "workspace/serving/trace.txt", "workspace/untracked.txt", "workspace/.git/refs/heads/another",
        "data/traffic.json", "data/predictions.db", "mlflow/artifacts/left.txt", "notes/left.txt",
        "logs/serving.log", "registry's database", "running services",
    ):  # fmt: skip
        assert name in found, name
    process = stand.stack.state("mlflow")
    stand.reset(silent)
    assert stand.leftovers() == []
    # The registry that goes on running answers from the database that was put back.
    registry = stand.stack.registry
    assert sorted(registry.versions()) == [1, 2, 3, 4, 5, 6]
    assert registry.aliases()["champion"] == 5
    assert stand.stack.state("mlflow").detail == process.detail


def test_a_stopped_registry_is_started_again(stand):
    stand.stack.down()
    stand.reset(silent)
    assert stand.leftovers() == []
    assert stand.stack.registry.aliases()["champion"] == 5


def test_the_second_scenario_meets_the_system_that_the_first_one_met(stand):
    """The same fault twice, with another one in between, gives the same commits, data and facts."""
    from crashlab.model import Evidence
    from crashlab.starting import start
    from crashlab.store import read

    seen = []
    for name in ("imputation-mismatch", "wrong-alias", "imputation-mismatch"):
        one = start(stand.settings, name, seed=2, runtime="embedded", system=stand.system)
        facts = read(one.paths.broken, Evidence).facts
        steady = {key: value for key, value in facts.items() if key.split()[0] not in ("latency", "errors", "usage")}
        seen.append((one.record.base_commit, steady, [change.reference for change in one.brief.timeline]))
        shutil.rmtree(one.paths.root)
        shutil.rmtree(one.paths.sealed)
        stand.reset(silent)
    assert seen[0] == seen[2]
    assert seen[0] != seen[1]


def test_a_killed_proof_is_torn_down_by_the_next_one(home, stand):
    settings = Settings(root=ROOT, home=home)
    # A stand whose lock nobody holds: its folder, and a process that carries its mark.
    orphan = home / "stands" / "900"
    (orphan / "eta-embedded" / "system").mkdir(parents=True)
    left = EmbeddedStack(home=orphan / "eta-embedded" / "system", root=ROOT, shared=home, workload="eta")
    processes.spawn(
        ["sleep", "300"], home, processes.base_environment(None, left.mark, "serving"), orphan / "log"
    )  # fmt: skip
    assert processes.marked(left.mark)
    assert clean_up(settings) == ["900"]
    assert not processes.marked(left.mark)
    # The one that is alive stays.
    assert stand.folder.is_dir()
    with closing(sqlite3.connect(stand.system / "mlflow" / "mlflow.db")) as connection:
        assert connection.execute("SELECT count(*) FROM model_versions").fetchone() == (6,)
