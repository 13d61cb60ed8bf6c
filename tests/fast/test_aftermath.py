"""What a repair has to outlast is tried once, and the stack is put back."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crashlab import workload
from crashlab.aftermath import outlasted
from crashlab.hidden import HiddenRow, HiddenSet
from crashlab.model import Probe, ProbeRow
from crashlab.stack.base import Finished, Report, silent
from crashlab.stack.fake import FakeRegistry, FakeStack

ROOT = Path(__file__).parents[2]
ROWS = tuple(
    HiddenRow(order={"order_id": f"o{number}"}, actual=30.0, features={}, prediction=20.0 + number)
    for number in range(6)
)


class Api(ThreadingHTTPServer):
    """Answers every order with the number in its key, plus 15, plus the version that it loaded last."""

    daemon_threads = True
    version = 5


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self):
        orders = json.loads(self.rfile.read(int(self.headers["content-length"])))["orders"]
        answers = [{"eta_minutes": int(order["order_id"][1:]) + 15.0 + self.server.version} for order in orders]
        data = json.dumps({"predictions": answers}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@dataclass
class Serving(FakeStack):
    """A stack whose API loads what `champion` means when it is started anew, unless it is `deaf`."""

    api: Api | None = None
    deaf: bool = False

    def up(self, services: Sequence[str] = (), report: Report = silent) -> None:
        super().up(services, report)
        if self.api and not self.deaf:
            self.api.version = self.registry.aliased["champion"]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.api.server_address[1]}" if self.api else super().url(service)

    def run(self, service: str, argv: Sequence[str], stdin: str = "", timeout: float | None = None) -> Finished:
        if argv[3] != "score":
            return super().run(service, argv, stdin, timeout)
        numbers = [int(json.loads(line)["order_id"][1:]) for line in stdin.splitlines()]
        lines = [json.dumps({"features": {}, "prediction": number + 15.0 + int(argv[-1])}) for number in numbers]
        return Finished(0, "\n".join(lines), "")


@pytest.fixture
def stack(tmp_path) -> Iterator[Serving]:
    api = Api(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=api.serve_forever)
    thread.start()
    tags = {3: {"promotion": "superseded"}, 5: {"promotion": "approved"}, 6: {"promotion": "candidate"}}
    yield Serving(tmp_path, registry=FakeRegistry(tags, {"champion": 5}), api=api)
    api.shutdown()
    thread.join()
    api.server_close()


def tried(
    stack: Serving, *outlasts: str, wrong: bool = False, approved: tuple[int, ...] = (5,), mae: float = 4.1
) -> Probe:
    rows = tuple(
        ProbeRow(key=r.order["order_id"], expected=r.prediction, observed=r.prediction + wrong, actual=30, touched=True)
        for r in ROWS
    )
    found = Probe(rows=rows, served_version=5, alias_version=5, approved_versions=approved, mae=mae, healthy_mae=4.0)
    return outlasted(stack, workload.load(ROOT, "eta"), HiddenSet(rows=ROWS), found, outlasts)


def test_a_service_that_loads_what_was_promoted_follows(stack):
    assert tried(stack, "promotion").follows_promotion is True
    assert stack.registry.aliases() == {"champion": 5}
    assert stack.api.version == 5


def test_a_service_that_keeps_what_it_has_does_not_follow(stack):
    stack.deaf = True
    assert tried(stack, "promotion").follows_promotion is False
    assert stack.registry.aliases() == {"champion": 5}


def test_the_other_version_is_one_that_was_in_production(stack):
    moved = []
    stack.registry.move_alias = lambda alias, version: moved.append(version)
    tried(stack, "promotion")
    assert moved == [3, 5]


def test_the_training_job_is_held_to_the_hidden_requests(stack):
    stack.answers["rehearse"] = Finished(0, "\n".join(["32.0"] * len(ROWS)), "")
    found = tried(stack, "training")
    assert (found.rehearsal_mae, found.rehearsal_failed, found.follows_promotion) == (2.0, False, None)


def test_a_training_job_that_does_not_run_is_told(stack):
    stack.answers["rehearse"] = Finished(1, "", "NameError")
    found = tried(stack, "training")
    assert (found.rehearsal_mae, found.rehearsal_failed) == (None, True)


def test_nothing_is_tried_on_a_system_that_is_wrong_already(stack):
    assert tried(stack, "promotion", "training", wrong=True).follows_promotion is None
    assert tried(stack, "promotion", "training", approved=(3,)).follows_promotion is None
    assert tried(stack, "promotion", "training", mae=4.5).follows_promotion is None
    assert not stack.calls
