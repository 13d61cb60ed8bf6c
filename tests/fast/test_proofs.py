"""Which proofs share the machine: decided before anything is started."""

from pathlib import Path

import pytest

from crashlab import proofs, scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


def tasks(*names: str, runtime: str = "embedded", seeds: tuple[int, ...] = (1,)) -> list[proofs.Task]:
    return proofs.plan(SCENARIOS, [(name, runtime) for name in names], seeds)


def test_what_measures_time_is_proved_alone():
    found = {task.name: task.alone for task in tasks("unit-mismatch", "blocked-event-loop", "wrong-and-slow")}
    assert found == {"unit-mismatch": False, "blocked-event-loop": True, "wrong-and-slow": True}


def test_containers_have_the_machine_to_themselves():
    assert all(task.alone for task in tasks("unit-mismatch", runtime="compose"))


def test_every_scenario_with_an_alert_on_latency_is_alone():
    timed = [s.name for s in scenario.catalogue(SCENARIOS) if any("latency" in rule for rule in s.alerts)]
    assert len(timed) > 2
    assert all(task.alone for task in tasks(*timed))


def test_the_first_seed_is_proved_in_full_and_every_one_if_asked():
    assert [task.whole for task in tasks("wrong-alias", seeds=(4, 5, 6))] == [True, False, False]
    every = proofs.plan(SCENARIOS, [("wrong-alias", "embedded")], (4, 5), whole=True)
    assert [task.whole for task in every] == [True, True]


def test_those_on_one_stand_follow_each_other():
    found = [task.workload for task in tasks("wrong-alias", "decision-threshold", "unit-mismatch")]
    assert found == sorted(found)


@pytest.mark.parametrize(("jobs", "shared"), [(1, 0), (2, 2)])
def test_one_at_a_time_means_no_company(jobs: int, shared: int):
    planned = tasks("wrong-alias", "unit-mismatch", "blocked-event-loop")
    assert len(proofs.shared(planned, jobs)) == shared


def test_one_proof_has_no_company():
    assert proofs.shared(tasks("wrong-alias", "blocked-event-loop"), 2) == []
