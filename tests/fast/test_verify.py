"""Pieces of a proof that need no running system."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crashlab import scenario, verify, workload
from crashlab.errors import UsageError
from crashlab.evidence.observer import Observer, Windows
from crashlab.production import Prediction
from crashlab.stack.fake import FakeStack

ROOT = Path(__file__).parents[2]
ETA = workload.load(ROOT, "eta")
START = ETA.calendar.week_start


def rows(count: int, error: float, *, shift: float = 0.0, latency: float = 20.0, first: int = 0) -> list[Prediction]:
    """Predictions of 20 to 79 minutes, each `error` above or below its label, so that their distribution stays."""
    return [
        Prediction(
            entity=f"o{first + i}", event_time=START + timedelta(minutes=10 * (first + i)), logged_at=START, raw={},
            features={}, prediction=20.0 + i % 60 + (error if i % 2 else -error) + shift, model_version=5, release="r", latency_ms=latency,
        )
        for i in range(count)
    ]  # fmt: skip


@dataclass
class Watched:
    """An incident of which nothing but its observer is asked."""

    seen: Observer

    def observer(self) -> Observer:
        return self.seen


def margins(tmp_path: Path, error: float, **now: Any) -> verify.Step:
    seen = Observer(FakeStack(tmp_path), ETA, Windows((START, START), (START, START)))
    before, current = rows(144, 2.0), rows(144, error, first=144, **now)
    labels = {row.entity: 20.0 + i % 60 for part in (before, current) for i, row in enumerate(part)}
    seen.__dict__.update(now=current, before=before, labels=labels)
    trial = verify.Trial(None, "toy", 1, lambda _: None)
    verify._margins(trial, Watched(seen))
    (step,) = trial.steps
    return step


def test_an_alert_that_is_far_beyond_its_threshold_holds(tmp_path):
    step = margins(tmp_path, 2.0 * ETA.rules.quality_ratio * 1.25)
    assert step.passed, step.detail
    assert step.detail == "prediction-quality 3.12 against 2.5"


def test_an_alert_that_barely_fires_is_refused(tmp_path):
    step = margins(tmp_path, 2.0 * ETA.rules.quality_ratio * 1.1)
    assert not step.passed
    assert step.detail == "prediction-quality 2.75 against 2.5, less than 20% beyond it"


def test_a_silent_rule_that_nearly_fires_is_refused(tmp_path):
    step = margins(tmp_path, 2.0 * (1 + 0.9 * (ETA.rules.quality_ratio - 1)))
    assert not step.passed
    assert "prediction-quality" in step.detail
    assert "nearly fires" in step.detail


def test_what_is_as_on_healthy_days_is_no_near_miss(tmp_path):
    assert margins(tmp_path, 2.02).passed


@pytest.mark.parametrize(
    ("latency", "passed"), [(20.0, True), (66.0, True), (70.0, False), (90.0, False), (100.0, True)]
)
def test_latency_is_held_to_the_same_margin(tmp_path, latency, passed):
    assert margins(tmp_path, 2.0, latency=latency).passed is passed


def test_a_step_says_what_failed_and_not_what_held():
    trial = verify.Trial(None, "toy", 1, lambda _: None)
    with trial.step("mixed") as proved:
        proved(True, "the sky is up")
        proved(False, "the sea is dry")
    with trial.step("silent") as proved:
        pass
    with trial.step("broken") as proved:
        proved(True, "so far so good")
        raise UsageError("There is no such thing.", "Look elsewhere.")
    assert [(step.passed, step.detail) for step in trial.steps] == [
        (False, "the sea is dry"),
        (False, "nothing was proved"),
        (False, "There is no such thing. Look elsewhere."),
    ]


def test_the_same_fault_at_another_hour_is_no_other_truth():
    truth = scenario.plan("wrong-alias", 4)
    later = truth.model_copy(update={"seed": 9, "onset": truth.onset + timedelta(hours=1)})
    assert verify.distinct([truth, later]) == 1
    assert verify.distinct(scenario.plan("wrong-alias", seed) for seed in verify.SEEDS) == 3
