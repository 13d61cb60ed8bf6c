"""The same faults with containers: builds that fail, an engine that goes away, a stopped service, kills."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from crashlab.stack import engine
from crashlab.stack.compose import ComposeStack
from tests.conftest import CRASHLAB, ROOT, Ran, Shell
from tests.contract import nothing_is_left_of
from tests.docker.conftest import stack_of
from tests.kit import Live, begun, end, refused, refused_by_log, release, write

FULL = "RUN --mount=type=tmpfs,target=/small,size=1m dd if=/dev/zero of=/small/file bs=1M count=3\n"
"""A step of a build whose disk is full."""


def serving(live: Live) -> int:
    """How many serving containers there are."""
    return len(stack_of(live.shell, live.id).engine.containers("serving"))


def test_a_deployment_that_fails_leaves_the_old_version_serving(contained: Live) -> None:
    before = release(contained)
    folder = Path(contained.json("open", "workspace")["workspace"]) / "serving"
    entry, pins, recipe = folder / "__main__.py", folder / "internal.txt", folder / "Dockerfile"
    good = {file: file.read_text(encoding="utf-8") for file in (entry, pins, recipe)}
    unknown = good[recipe].replace("BASE=python:3.11-slim-bookworm", "BASE=python:3.11-nowhere")

    for file, text, message, reason in (
        (entry, "raise SystemExit('no luck today')\n" + good[entry], "ended before it was ready", "no luck today"),
        (entry, "held = b'x' * (700 << 20)\n" + good[entry], "SERVING_MEMORY of the manifest, was used up", ""),
        (pins, "featurelib==99.0.0\n", "The image of serving does not build.", "featurelib==99.0.0"),
        (recipe, good[recipe] + FULL, "the disk is full", "docker builder prune"),
        (recipe, unknown, "the image python:3.11-nowhere could not be pulled", "docker pull python:3.11-nowhere"),
    ):
        write(file, text)
        ran = contained("deploy")
        write(file, good[file])
        refused_by_log(ran, 4, message)
        assert reason in ran.err
        assert (release(contained), serving(contained)) == (before, 1)

    # Ended before the switch, the old version serves; run again, it completes and no candidate is left.
    for number in (signal.SIGINT, signal.SIGKILL):
        with contained.until("starting the new version", "deploy") as running:
            end(running, number)
        assert release(contained) == before
    found = contained.json("deploy")
    assert found["commit"][:7] == release(contained) != before
    assert serving(contained) == 1


def test_an_engine_that_goes_away_while_grading_costs_nothing_of_the_fix(contained: Live, tmp_path: Path) -> None:
    file = write(tmp_path / "away.md", "---\ncause: unit-mismatch\n---\n\n## Root cause\nServing works in miles.\n")
    away = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    with contained.until("grading", "submit", str(file), env=away) as running:
        assert running.wait(60) == 1
    items = {item["id"]: item for item in contained("verdict", "--json").json["items"]}
    assert {(i["status"], i["points"]) for name, i in items.items() if name.startswith("fix-")} == {
        ("not graded", None)
    }
    assert items["cause"]["status"] != "not graded"
    assert contained.attempts()[-1]["graded"]
    with contained.until("Docker does not answer.", "stop", env=away) as running:
        assert running.wait(60) == 3
    assert httpx.get(contained.json("open", "api")["api"] + "/ready", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("service", "order"), [("serving", ["stop", "--time", "2"]), ("mlflow", ["kill"]), ("mlflow, serving", ["kill"])]
)
def test_a_stopped_service_fails_the_fix_and_a_deployment_brings_it_back(
    contained: Live, service: str, order: list[str], tmp_path: Path
) -> None:
    """All of them killed at once is what an engine that was restarted leaves."""
    project = stack_of(contained.shell, contained.id).engine
    containers = [str(project.running(name).id) for name in service.split(", ")]
    subprocess.run(["docker", *order, *containers], check=True, capture_output=True)
    told = {one["name"]: one["detail"] for one in contained.json("status")["services"]}
    for name in service.split(", "):
        assert told[name].endswith("killed" if order == ["kill"] else "stopped"), told
    ran: Ran = contained(
        "submit", "--json", str(write(tmp_path / "down.md", f"---\ncause: unit-mismatch\n---\n{service}\n"))
    )
    items = {item["id"]: item for item in ran.json["items"]}
    assert items["fix-ready"]["observed"] == f"Not running: {service}."
    assert {item["status"] for name, item in items.items() if name.startswith("fix-")} == {"failed"}
    assert contained("deploy").code == 0
    assert serving(contained) == 1
    healthy = {s["name"]: s["healthy"] for s in contained.json("status")["services"]}
    assert all(healthy[name] for name in service.split(", "))


def test_an_ended_start_leaves_no_container_after_stop(crashlab: Shell, contained: Live) -> None:
    for phase, number in (
        ("building the images", signal.SIGINT),
        ("building the images", signal.SIGKILL),
        ("starting the serving API", signal.SIGKILL),
        ("waiting for the serving API", signal.SIGKILL),
    ):
        known = {path.name for path in (crashlab.home / "incidents").iterdir()}
        with begun(crashlab, phase, "start", "wrong-alias", "--runtime", "compose") as running:
            (new,) = {path.name for path in (crashlab.home / "incidents").iterdir()} - known
            project = stack_of(crashlab, new).engine
            end(running, number)
        if number is signal.SIGKILL:
            assert crashlab("stop", "--json").json == {"stopped": [new]}
        else:
            assert not (crashlab.home / "incidents" / new).exists(), "an interrupted start cleans up by itself"
        nothing_is_left_of(project)
    assert httpx.get(contained.json("open", "api")["api"] + "/ready", timeout=10).status_code == 200


def test_a_command_that_goes_on_is_ended_with_its_system(tmp_path: Path) -> None:
    stack = ComposeStack(tmp_path / "eta" / "system", ROOT, tmp_path, "eta")
    # A step that was built once would be taken from the builder's cache, and end at once.
    slow = [
        "FROM python:3.11-slim-bookworm",
        f"RUN sleep 60 && echo {uuid4()}",
        f"LABEL {engine.PROJECT}={stack.project}",
    ]
    write(tmp_path / "Dockerfile", "\n".join(slow))
    write(tmp_path / "compose.yml", "services: {slow: {build: .}}\n")
    argv = ["docker", "compose", engine.PROJECT_OPTION, stack.project, "build"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as building:
        while not stack.engine.clients():
            assert building.poll() is None
            time.sleep(0.05)
        stack.down()
        assert building.poll() is not None
    nothing_is_left_of(stack.engine)


def test_doctor_reports_and_sweeps_what_is_left_of_a_system_that_is_gone(crashlab: Shell, contained: Live) -> None:
    name = "crashlab-gone-0123abcd"
    label = ["--label", f"com.docker.compose.project={name}"]
    assert {item["name"]: item["ok"] for item in crashlab("doctor", "--json").json}["leftovers"]
    try:
        for made in (
            ["network", "create", *label, f"{name}_default"],
            ["volume", "create", *label, f"{name}_data"],
            ["create", *label, "--name", f"{name}-serving-1", "python:3.11-slim-bookworm", "true"],
        ):
            subprocess.run(["docker", *made], check=True, capture_output=True)
        found = {item["name"]: item for item in crashlab("doctor", "--json").json}["leftovers"]
        assert (found["ok"], found["found"]) == (False, f"{name} (1 container, 1 network, 1 volume)")
        swept = crashlab("doctor", "--sweep", "--json")
        assert swept.err.splitlines() == [f"Removed {name}: 1 container, 1 network, 1 volume."]
        assert {item["name"]: item for item in swept.json}["leftovers"]["ok"]
    finally:
        engine.Engine(name).sweep(ROOT)
    assert httpx.get(contained.json("open", "api")["api"] + "/ready", timeout=10).status_code == 200


@pytest.mark.skipif(os.getuid() != 0, reason="a socket of another user is needed, which root alone can make")
def test_a_user_without_permission_is_told_so(crashlab: Shell, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        os.chown(path, 65534, 65534)
        path.chmod(0o600)
        done = subprocess.run(
            ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *CRASHLAB, "start", "wrong-alias",
             "--runtime", "compose"],
            cwd=ROOT, env={**crashlab.env, "DOCKER_HOST": f"unix://{path}"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    refused(Ran(done.returncode, done.stdout, done.stderr), 3, "This user may not talk to Docker.")
    assert "group `docker`" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="a mount of one's own is needed, which root alone can make")
@pytest.mark.parametrize("command", ["start wrong-alias --runtime compose", "verify wrong-alias --runtime compose"])
def test_docker_without_its_compose_plugin_is_told_so(crashlab: Shell, command: str) -> None:
    folder = subprocess.run(
        ["docker", "info", "--format", '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}'],
        check=True, capture_output=True, text=True,
    ).stdout.strip().rsplit("/", 1)[0]  # fmt: skip
    hidden = f'mount -t tmpfs none {folder} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hidden, "sh", *CRASHLAB, *command.split()],
        cwd=ROOT, env=crashlab.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    refused(Ran(done.returncode, done.stdout, done.stderr), 3, "Docker has no `compose` command.")
