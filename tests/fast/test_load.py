"""How long requests take, and when it is known well enough."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crashlab import load
from crashlab.model import LatencyProbe


class Server(ThreadingHTTPServer):
    daemon_threads = True
    pause = 0.0
    asked = 0

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []
        self.paths: list[str] = []
        self.starts: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        self.answer({"status": "ok"})

    def do_POST(self):
        self.server.seen.append((json.loads(self.rfile.read(int(self.headers["content-length"]))), self.client_address))
        self.server.asked += 1
        self.server.paths.append(self.path)
        self.server.starts.append(self.headers.get("x-request-start"))
        time.sleep(self.server.pause)
        self.answer({"y": 2.5}, {"server-timing": "wait;dur=0.10, features;dur=4.25, model;dur=7"})

    def answer(self, body, headers=None):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def usual(p95_ms: float) -> LatencyProbe:
    return LatencyProbe(p50_ms=p95_ms, p95_ms=p95_ms, p99_ms=p95_ms, health_p99_ms=1000, error_rate=0)


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


PAYLOADS = [{"i": i} for i in range(8)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("pause", "p95_ms", "rounds"),
    [
        (0.0, 1000.0, 1),  # as quick as usual
        (0.1, 60.0, 3),  # slower, perhaps by the host's load: the quickest of three is believed
        (0.1, 10.0, 1),  # so slow that no further round could save it
        (0.1, 0.0, 3),  # nothing is known of the usual
    ],
)
def test_as_many_rounds_as_can_make_a_difference(server, pause, p95_ms, rounds):
    server.pause = pause
    found = load.steady(url(server), PAYLOADS, "y", usual(p95_ms))
    assert server.asked == rounds * len(PAYLOADS)
    assert found.p50_ms >= pause * 1000
    assert found.error_rate == 0


def test_a_round_that_was_timed_already_is_not_repeated(server):
    answers, first = load.timed(url(server), PAYLOADS, "y")
    assert [answer.value for answer in answers] == [2.5] * len(PAYLOADS)
    assert load.steady(url(server), PAYLOADS, "y", usual(1000), first) == first
    assert server.asked == len(PAYLOADS)


def test_every_round_has_an_order_of_its_own_and_every_request_a_connection(server):
    answers = load.rounds(url(server), PAYLOADS, "y", 3)
    assert answers == [[2.5] * len(PAYLOADS)] * 3
    sent = [payload["i"] for payload, _ in server.seen]
    first, second, third = (sent[start : start + len(PAYLOADS)] for start in (0, 8, 16))
    assert first == sorted(second) == sorted(third) == list(range(8))
    assert len({tuple(first), tuple(second), tuple(third)}) == 3
    assert len({address for _, address in server.seen}) == 24


def test_a_slow_server_is_asked_twice(server):
    server.pause = 0.02
    assert len(load.rounds(url(server), PAYLOADS, "y", 3, patience=0.1)) == 2


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((30.0, 30.0), False),
        ((30.0, 30.002), False),
        ((30.0, 30.01), True),
        ((0.1, 0.1002), True),
        ((30.0, None), False),
    ],
)
def test_answers_differ_by_more_than_rounding(answers, expected):
    assert load.apart(answers) is expected


def test_stages_are_read_from_the_header_and_arrival_is_said(server):
    (answer,) = load.ask_all(url(server), PAYLOADS[:1], "y")
    assert answer.stages == {"wait": 0.1, "features": 4.25, "model": 7.0}
    assert abs(float(server.starts[0].removeprefix("t=")) - time.time()) < 5
    assert load.stages({"server-timing": 'cache;desc="hit", total'}) == {}
    assert load.stages({}) == {}


def test_a_stage_that_an_answer_leaves_out_took_no_time(server):
    (answer,) = load.ask_all(url(server), PAYLOADS[:1], "y")
    bare = load.Answer(200, 1.0, 5.0)
    assert load.median_ms([answer], "features") == 4.25
    assert load.median_ms([answer, bare, bare], "features") == 0.0
    assert load.median_ms([bare]) == 5.0


def test_a_slow_system_is_asked_no_more_than_it_takes(server):
    server.pause = 0.1
    answers = load.ask_all(url(server), [{"i": i} for i in range(60)], "y", seconds=0.05)
    assert len(answers) == load.FEWEST == server.asked


def test_requests_alone_are_single_ones_or_batches(server):
    assert len(load.alone(url(server), PAYLOADS, "orders", 1)) == load.TIMES
    assert len(load.alone(url(server), PAYLOADS, "orders", 8)) == load.TIMES
    assert server.paths == ["/predict"] * load.TIMES + ["/predict/batch"] * load.TIMES


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("expected", "rounds"),
    [
        (1000.0, 1),  # as quick as usual
        (30.0, 3),  # slower, perhaps by the host's load
        (2.0, 1),  # so slow that no further round could save it
    ],
)
def test_latency_alone_takes_as_many_rounds_as_can_make_a_difference(server, expected, rounds):
    server.pause = 0.07
    known = usual(1000).model_copy(update={"alone_ms": expected, "batch_ms": expected})
    found = load.lonely(url(server), PAYLOADS, "orders", known)
    assert min(found.values()) >= 70
    # A busy host may cut a round short.
    assert 2 * (rounds - 1) * load.TIMES < server.asked <= 2 * rounds * load.TIMES


@pytest.mark.thorough
def test_every_round_sends_other_requests(server):
    seen = []

    def vary(payload, number):
        seen.append((payload["i"], number))
        return payload

    server.pause = 0.1
    load.steady(url(server), PAYLOADS, "y", usual(60), vary=vary)
    load.lonely(url(server), PAYLOADS, "orders", usual(60), vary)
    assert len(seen) == len(set(seen)) > 0


def test_a_system_that_is_slow_alone_is_hopeless():
    healthy = usual(60).model_copy(update={"alone_ms": 10.0, "batch_ms": 20.0})
    assert not load.hopeless(healthy, healthy)
    assert not load.hopeless(healthy.model_copy(update={"alone_ms": 85.0}), healthy)
    assert load.hopeless(healthy.model_copy(update={"alone_ms": 95.0}), healthy)
    assert load.hopeless(healthy.model_copy(update={"batch_ms": 140.0}), healthy)
    assert not load.hopeless(healthy.model_copy(update={"batch_ms": 140.0}), usual(60))
