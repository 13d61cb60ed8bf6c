"""The API with a model and a preprocessing that are small and known."""

import json
import re
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import ClassVar

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict

from serving import app as application
from serving import timing
from serving.model import Served
from serving.prediction_log import PredictionLog, Row
from serving.settings import Settings


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    order_id: str
    placed_at: str = "2026-09-01T10:00:00Z"
    x: float | None


class Batch(BaseModel):
    orders: list[Order]


class Workload:
    TITLE = "Toy"
    ENTITY = "order_id"
    EVENT_TIME = "placed_at"
    PREDICTION_FIELD = "y"
    NOUN = "order"
    BATCH_KEY = "orders"
    SAMPLE: ClassVar = {"order_id": "s", "placed_at": "2026-09-01T10:00:00Z", "x": 1.0}
    Order = Order
    Batch = Batch

    class Preprocessor:
        def __init__(self, data):
            pass

        def transform(self, rows):
            return pd.DataFrame({"x": [row["x"] for row in rows]}, dtype="float64")


@dataclass
class Model:
    factor: float = 2.0
    pause: float = 0.0

    def predict(self, features):
        time.sleep(self.pause)
        return (features["x"].fillna(10.0) * self.factor).to_numpy()


def served(model):
    return Served("toy", "champion", 5, "run", "2026-01-01T00:00:00+00:00", model)


@pytest.fixture
def settings(tmp_path):
    return Settings("toy", tmp_path, "http://nowhere", "toy", "champion", "abc1234", "127.0.0.1", 0)


@pytest.fixture
def client(settings):
    with TestClient(application.create_app(settings, Workload, served(Model())), raise_server_exceptions=False) as made:
        yield made


def log_rows(folder):
    with closing(sqlite3.connect(folder / "predictions.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM predictions ORDER BY id")]


def test_a_prediction_is_answered_and_logged(settings):
    with TestClient(application.create_app(settings, Workload, served(Model()))) as client:
        answer = client.post("/predict", json={"order_id": "o1", "placed_at": "2026-09-01T12:00:00+02:00", "x": None})
        assert answer.status_code == 200
        assert (answer.json()["y"], answer.json()["model_version"]) == (20.0, 5)
    # Leaving the context is the shutdown, which writes what is queued.
    (row,) = log_rows(settings.data)
    assert json.loads(row["raw"])["x"] is None
    assert json.loads(row["features"]) == {"x": None}
    assert row["event_time"] == "2026-09-01T10:00:00+00:00"
    assert (row["entity"], row["prediction"], row["model_version"], row["release"]) == ("o1", 20.0, 5, "abc1234")


def test_a_batch_keeps_its_order(client):
    orders = [{"order_id": str(i), "x": float(i)} for i in range(5)]
    answers = client.post("/predict/batch", json={"orders": orders}).json()["predictions"]
    assert [(a["order_id"], a["y"]) for a in answers] == [(str(i), 2.0 * i) for i in range(5)]
    assert client.post("/predict/batch", json={"orders": []}).json() == {"predictions": []}


def test_errors_have_one_shape(client):
    for response, status, kind in (
        (client.post("/predict", json={"order_id": "o"}), 422, "invalid_request"),
        (client.post("/predict", json={"order_id": "o", "x": 1, "z": 1}), 422, "invalid_request"),
        (client.get("/nothing"), 404, "not_found"),
        (client.get("/predict"), 405, "method_not_allowed"),
        (client.post("/predict/batch", json={"orders": [{"order_id": "o", "x": 1}] * 501}), 413, "batch_too_large"),
    ):
        assert response.status_code == status
        assert response.json()["error"]["type"] == kind
    assert client.post("/predict", json={"order_id": "o"}).json()["error"]["field"] == "x"


def test_readiness_predicts(settings):
    class Broken(Model):
        def predict(self, features):
            raise AttributeError("'SimpleImputer' object has no attribute '_fill_dtype'")

    with TestClient(application.create_app(settings, Workload, served(Broken()))) as client:
        assert client.get("/health").status_code == 200
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert "_fill_dtype" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("stored", "status"), [(1.0, 200), (float("inf"), 503)])
def test_readiness_predicts_the_example_that_is_stored_with_the_model(settings, stored, status):
    known = replace(served(Model()), example=pd.DataFrame({"x": [1.0, stored]}))
    with TestClient(application.create_app(settings, Workload, known)) as client:
        assert client.get("/ready").status_code == status


def test_an_unexpected_error_says_its_type_alone(settings):
    class Broken(Model):
        def predict(self, features):
            raise ZeroDivisionError("secret")

    app = application.create_app(settings, Workload, served(Broken()))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/predict", json={"order_id": "o", "x": 1.0})
    assert answer.status_code == 500
    assert answer.json() == {"error": {"type": "internal_error", "message": "ZeroDivisionError"}}


def test_health_answers_while_predictions_are_slow(settings):
    with TestClient(application.create_app(settings, Workload, served(Model(pause=1.0)))) as client:
        thread = threading.Thread(target=client.post, args=("/predict",), kwargs={"json": {"order_id": "o", "x": 1.0}})
        thread.start()
        time.sleep(0.1)
        begin = time.monotonic()
        assert client.get("/health").status_code == 200
        assert time.monotonic() - begin < 0.5
        thread.join()


def test_identity_and_metrics(client):
    client.post("/predict", json={"order_id": "o", "x": 1.0})
    info = client.get("/info").json()
    assert info["model"]["version"] == 5
    assert info["packages"]["pandas"] == pd.__version__
    text = client.get("/metrics").text
    assert 'http_requests_total{route="/predict",status="200"} 1.0' in text
    assert 'model_info{name="toy",run_id="run",version="5"} 1.0' in text
    assert "predictions_total 1.0" in text


def durations(answer):
    return {name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", answer.headers["server-timing"])}


def test_an_answer_says_where_its_time_went(settings):
    with TestClient(application.create_app(settings, Workload, served(Model(pause=0.2)))) as client:
        start = {"X-Request-Start": f"t={time.time() - 0.4:.3f}"}
        answer = client.post("/predict", json={"order_id": "o", "x": 1.0}, headers=start)
        found = durations(answer)
        assert tuple(found) == timing.STAGES
        assert found["wait"] == pytest.approx(400, abs=100)
        assert found["model"] == pytest.approx(200, abs=100)
        assert max(found["features"], found["record"]) < 100
        assert "server-timing" not in client.get("/health").headers
        text = client.get("/metrics").text
        assert 'http_request_stage_seconds_count{route="/predict",stage="model"} 1.0' in text
        assert 'stage_seconds_count{route="/health"' not in text


def test_requests_beside_each_other_keep_their_own_account(settings):
    class Sleeper(Model):
        def predict(self, features):
            time.sleep(float(features["x"].iloc[0]))
            return super().predict(features)

    with TestClient(application.create_app(settings, Workload, served(Sleeper()))) as client:
        with ThreadPoolExecutor(2) as pool:
            orders = ({"order_id": "o", "x": seconds} for seconds in (0.1, 0.5))
            quick, slow = pool.map(lambda order: durations(client.post("/predict", json=order)), orders)
        assert quick["model"] == pytest.approx(100, abs=90)
        assert slow["model"] == pytest.approx(500, abs=90)


def test_a_stage_outside_of_a_request_is_kept_nowhere():
    with timing.stage("model"):
        pass
    account = timing.begin()
    with pytest.raises(ZeroDivisionError), timing.stage("model"):
        _ = 1 / 0
    timing.spent("model", 1.0)
    assert account["model"] > 1.0
    assert timing.header({"wait": 0.0012}) == "wait;dur=1.20"


def test_a_row_of_a_batch_has_waited_for_those_before_it(settings):
    class Slow(PredictionLog):
        def add(self, row):
            time.sleep(0.05)
            super().add(row)

    app = application.create_app(settings, Workload, served(Model()))
    app.state.service.log = Slow(settings.data / "predictions.db", lambda _: None)
    with TestClient(app) as client:
        client.post("/predict/batch", json={"orders": [{"order_id": str(i), "x": 1.0} for i in range(4)]})
    first, *_, last = (row["latency_ms"] for row in log_rows(settings.data))
    assert last - first >= 150


def test_the_docs_page_asks_no_other_host(client):
    page = client.get("/docs").text
    assert "openapi.json" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("header", "waited"),
    [(None, 0), ("nonsense", 0), ("t=nan", 0), ("t={:.3f}", 0.4), ("t=1", 0), ("t=99999999999", 0)],
)
def test_latency_counts_from_the_gateway(header, waited):
    text = header and header.format(time.time() - 0.4)
    assert time.perf_counter() - application.arrival(text) == pytest.approx(waited, abs=0.1)


def row(number):
    return Row(f"r{number}", "e", "2026-09-01T10:00:00+00:00", "now", {}, {}, 1.0, 1, "r", 1.0)


def test_a_full_log_drops_and_counts(tmp_path):
    dropped = []
    log = PredictionLog(tmp_path / "predictions.db", dropped.append, capacity=2)
    for number in range(5):
        log.add(row(number))
    assert sum(dropped) == 3
    log.start()
    log.close()
    assert [found["request_id"] for found in log_rows(tmp_path)] == ["r0", "r1"]


def test_a_disk_that_fails_costs_rows_and_not_the_service(tmp_path):
    dropped = []
    log = PredictionLog(tmp_path / "predictions.db", dropped.append)
    log.start()
    with closing(sqlite3.connect(tmp_path / "predictions.db")) as connection, connection:
        connection.execute("DROP TABLE predictions")
    log.add(row(1))
    log.close()
    assert dropped == [1]


def test_flush_waits_for_the_disk(tmp_path):
    log = PredictionLog(tmp_path / "predictions.db", lambda _: None)
    log.start()
    for number in range(50):
        log.add(row(number))
    log.flush()
    assert len(log_rows(tmp_path)) == 50
    log.close()


def test_as_many_threads_answer_as_the_deployment_says(tmp_path):
    settings = Settings("toy", tmp_path, "", "toy", "champion", "r", "127.0.0.1", 0, threads=2)
    served = Served(name="toy", alias="champion", version=1, run_id="r", loaded_at="", predictor=Model(pause=0.2))
    with TestClient(application.create_app(settings, Workload, served)) as client:
        began = time.monotonic()
        senders = [
            threading.Thread(target=client.post, args=("/predict",), kwargs={"json": {"order_id": str(i), "x": 1.0}})
            for i in range(6)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        # Six requests of 0.2 s on two threads take three rounds.
        assert time.monotonic() - began >= 0.6


def test_a_log_of_an_earlier_release_gets_the_column_of_the_process(tmp_path):
    from serving.prediction_log import SCHEMA

    with closing(sqlite3.connect(tmp_path / "predictions.db")) as connection, connection:
        connection.execute(SCHEMA.replace(", process INTEGER", ""))
    log = PredictionLog(tmp_path / "predictions.db", lambda _: None)
    log.start()
    log.add(Row("r", "e", "2026-09-01T10:00:00+00:00", "now", {}, {}, 1.0, 1, "r", 1.0, None, 4711))
    log.close()
    assert [found["process"] for found in log_rows(tmp_path)] == [4711]
