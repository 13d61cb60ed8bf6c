"""The registry's client against recorded answers of an MLflow 3 server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crashlab.errors import StackError, UsageError
from crashlab.registry import RegistryClient

API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
REQUIREMENTS = """mlflow==3.17.2
scikit-learn==1.9.1
Typing_Extensions == 4.1 ; python_version < '4'
uvicorn[standard]==0.5
# numpy==1
pandas>=2
"""


MLMODEL = """flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.2
  sklearn:
    sklearn_version: 1.9.1
model_size_bytes: 404049
run_id: r2
"""


def version(number: int, source: str = "models:/m-1") -> dict[str, Any]:
    return {
        "version": str(number),
        "run_id": f"r{number}",
        "creation_timestamp": 1795499526222,
        "status": "READY",
        "source": source,
        "tags": [{"key": "promotion", "value": "approved"}],
    }


PAGES = {
    "": {"model_versions": [version(3), version(2)], "next_page_token": "next"},
    "next": {"model_versions": [version(1)]},
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, Any]
    posted: list[Any]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _reply(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        answer = self.server.answers.get(parts.path)
        if callable(answer):
            answer = answer({key: value[0] for key, value in parse_qs(parts.query).items()})
        if answer is None:
            self._reply(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"})
        else:
            self._reply(200, answer)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posted.append(body)
        if body["version"] == "99":
            self._reply(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Model Version not found"})
        else:
            self._reply(200, {})

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.posted = []
    made.answers = {
        f"{API}/registered-models/get": {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}},
        f"{API}/model-versions/search": lambda query: PAGES[query.get("page_token", "")],
        f"{API}/model-versions/get": lambda query: {"model_version": version(int(query["version"]))},
        f"{API}/logged-models/m-1": {"model": {"info": {"artifact_uri": "mlflow-artifacts:/1/models/m-1/artifacts"}}},
        f"{API}/runs/get": lambda query: {
            "run": {
                "info": {"artifact_uri": f"mlflow-artifacts://host:5000/1/{query['run_id']}/artifacts"},
                "data": {
                    "metrics": [{"key": "mae", "value": 2.5}],
                    "params": [{"key": "seed", "value": "7"}],
                    "tags": [{"key": "release", "value": "abc"}],
                },
            }
        },
        f"{FILES}/1/models/m-1/artifacts/requirements.txt": REQUIREMENTS,
        f"{FILES}/1/models/m-1/artifacts/MLmodel": MLMODEL,
        f"{FILES}/1/r2/artifacts/reference/sample.json": {"features": {"a": [1.0, None]}, "raw": {}},
    }
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def client(server: Server) -> RegistryClient:
    return RegistryClient(lambda: f"http://127.0.0.1:{server.server_port}/", "eta")


def test_aliases_and_versions_of_every_page(client):
    assert client.aliases() == {"champion": 2}
    found = client.versions()
    assert list(found) == [1, 2, 3]
    assert found[2] == {"promotion": "approved", "run_id": "r2", "created": "1795499526222", "status": "READY"}


def test_a_model_without_aliases(client, server):
    server.answers[f"{API}/registered-models/get"] = {"registered_model": {"name": "eta"}}
    assert client.aliases() == {}


def test_moving_an_alias(client, server):
    client.move_alias("champion", 3)
    assert server.posted == [{"name": "eta", "alias": "champion", "version": "3"}]
    with pytest.raises(UsageError, match="Model Version not found"):
        client.move_alias("champion", 99)


def test_a_run(client):
    run = client.run("r2")
    assert (run.metrics, run.params, run.tags) == ({"mae": 2.5}, {"seed": "7"}, {"release": "abc"})


def test_the_size_of_a_model_is_the_one_that_was_noted(client, server):
    assert client.size_bytes(2) == 404049
    server.answers[f"{FILES}/1/models/m-1/artifacts/MLmodel"] = "model_id: m-1\n"
    assert client.size_bytes(2) is None
    assert client.python(2) is None


def test_the_python_of_a_model_is_the_one_that_stored_it(client):
    assert client.python(2) == "3.11.2"


def test_requirements_are_pins_by_normal_name(client):
    assert client.requirements(2) == {
        "mlflow": "3.17.2",
        "scikit-learn": "1.9.1",
        "typing-extensions": "4.1",
        "uvicorn": "0.5",
    }


def test_requirements_of_a_model_below_a_run(client, server):
    source = "mlflow-artifacts:/1/r1/artifacts/model"
    server.answers[f"{API}/model-versions/get"] = {"model_version": version(1, source)}
    server.answers[f"{FILES}/1/r1/artifacts/model/requirements.txt"] = "numpy==2.0\n"
    assert client.requirements(1) == {"numpy": "2.0"}


def test_artifacts_that_the_server_does_not_give(client, server):
    server.answers[f"{API}/model-versions/get"] = {"model_version": version(1, "s3://bucket/model")}
    with pytest.raises(StackError, match="does not serve the artifacts"):
        client.requirements(1)


def test_the_reference_sample(client, server):
    assert client.reference_sample(2) == {"features": {"a": [1.0, None]}, "raw": {}}
    server.answers[f"{FILES}/1/r2/artifacts/reference/sample.json"] = {"features": {}}
    with pytest.raises(StackError, match="is damaged"):
        client.reference_sample(2)
    with pytest.raises(StackError, match="answered 404"):
        client.reference_sample(3)


def test_a_server_that_is_down_or_is_none(server):
    with pytest.raises(StackError, match="does not answer"):
        RegistryClient("http://127.0.0.1:9", "eta").aliases()
    server.answers[f"{API}/registered-models/get"] = "<html>"
    with pytest.raises(StackError, match="other than JSON"):
        RegistryClient(f"http://127.0.0.1:{server.server_port}", "eta").aliases()


def test_a_proxy_of_the_users_is_not_asked(client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.aliases() == {"champion": 2}
