"""Quality metrics and the rules that go by them, on logs that the real parts write."""

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from crashlab import alerts, watching, workload
from crashlab.errors import StackError
from crashlab.evidence.observer import Observer, Windows
from crashlab.evidence.predictions import answer_facts, decision_facts, prior_facts, quality_facts
from crashlab.quality import METRICS, auc
from crashlab.stack.base import Finished
from crashlab.stack.services import SERVICES, requirements_folder
from serving.prediction_log import PredictionLog, Row

ROOT = Path(__file__).parents[2]
START, MIDDLE, END = (datetime(2026, 9, day, tzinfo=UTC) for day in (1, 4, 7))
PAIRS = st.lists(st.tuples(st.floats(0.001, 0.999), st.sampled_from([0.0, 1.0])), min_size=2, max_size=60)


@given(PAIRS)
def test_metrics_are_those_of_scikit_learn(pairs):
    predictions, actual = (np.array(side) for side in zip(*pairs, strict=True))
    assert METRICS["log_loss"](pairs) == pytest.approx(log_loss(actual, predictions, labels=[0.0, 1.0]), rel=1e-6)
    assert METRICS["brier"](pairs) == pytest.approx(brier_score_loss(actual, predictions, labels=[0.0, 1.0]))
    if len(set(actual)) > 1:
        assert METRICS["auc"](pairs) == pytest.approx(roc_auc_score(actual, predictions))
    assert METRICS["bias"](pairs) == pytest.approx(np.mean(predictions - actual), abs=1e-12)


def test_auc_needs_both_classes():
    assert math.isnan(auc([(0.2, 1.0), (0.4, 1.0)]))


def test_a_certain_mistake_has_a_finite_loss():
    assert 10 < METRICS["log_loss"]([(0.0, 1.0)]) < 20


@dataclass
class Recorded:
    """A stack of which only the data folder is needed."""

    home: Path


def record(folder, name, rows, labels=()):
    """Write `(moment, prediction, decision)` rows with the API's own log, and labels by row number."""
    load = workload.load(ROOT, name)
    log = PredictionLog(folder / "data" / "predictions.db", lambda _: None)
    log.start()
    for number, (at, prediction, decision) in enumerate(rows):
        raw = {load.entity: f"r{number}", load.event_time: at.isoformat()}
        log.add(
            Row(f"q{number}", f"r{number}", at.isoformat(), at.isoformat(), raw, {}, prediction, 5, "r", 9.0, decision)
        )
    log.close()
    with closing(sqlite3.connect(folder / "data" / "labels.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE labels (entity TEXT PRIMARY KEY, actual REAL, event_time TEXT, available_at TEXT)"
        )
        connection.executemany(
            "INSERT INTO labels VALUES (?, ?, ?, ?)",
            [(f"r{number}", actual, rows[number][0].isoformat(), END.isoformat()) for number, actual in labels],
        )
    seen = Observer(Recorded(folder), load, Windows((START, MIDDLE), (MIDDLE, END)))  # type: ignore[arg-type]
    seen.__dict__["info"] = {"policy": {"threshold": 0.2}}
    return seen


def week(before, now, each=60):
    """Rows of the healthy days and of those after, an hour apart."""
    rows = [(START + timedelta(hours=hour), *before(hour)) for hour in range(each)]
    return rows + [(MIDDLE + timedelta(hours=hour), *now(hour)) for hour in range(each)]


def test_decisions_that_move_fire_though_scores_do_not(tmp_path):
    def scores(hour):
        return (hour % 10) / 10

    seen = record(
        tmp_path, "credit",
        week(
            lambda h: (scores(h), "decline" if scores(h) >= 0.2 else "approve"),
            lambda h: (scores(h), "decline" if scores(h) >= 0.5 else "approve"),
        ),
    )  # fmt: skip
    (alert,) = [
        found for found in (rule(seen) for name, rule in alerts.RULES.items() if name != "log-warnings") if found
    ]
    assert alert.rule == "decision-rate"
    assert (alert.observed, alert.baseline, alert.threshold) == (0.5, 0.2, pytest.approx(0.26))
    facts = decision_facts(seen)
    assert facts["decision threshold"] == 0.2
    assert facts["decision approve share"] == 0.5
    assert facts["decision approve max_prediction"] == 0.4
    assert facts["decision decline min_prediction"] == 0.5
    assert facts["decision decline window=before min_prediction"] == 0.2


def test_young_applications_have_no_labels_and_no_quality_alert(tmp_path):
    rows = week(lambda _: (0.1, "approve"), lambda _: (0.9, "approve"))
    seen = record(tmp_path, "credit", rows, [(n, 0.0) for n in range(60)])
    assert alerts.prediction_quality(seen) is None
    facts = quality_facts(seen)
    assert facts["quality labels"] == 0
    assert "quality log_loss" not in facts
    assert facts["quality window=before labels"] == 60
    assert facts["quality window=before log_loss"] == pytest.approx(-math.log(0.9), rel=1e-5)


@dataclass
class Answering(Recorded):
    """A stack whose training side answers every row alike, or fails."""

    answer: float
    code: int = 0

    def run(self, service, argv, stdin="", timeout=None):
        assert (service, argv) == ("training", ["python", "-m", "training", "score", "--version", "5"])
        rows = [json.dumps({"prediction": self.answer}) for _ in stdin.splitlines()]
        return Finished(self.code, "\n".join(rows), "no such version")


def test_answers_are_compared_row_by_row_where_they_lead_to_a_decision(tmp_path):
    rows = week(lambda _: (0.1, "approve"), lambda h: (0.1 if h % 4 else 0.9, "approve"))
    seen = record(tmp_path, "credit", rows)
    facts = answer_facts(replace(seen, stack=Answering(tmp_path, 0.1)))
    assert facts["prediction parity_mismatch"] == pytest.approx(0.25)
    assert facts["prediction parity_offset"] == 0.0
    assert facts["prediction side=training mean"] == pytest.approx(0.1)
    assert answer_facts(replace(seen, workload=workload.load(ROOT, "eta"))) == {}
    unanswered = record(tmp_path / "unanswered", "credit", week(lambda _: (0.1, "approve"), lambda _: (0.1, ""))[:60])
    assert answer_facts(unanswered) == {}
    with pytest.raises(StackError, match="could not score version 5"):
        answer_facts(replace(seen, stack=Answering(tmp_path, 0.1, 1)))


def test_priors_are_told_of_probabilities_with_labels_of_both_outcomes(tmp_path):
    def scores(hour):
        return (0.1 if hour % 5 else 0.6), "approve"

    labels = [(n, float(n % 5 == 0)) for n in range(60)]
    seen = record(tmp_path, "credit", week(scores, lambda _: (0.6, "decline")), labels)
    facts = prior_facts(seen)
    assert facts["prior event_rate"] > 0.9
    assert facts["prior window=before event_rate"] == pytest.approx(0.2, abs=0.02)


def test_without_labels_of_both_outcomes_nothing_is_said_of_priors(tmp_path):
    rows = week(lambda _: (0.1, "approve"), lambda _: (0.9, "decline"))
    assert prior_facts(record(tmp_path, "credit", rows, [(n, 0.0) for n in range(60)])) == {}


def test_eta_is_held_to_minutes(tmp_path):
    rows = week(lambda _: (30.0, None), lambda _: (30.0, None))
    labels = [(n, 32.0) for n in range(60)] + [(n, 36.0) for n in range(60, 120)]
    seen = record(tmp_path, "eta", rows, labels)
    alert = alerts.prediction_quality(seen)
    assert alert is not None
    assert (alert.observed, alert.baseline, alert.threshold) == (6.0, 2.0, 2.5)
    assert alert.unit == "minutes (mean absolute error)"
    assert alert.summary == "Predictions are further from what was delivered than last week."
    assert alert.since == MIDDLE
    assert quality_facts(seen)["quality mae"] == 6.0
    assert decision_facts(seen) == {}
    assert alerts.decision_rate(seen) is None


def test_probabilities_that_stop_fitting_are_a_log_loss(tmp_path):
    rows = week(lambda _: (0.1, "approve"), lambda _: (0.6, "approve"))
    seen = record(tmp_path, "credit", rows, [(n, 0.0) for n in range(120)])
    alert = alerts.prediction_quality(seen)
    assert alert is not None
    assert alert.unit == "nats (log loss)"
    assert alert.observed == pytest.approx(-math.log(0.4), rel=1e-5)


@pytest.mark.parametrize("service", ["serving", "training"])
def test_a_workload_may_pin_packages_of_its_own(service):
    own = requirements_folder(ROOT, SERVICES[service], "credit")
    assert own == ROOT / service / "credit"
    assert requirements_folder(ROOT, SERVICES[service], "eta") == ROOT / service
    assert requirements_folder(ROOT, SERVICES["mlflow"], "credit") == ROOT / "training/registry"
    assert f"{service}/${{WORKLOAD}}/requirements.tx[t]" in (ROOT / service / "Dockerfile").read_text()


@pytest.mark.parametrize("name", workload.names(ROOT))
def test_features_and_records_of_a_workload_agree(name):
    import importlib

    load = workload.load(ROOT, name)
    module = importlib.import_module(f"training.{name}.model")
    assert load.model_name == name
    assert tuple(load.numeric_columns) == tuple(module.RAW_COLUMNS)
    assert tuple(load.packages) == tuple(module.PACKAGES)
    assert "champion" in module.HISTORY[load.champion - 1].aliases


def readings(folder, start, slope):
    """Write readings of memory that grows by `slope` megabytes for 1,000 rows, one for every ten rows."""
    with (folder / "data" / watching.FILE).open("a", encoding="utf-8") as file:
        for number in range(10, 500, 10):
            at = (start + timedelta(minutes=number)).isoformat()
            line = {
                "at": at,
                "event_time": at,
                "begun": start.isoformat(),
                "answered": number,
                "memory_mb": 170 + slope * number / 1000,
            }
            file.write(json.dumps(line) + "\n")  # fmt: skip


@pytest.mark.parametrize(("slope", "fires"), [(45.0, True), (2.0, False)])
def test_memory_that_grows_with_the_requests_fires(tmp_path, slope, fires):
    seen = record(tmp_path, "eta", week(lambda h: (30.0, None), lambda h: (30.0, None)))
    readings(tmp_path, START, 1.0)
    readings(tmp_path, MIDDLE, slope)
    alert = alerts.memory_growth(seen)
    assert (alert is not None) is fires
    if alert is not None:
        assert (alert.observed, alert.baseline) == (pytest.approx(slope), pytest.approx(1.0))
