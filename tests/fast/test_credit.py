"""The workload credit: repeatable, believable, one policy, and labels that take 90 days."""

import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

ROOT = Path(__file__).parents[2]
PIN = (ROOT / "serving/credit/internal.txt").read_text().strip()
# The in-house library is installed where it serves; here its pinned release is read from where it is kept.
sys.path.append(str(ROOT / f"featurelib/releases/credit-{PIN.removeprefix('featurelib-credit==')}/src"))

from serving import app as application
from serving.credit.policy import Policy
from serving.credit.preprocess import Preprocessor
from serving.credit.scorecard import Scorecard
from serving.model import Served
from serving.settings import Settings
from training.credit import generate, model, prepare
from training.credit.stream import NAMES
from training.settings import Settings as TrainingSettings
from training.traffic import Stream, write_labels

DAYS = (date(2026, 8, 31), date(2026, 9, 2))


@pytest.fixture(scope="module")
def application_():
    return {
        "application_id": "a1", "submitted_at": "2026-08-31T09:20:00Z", "customer_id": "p00001", "amount": 8000.0,
        "term_months": 36, "purpose": "car", "employment": "permanent", "months_employed": 30.0,
        "annual_income": 26400.0, "monthly_income": 2200.0, "home": "rent", "dependents": 1, "form_seconds": 410.0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def customer():
    return generate.customers(7)[0]


def test_a_seed_repeats_and_another_differs():
    assert generate.sample(20, "hidden", 7, DAYS) == generate.sample(20, "hidden", 7, DAYS)
    assert generate.sample(20, "hidden", 7, DAYS) != generate.sample(20, "hidden", 8, DAYS)


def test_hidden_applications_are_live_ones_and_not_those_of_the_stream():
    hidden = generate.sample(300, "hidden", 7, generate.STREAM)
    assert min(row["order"]["submitted_at"] for row in hidden) >= generate.LAUNCH.isoformat()
    sent = {json.dumps({**row["order"], "application_id": ""}) for row in generate.stream(7)}
    assert not [row for row in hidden if json.dumps({**row["order"], "application_id": ""}) in sent]


@pytest.mark.parametrize(
    ("field", "safe", "risky"),
    [
        ("amount", 3000.0, 20000.0),
        ("monthly_income", 5000.0, 1200.0),
        ("employment", "retired", "unemployed"),
        ("home", "own", "rent"),
        ("purpose", "car", "consolidation"),
    ],
)
def test_economics(application_, customer, field, safe, risky):
    def risk(value):
        return generate.risk({**application_, field: value}, customer, 30.0)

    assert risk(safe) < risk(risky)


def test_a_longer_time_in_the_job_is_safer(application_, customer):
    assert generate.risk(application_, customer, 120.0) < generate.risk(application_, customer, 2.0)


def test_the_form_has_no_weight(application_, customer):
    a = generate.risk({**application_, "form_seconds": 60.0}, customer, 30.0)
    assert a == generate.risk({**application_, "form_seconds": 3000.0}, customer, 30.0)


def test_what_is_missing():
    people = generate.customers(7)
    assert abs(sum(not c.known for c in people) / len(people) - generate.WITHOUT_FILE) < 0.03
    rows = [row["order"] for row in generate.sample(500, "m", 7, generate.STREAM)]
    employees = [row for row in rows if row["employment"] not in ("retired", "unemployed")]
    open_ = sum(row["months_employed"] is None for row in employees) / len(employees)
    assert abs(open_ - generate.UNKNOWN_TENURE) < 0.06
    assert all(row["months_employed"] is None for row in rows if row not in employees)


@pytest.mark.thorough
def test_the_share_of_defaults_is_that_of_a_consumer_lender():
    rows = generate.history(7)
    assert 0.1 < sum(row["actual"] for row in rows) / len(rows) < 0.18


WORSE = generate.World(default_odds=6.0)


@pytest.mark.thorough
def test_another_world_begins_when_it_is_said_to():
    since = datetime(2026, 9, 5, 9, tzinfo=UTC)
    here = list(generate.stream(7))
    there = list(generate.stream(7, WORSE, since))
    first = next(i for i, row in enumerate(there) if "best" in row)
    assert there[:first] == here[:first]
    assert there[first]["order"]["submitted_at"] >= "2026-09-05T09" > there[first - 1]["order"]["submitted_at"]


@pytest.mark.thorough
def test_in_another_world_the_odds_of_a_default_are_those_it_says():
    rows = generate.sample(3000, "w", 7, generate.STREAM, WORSE)
    before = np.mean([row["actual"] for row in generate.history(7)])
    share = np.mean([row["actual"] for row in rows])
    assert share / (1 - share) == pytest.approx(6.0 * before / (1 - before), rel=0.12)
    # What is known at best is a probability that fits the outcomes, and those of any single applicant.
    assert np.mean([row["best"] for row in rows]) == pytest.approx(share, abs=0.025)


@pytest.mark.thorough
def test_in_another_world_each_kind_of_applicant_looks_as_before():
    here, there = (generate.sample(4000, "w", 7, generate.STREAM, world) for world in (None, WORSE))
    for outcome in (0.0, 1.0):
        incomes = [
            np.median([row["order"]["annual_income"] for row in rows if row["actual"] == outcome])
            for rows in (here, there)
        ]
        assert incomes[1] == pytest.approx(incomes[0], rel=0.05)


def test_the_stored_stream_tells_nothing_of_its_world(tmp_path):
    generate.write_stream(7, tmp_path, WORSE, datetime(2026, 9, 5, tzinfo=UTC))
    lines = (tmp_path / NAMES.file).read_text().splitlines()
    assert {tuple(json.loads(line)) for line in lines[-500:]} == {("order", "actual")}


@pytest.mark.thorough
def test_the_prior_is_learnt_from_applications_without_outcomes(both_sides):
    known = generate.sample(4000, "fit", 7, generate.STREAM)
    outcomes = np.array([row["actual"] for row in known])
    features = both_sides[0]
    fitted = model.pipeline({}, 7).fit(features([row["order"] for row in known]), outcomes)
    rows = generate.sample(1500, "w", 7, generate.STREAM, WORSE)
    now, actual = features([row["order"] for row in rows]), np.array([row["actual"] for row in rows])
    moved, share = model.with_prior(fitted, float(outcomes.mean()), now)
    assert share == pytest.approx(actual.mean(), abs=0.06)
    assert model.predict(moved, now).mean() == pytest.approx(share, abs=1e-3)
    losses = [model.evaluate(each, now, actual) for each in (fitted, moved)]
    assert losses[1]["log_loss"] < 0.85 * losses[0]["log_loss"]
    assert losses[1]["auc"] == pytest.approx(losses[0]["auc"])
    # In the world of the history the prior stays what it is, and the fitted pipeline is not touched.
    same, unmoved = model.with_prior(fitted, float(outcomes.mean()), features([row["order"] for row in known]))
    assert unmoved == pytest.approx(outcomes.mean(), abs=0.01)
    assert same[-1].intercept_ is not fitted[-1].intercept_


def test_every_promotion_waited_for_its_outcomes():
    for version in model.HISTORY:
        promoted = version.tags.get("promoted_on")
        if promoted:
            assert date.fromisoformat(promoted) - version.end >= NAMES.label_delay
    assert generate.HISTORY[1] + NAMES.label_delay <= generate.LAUNCH


def test_a_label_takes_90_days_for_both_outcomes():
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert NAMES.known_at(at, 0.0) == NAMES.known_at(at, 1.0) == at + timedelta(days=90)


def test_labels_are_stored_once_they_have_matured(tmp_path):
    settings = TrainingSettings("credit", tmp_path, "http://nowhere", "credit", "champion", "r")
    generate.write_stream(7, tmp_path)
    write_labels(settings, Stream(settings), datetime(2026, 9, 7, tzinfo=UTC))
    with closing(sqlite3.connect(tmp_path / "labels.db")) as connection:
        (newest, count) = connection.execute("SELECT max(event_time), count(*) FROM labels").fetchone()
    assert "2026-06-08" <= newest < "2026-06-09T00:00:01"
    assert count > 300


@pytest.fixture
def both_sides(tmp_path):
    """Training's and serving's way to features."""
    generate.write_tables(7, tmp_path)
    return (lambda rows: prepare.features(rows, tmp_path)), Preprocessor(tmp_path).transform


def test_both_sides_pin_one_release():
    assert (ROOT / "training/credit/internal.txt").read_text().strip() == PIN


def test_training_and_serving_agree_on_every_row(both_sides):
    rows = [row["order"] for row in generate.sample(300, "p", 7, generate.STREAM)]
    trained, served = (side(rows) for side in both_sides)
    assert list(trained.columns) == list(served.columns)
    np.testing.assert_array_equal(trained.to_numpy(), served.to_numpy())
    assert 0.05 < np.isnan(trained["utilisation"]).mean() < 0.3
    assert trained["instalment_ratio"].between(0, 2).all()
    assert (trained["history_months"].dropna() > 0).all()


def test_one_row_is_what_it_is_among_others(both_sides):
    rows = [row["order"] for row in generate.sample(40, "q", 7, generate.STREAM)]
    served = both_sides[1]
    together = served(rows).to_numpy()
    alone = np.vstack([served([row]).to_numpy() for row in rows])
    np.testing.assert_array_equal(together, alone)


def test_the_policy_is_what_was_registered_with_the_champion():
    champion = next(version for version in model.HISTORY if "champion" in version.aliases)
    assert Policy().threshold == champion.params["decision_threshold"]


@pytest.mark.parametrize(("probability", "decision"), [(0.1999, "approve"), (0.2, "decline"), (0.9, "decline")])
def test_both_sides_decide_alike(probability, decision):
    assert Policy().decide(probability) == model.decide(probability, 0.2) == decision


class Raw:
    """A fitted classifier behind MLflow's wrapper."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)

    def get_raw_model(self):
        return self

    def predict(self, features):
        by_class = {1.0: 0.3, 0.0: 0.7}
        return np.array([[by_class[name] for name in self.classes_]] * len(features))


@pytest.mark.parametrize("classes", [[0.0, 1.0], [1.0, 0.0]])
def test_the_probability_is_that_of_a_default_wherever_its_column_is(classes):
    assert Scorecard(Raw(classes)).predict([None]).tolist() == [0.3]


def test_a_decision_is_answered_logged_and_explained(both_sides, tmp_path):
    import serving.credit as workload

    settings = Settings("credit", tmp_path, "http://nowhere", "credit", "champion", "abc1234", "127.0.0.1", 0)
    served = Served("credit", "champion", 5, "run", "2026-01-01T00:00:00+00:00", Scorecard(Raw([0.0, 1.0])))
    with TestClient(application.create_app(settings, workload, served)) as client:
        assert client.get("/ready").status_code == 200
        answer = client.post("/predict", json=workload.SAMPLE).json()
        assert (answer["default_probability"], answer["decision"]) == (0.3, "decline")
        assert client.get("/info").json()["policy"] == {"threshold": 0.2}
        batch = client.post("/predict/batch", json={"applications": [workload.SAMPLE] * 3}).json()
        assert [entry["decision"] for entry in batch["predictions"]] == ["decline"] * 3
        summaries = json.dumps(client.get("/openapi.json").json())
        assert "Predict for one application" in summaries
        assert " order" not in summaries
    with closing(sqlite3.connect(tmp_path / "predictions.db")) as connection:
        assert connection.execute("SELECT DISTINCT decision FROM predictions").fetchall() == [("decline",)]


@pytest.mark.thorough
def test_a_probability_of_more_than_one_class_is_learnt(both_sides):
    rows = generate.history(7)[:4000]
    features, actual = both_sides[0]([row["order"] for row in rows]), np.array([row["actual"] for row in rows])
    fitted = model.pipeline({"c": 1.0}, 7).fit(features[:3000], actual[:3000])
    found = model.evaluate(fitted, features[3000:], actual[3000:])
    assert found["auc"] > 0.75
    assert abs(found["mean_probability"] - found["default_rate"]) < 0.04
    weights = model.importance(fitted, features[3000:], actual[3000:], 7)
    assert weights["form_minutes"] < 0.001 < weights["instalment_ratio"]
