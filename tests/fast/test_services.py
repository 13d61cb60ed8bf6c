"""docker-compose.yml says what the table of services says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crashlab.errors import UsageError
from crashlab.stack import manifest
from crashlab.stack.services import LAUNCH, LAUNCH_FILE, SERVICES, command, environment, find, launch

ROOT = Path(__file__).resolve().parents[2]
VALUES = {
    "host": "0.0.0.0",  # noqa: S104 what a container binds
    "mlflow": "/mlflow",
    "data": "/data",
    "workload": "eta",
    "model": "eta",
    "release": "local",
    "launch": LAUNCH,
    "mlflow_url": "http://mlflow:5000",
    "serving_url": "http://serving:8000",
}


def interpolate(value: Any) -> Any:
    """Compose's `${NAME:-default}` with no variable set."""
    if isinstance(value, dict):
        return {key: interpolate(item) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item) for item in value]
    if not isinstance(value, str):
        return value
    # A default may hold another variable; the innermost ones are replaced first.
    while (replaced := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", value)) != value:
        value = replaced
    return value


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(interpolate(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))))


def values(name: str) -> dict[str, str]:
    return {**VALUES, "port": str(SERVICES[name].port or "")}


def test_the_same_services(compose):
    default = {name for name, entry in compose["services"].items() if "profiles" not in entry}
    assert default == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_the_same_command(compose, name):
    assert [str(part) for part in compose["services"][name]["command"]] == command(SERVICES[name], values(name))


@pytest.mark.parametrize("name", SERVICES)
def test_the_same_environment(compose, name):
    found = {key: str(value) for key, value in compose["services"][name]["environment"].items()}
    assert found == environment(SERVICES[name], values(name))


def test_a_stack_launches_when_its_folder_says(tmp_path):
    assert launch(tmp_path) == LAUNCH
    (tmp_path / LAUNCH_FILE).write_text("2026-11-16\n")
    assert launch(tmp_path) == "2026-11-16"


@pytest.mark.parametrize("name", SERVICES)
def test_the_same_port_on_the_loopback_interface(compose, name):
    ports = compose["services"][name].get("ports", [])
    port = SERVICES[name].port
    assert ports == ([f"127.0.0.1:0:{port}"] if port else [])


@pytest.mark.parametrize("name", SERVICES)
def test_the_same_health_path(compose, name):
    service, entry = SERVICES[name], compose["services"][name]
    if not service.health:
        assert "healthcheck" not in entry
        return
    assert f"http://127.0.0.1:{service.port}{service.health}'" in " ".join(entry["healthcheck"]["test"])


@pytest.mark.parametrize("name", SERVICES)
def test_the_same_limits(compose, name):
    entry = compose["services"][name]
    assert entry["mem_limit"] == f"{SERVICES[name].memory_mb}m"
    assert float(entry["cpus"]) == SERVICES[name].cpus
    assert entry["pids_limit"] == SERVICES[name].processes


@pytest.mark.parametrize("name", SERVICES)
def test_requirements_and_code_are_there(name):
    service = SERVICES[name]
    assert (ROOT / service.requirements / "requirements.txt").is_file()
    assert (ROOT / service.requirements / "requirements.in").is_file()
    if service.code:
        assert (ROOT / service.code / "__main__.py").is_file()
        assert re.fullmatch(r"featurelib==[\d.]+\n", (ROOT / service.requirements / "internal.txt").read_text())


def test_compose_is_hardened(compose):
    for name in SERVICES:
        entry = compose["services"][name]
        assert "container_name" not in entry, name
        assert entry["read_only"], name
        assert not entry["user"].startswith(("0", "root")), name
        assert "docker.sock" not in str(entry), name


def test_the_manifest_says_what_table_and_compose_file_say(compose):
    said = manifest.read(ROOT)
    serving = compose["services"]["serving"]
    assert (said.memory_mb, said.cpus) == (SERVICES["serving"].memory_mb, SERVICES["serving"].cpus)
    assert said.variables["SERVING_MEMORY"] == serving["mem_limit"]
    assert float(said.variables["SERVING_CPUS"]) == float(serving["cpus"])
    assert serving["env_file"] == [manifest.FILE]
    # The table goes before the manifest, so a name in both would be a setting that does nothing.
    assert not set(said.variables) & set(environment(SERVICES["serving"], values("serving")))


def test_an_unknown_service_is_the_callers_error():
    with pytest.raises(UsageError, match="no service 'nginx'"):
        find("nginx")
