"""What docker-compose.yml promises, read without an engine."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = ("mlflow", "training", "serving", "traffic")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_unnamed(name):
    service = SERVICES[name]
    assert "container_name" not in service
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "restart" not in service
    assert not str(service["user"]).startswith(("0", "root"))
    assert service.get("privileged") is None
    assert "docker.sock" not in yaml.safe_dump(service)


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_without_rights(name):
    service = SERVICES[name]
    assert service["user"].startswith("${CRASHLAB_UID:-10001}")
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", [name for name in SERVICES if "ports" in SERVICES[name]])
def test_ports_are_this_machines_alone(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("path", ["serving/Dockerfile", "training/Dockerfile", "training/registry/Dockerfile"])
def test_images_install_by_hash_and_drop_root(path):
    text = (ROOT / path).read_text()
    assert "--require-hashes" in text
    assert "USER 10001:10001" in text
    assert "ARG BASE=python:3.11-slim-bookworm" in text


def test_postgres_is_there_when_asked_for():
    assert SERVICES["postgres"]["profiles"] == ["postgres"]
    assert "BACKEND_STORE_URI" in SERVICES["mlflow"]["environment"]["_MLFLOW_SERVER_FILE_STORE"]
