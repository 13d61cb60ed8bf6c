"""A serving API that answers nothing: what the gateway records, what is measured, which rule fires, how a fix is held."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crashlab import alerts, evidence, hidden, production, workload
from crashlab.errors import StackError
from crashlab.evidence.deployed import log_facts, pin_facts
from crashlab.evidence.observer import Observer, Windows
from crashlab.evidence.requests import request_facts
from crashlab.model import LatencyProbe
from crashlab.stack.fake import FakeStack
from crashlab.starting import bring_up
from training import traffic
from training.eta import generate
from training.settings import Settings

ROOT = Path(__file__).parents[2]
ETA = workload.load(ROOT, "eta")
AT = datetime(2026, 9, 5, tzinfo=UTC)
WINDOWS = Windows((ETA.calendar.week_start, ETA.calendar.baseline_end), (AT, AT + timedelta(days=2)))


class Answers(BaseHTTPRequestHandler):
    """Answers single orders and fails batches."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.path == "/predict" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("SERVING_URL", url)
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def settings(folder: Path) -> Settings:
    return Settings(workload="eta", data=folder, tracking_uri="", model_name="eta", alias="champion", release="r")


def replay(folder: Path, **options: bool) -> int:
    (folder / "data").mkdir(exist_ok=True)
    generate.write_stream(7, folder / "data")
    return traffic.replay(settings(folder / "data"), AT, AT + timedelta(hours=12), 1, 4, **options)


def observer(folder: Path, stack: FakeStack | None = None) -> Observer:
    return Observer(stack or FakeStack(folder), ETA, WINDOWS)


def test_the_gateway_records_every_request_with_its_status(tmp_path, api):
    answered = replay(tmp_path, as_it_is=True)
    found = production.requests(tmp_path / "data", AT, AT + timedelta(hours=12))
    sent = sum(request.rows for request in found)
    assert {request.status for request in found} == {200, 500}
    assert answered == sum(request.rows for request in found if not request.failed)
    assert 0.15 < answered / sent < 0.25
    assert found == sorted(found, key=lambda request: request.event_time)
    assert production.requests(tmp_path / "data", AT, AT + timedelta(hours=12), sent_since=datetime.now(UTC)) == []
    facts = request_facts(observer(tmp_path))
    assert facts["requests failed_share"] == facts["requests status=500 share"]
    assert not observer(tmp_path).silent


def test_a_dead_api_is_sent_everything_and_ends_no_replay(tmp_path, monkeypatch):
    monkeypatch.setenv("SERVING_URL", "http://127.0.0.1:9")
    assert replay(tmp_path, as_it_is=True) == 0
    seen = observer(tmp_path)
    assert seen.silent
    facts = request_facts(seen)
    assert facts["requests failed_share"] == facts["requests status=none share"] == 1
    with closing(sqlite3.connect(tmp_path / "data" / "labels.db")) as connection:
        assert connection.execute("SELECT count(*) FROM labels").fetchone()[0] > 0
    monkeypatch.setattr(traffic, "PATIENCE", 0.1)
    with pytest.raises(SystemExit, match="None of the orders was answered"):
        replay(tmp_path)


def recorded(folder: Path, *statuses: int) -> Observer:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    entries = [
        traffic.Entry((AT + timedelta(minutes=n)).isoformat(), AT.isoformat(), "/predict", 1, status)
        for n, status in enumerate(statuses)
    ]
    traffic.keep(settings(folder / "data"), entries)
    return observer(folder)


def test_the_rule_fires_from_the_first_request_that_failed(tmp_path):
    seen = recorded(tmp_path, *[200] * 60, *[503] * 30, *[0] * 10)
    (alert,) = alerts.evaluate(seen)
    assert (alert.rule, alert.observed, alert.threshold) == (alerts.UNANSWERED, 0.4, ETA.rules.error_rate)
    assert alert.since == AT + timedelta(minutes=60)


@pytest.mark.parametrize("statuses", [[200] * 100, [201] * 100, [503] * 29, [200] * 199 + [500]])
def test_the_rule_stays_silent(tmp_path, statuses):
    assert alerts.evaluate(recorded(tmp_path, *statuses)) == ()


def test_what_nobody_answers_is_no_failure_of_the_evidence(tmp_path):
    found = evidence.collect(recorded(tmp_path, *[0] * 40), "broken")
    assert found.facts["errors rate"] == 1
    assert found.facts["service serving running"] is False
    assert not {"parity", "category", "batch", "decision", "serving"} & set(found.failures)
    assert not [key for key in found.facts if key.startswith(("parity", "batch"))]
    found = evidence.collect(recorded(tmp_path / "other", *[200] * 40), "broken")
    assert {"parity", "batch", "serving"} <= set(found.failures)


def test_the_last_error_of_the_log_is_a_fact_that_can_be_cited(tmp_path):
    log = """INFO started
Traceback (most recent call last):
  File "x.py", line 1, in <module>
KeyError: 'a'
mlflow.exceptions.MlflowException: first
ModuleNotFoundError: No module named 'numpy._core.numeric' [a=b]
ERROR Application startup failed. Exiting.
"""
    facts = log_facts(observer(tmp_path, FakeStack(tmp_path, log={"serving": log})))
    assert facts["logs error"] == "ModuleNotFoundError"
    assert facts["logs error_message"] == "No module named numpy._core.numeric ab"
    assert "logs error" not in log_facts(observer(tmp_path, FakeStack(tmp_path, log={"serving": "INFO ok"})))


def test_a_library_of_the_house_is_absent_where_it_is_not_installed(tmp_path):
    stack = FakeStack(tmp_path, installed={"serving": {"featurelib": "2.1.0"}, "training": {"kit": "1.0"}})
    for side, lines in (("serving", "featurelib==2.1.0\n"), ("training", "featurelib==2.1.0\nkit==1.0\n")):
        folder = stack.workspace.path / side
        folder.mkdir(parents=True)
        (folder / "internal.txt").write_text(lines)
    facts = pin_facts(observer(tmp_path, stack))
    assert facts["pin serving kit"] == "absent"
    assert facts["pin training kit"] == "1.0"
    assert facts["pin serving featurelib"] == "2.1.0"
    assert facts["pin training featurelib"] == "absent"
    assert "pin model kit" not in facts


def test_only_an_api_that_may_be_dead_is_left_so(tmp_path):
    stack = FakeStack(tmp_path, broken={"serving"})
    bring_up(stack, dead=True)
    with pytest.raises(StackError, match="serving ended"):
        bring_up(stack)


@pytest.mark.parametrize("live", [True, False])
def test_a_dead_api_is_graded_as_it_was_left_or_by_what_replaces_it(tmp_path, live):
    row = hidden.HiddenRow(order={ETA.entity: "o1"}, actual=1.0, features={}, prediction=1.0)
    stack = FakeStack(tmp_path, running={"mlflow"}, build_error="The new version ended before it was ready.")
    usual = LatencyProbe(p50_ms=1, p95_ms=1, p99_ms=1, health_p99_ms=1, error_rate=0)
    found = hidden.probe(stack, ETA, hidden.HiddenSet(rows=(row,)), usual, 5, live=live)
    tried = "deploy" in [name for name, _ in stack.calls]
    assert tried is not live
    assert found.failure == ("The serving API is not running." if live else "The workspace does not deploy.")
    assert found.redeployed is live
    assert json.loads(found.model_dump_json())["services"] == {"mlflow": True, "serving": False}
