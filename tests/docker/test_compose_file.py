"""What Compose itself makes of docker-compose.yml is what the table of services says."""

import json
import os
import subprocess
from typing import Any

import pytest

from crashlab.stack import manifest
from crashlab.stack.services import SERVICES, command, environment
from tests.conftest import ROOT
from tests.fast.test_services import values


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DOCKER_HOST")}
    done = subprocess.run(
        ["docker", "compose", "config", "--format", "json"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout)["services"])


def test_the_same_services(config: dict[str, Any]) -> None:
    assert set(config) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_compose_says_what_the_table_says(config: dict[str, Any], name: str) -> None:
    service, entry = SERVICES[name], config[name]
    manifested = manifest.read(ROOT).variables if name == "serving" else {}
    assert entry["command"] == command(service, values(name))
    assert entry["environment"] == {**manifested, **environment(service, values(name))}
    assert (int(entry["mem_limit"]), entry["cpus"]) == (service.memory_mb * 2**20, service.cpus)
    assert entry["pids_limit"] == service.processes
    published = [(port["host_ip"], port["published"], port["target"]) for port in entry.get("ports", [])]
    assert published == ([("127.0.0.1", "0", service.port)] if service.port else [])
    asked = " ".join(entry.get("healthcheck", {}).get("test", []))
    assert (f"127.0.0.1:{service.port}{service.health}'" in asked) is bool(service.health)
    assert entry["read_only"]
    assert entry["user"] == "10001:10001"
    assert (entry["cap_drop"], entry["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert "restart" not in entry
