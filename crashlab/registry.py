"""Client of the stack's model registry, over MLflow's REST API.

The `mlflow` package is not imported: it takes seconds, and a handful of endpoints is all that is needed.
"""

import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from crashlab.errors import StackError, UsageError
from crashlab.stack.envs import canonical

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
PROXIED = "mlflow-artifacts:"
TIMEOUT = 30.0
"""Seconds for one request."""
NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate: the server is plain HTTP on this host, and loading authorities takes longer than a request."""
REFERENCE = "reference/sample.json"
"""Where a run keeps the sample of its training rows."""


@dataclass(frozen=True)
class Run:
    """A training run as it was logged: metrics are the last value of each."""

    run_id: str
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifact_uri: str = ""


class RegistryClient:
    """Reads and moves what one registered model has. Every method raises StackError where MLflow does not answer."""

    def __init__(self, url: str | Callable[[], str], model_name: str) -> None:
        self._url = url
        self.model_name = model_name

    @property
    def url(self) -> str:
        """Base address of the server, without a final slash."""
        return (self._url() if callable(self._url) else self._url).rstrip("/")

    def aliases(self) -> dict[str, int]:
        """Version by alias."""
        found = self._call("GET", "/registered-models/get", params={"name": self.model_name})["registered_model"]
        return {entry["alias"]: int(entry["version"]) for entry in found.get("aliases", [])}

    def move_alias(self, alias: str, version: int) -> None:
        """Point `alias` to `version`. Raises UsageError where there is no such version."""
        body = {"name": self.model_name, "alias": alias, "version": str(version)}
        self._call("POST", "/registered-models/alias", json=body)

    def versions(self) -> dict[int, Mapping[str, str]]:
        """Tags of each version, with `run_id`, `created` (milliseconds since 1970) and `status` among them."""
        found: dict[int, Mapping[str, str]] = {}
        token = ""
        while True:
            params = {"filter": f"name='{self.model_name}'", "max_results": "200"}
            page = self._call("GET", "/model-versions/search", params=params | ({"page_token": token} if token else {}))
            for entry in page.get("model_versions", []):
                tags = {tag["key"]: tag["value"] for tag in entry.get("tags", [])}
                found[int(entry["version"])] = {
                    **tags,
                    "run_id": entry.get("run_id", ""),
                    "created": str(entry.get("creation_timestamp", "")),
                    "status": entry.get("status", ""),
                }
            token = page.get("next_page_token", "")
            if not token:
                return dict(sorted(found.items()))

    def run(self, run_id: str) -> Run:
        """Metrics, parameters and tags of a run."""
        found = self._call("GET", "/runs/get", params={"run_id": run_id})["run"]
        data = found.get("data", {})
        return Run(
            run_id=run_id,
            metrics={entry["key"]: float(entry["value"]) for entry in data.get("metrics", [])},
            params={entry["key"]: entry["value"] for entry in data.get("params", [])},
            tags={entry["key"]: entry["value"] for entry in data.get("tags", [])},
            artifact_uri=found["info"]["artifact_uri"],
        )

    def requirements(self, version: int) -> dict[str, str]:
        """Packages logged with a version's model: pinned version by normal name; unpinned packages are left out."""
        text = self._artifact(self._model_uri(version), "requirements.txt").decode()
        found = {}
        for line in text.splitlines():
            match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?\s*==\s*([^\s;]+)", line)
            if match:
                found[canonical(match[1])] = match[2]
        return found

    def size_bytes(self, version: int) -> int | None:
        """Size of a version's stored model as MLflow noted it when it was logged; None where it noted none."""
        noted = re.search(r"^model_size_bytes: (\d+)$", self._description(version), re.MULTILINE)
        return int(noted[1]) if noted else None

    def python(self, version: int) -> str | None:
        """Version of the Python that a version's model was stored by, as MLflow noted it; None where it noted none."""
        noted = re.search(r"^\s+python_version: ['\"]?(\d+(?:\.\d+)+)", self._description(version), re.MULTILINE)
        return noted[1] if noted else None

    def _description(self, version: int) -> str:
        return self._artifact(self._model_uri(version), "MLmodel").decode()

    def reference_sample(self, version: int) -> dict[str, dict[str, list[float | None]]]:
        """Sample of a version's training rows by column: transformed under `features`, as received under `raw`."""
        run = self.run(self._version(version).get("run_id", ""))
        try:
            found = json.loads(self._artifact(run.artifact_uri, REFERENCE))
            return {"features": dict(found["features"]), "raw": dict(found["raw"])}
        except (ValueError, KeyError, TypeError) as error:
            raise StackError(f"The reference sample of version {version} is damaged.", "Train it again.") from error

    def _version(self, version: int) -> dict[str, Any]:
        params = {"name": self.model_name, "version": str(version)}
        return dict(self._call("GET", "/model-versions/get", params=params)["model_version"])

    def _model_uri(self, version: int) -> str:
        """Artifact location of a version: its source is a logged model, or the artifacts of a run in older records."""
        source = str(self._version(version)["source"])
        if not source.startswith("models:/"):
            return source
        found = self._call("GET", f"/logged-models/{quote(source.removeprefix('models:/'))}")
        return str(found["model"]["info"]["artifact_uri"])

    def _artifact(self, uri: str, path: str) -> bytes:
        if not uri.startswith(PROXIED):
            raise StackError(f"MLflow does not serve the artifacts at {uri}.", "Start it with --serve-artifacts.")
        # mlflow-artifacts:/0/models/... or mlflow-artifacts://host:port/0/models/...
        folder = re.sub(r"^//[^/]*", "", uri.removeprefix(PROXIED)).strip("/")
        return self._send("GET", f"{ARTIFACTS}/{quote(folder)}/{path}").content

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._send(method, API + path, **options)
        try:
            return dict(answer.json())
        except ValueError as error:
            raise StackError("MLflow answered something other than JSON.", "See `crashlab logs mlflow`.") from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            # A proxy of the user's cannot reach a server on this host.
            answer = httpx.request(
                method, self.url + path, timeout=TIMEOUT, trust_env=False, verify=NO_TRUST, **options
            )
        except httpx.HTTPError as error:
            raise StackError(
                "MLflow does not answer.", "See `crashlab logs mlflow`; `crashlab deploy` starts it again."
            ) from error
        if answer.is_success:
            return answer
        try:
            found = answer.json()
            code, reason = str(found.get("error_code", "")), str(found.get("message", ""))[:300]
        except (ValueError, AttributeError):
            code, reason = "", answer.text[:300]
        if method == "POST" and code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise UsageError(f"MLflow refused: {reason}", "See the versions and aliases in the MLflow UI.")
        raise StackError(f"MLflow answered {answer.status_code} to {path}.", reason)
