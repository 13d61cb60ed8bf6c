"""The same faults with containers: builds that fail, an engine that goes away, a stopped service, kills."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from crashlab.stack import engine
from crashlab.stack.compose import ComposeStack
from tests.conftest import ROOT, Ran, Shell
from tests.contract import nothing_is_left_of
from tests.kit import Live, begun, end, refused_by_log, release, write


@pytest.fixture(scope="module")
def contained(crashlab: Shell, begin: Callable[..., Live]) -> Iterator[Live]:
    one = begin("unit-mismatch", "--seed", "3", "--runtime", "compose")
    yield one
    project = engine.Engine(stack_of(crashlab, one.id).project)
    assert one("stop").code == 0
    nothing_is_left_of(project)


def stack_of(shell: Shell, identifier: str) -> ComposeStack:
    return ComposeStack(shell.home / "incidents" / identifier / "system", ROOT, shell.home, "eta")


def serving(live: Live) -> int:
    """How many serving containers there are."""
    return len(stack_of(live.shell, live.id).engine.containers("serving"))


def test_a_deployment_that_fails_leaves_the_old_version_serving(contained: Live) -> None:
    before = release(contained)
    folder = Path(contained.json("open", "workspace")["workspace"]) / "serving"
    entry, pins = folder / "__main__.py", folder / "internal.txt"
    good = {file: file.read_text(encoding="utf-8") for file in (entry, pins)}

    for file, text, message, reason in (
        (entry, "raise SystemExit('no luck today')\n" + good[entry], "ended before it was ready", "no luck today"),
        (pins, "featurelib==99.0.0\n", "The image of serving does not build.", "featurelib==99.0.0"),
    ):
        write(file, text)
        ran = contained("deploy")
        write(file, good[file])
        refused_by_log(ran, 4, message)
        assert reason in ran.err
        assert (release(contained), serving(contained)) == (before, 1)

    # Killed before the switch, the old version serves; run again, it completes and no candidate is left.
    with contained.until("starting the new version", "deploy") as running:
        end(running, signal.SIGKILL)
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


@pytest.mark.parametrize("service", ["serving", "mlflow"])
def test_a_stopped_service_fails_the_fix_and_a_deployment_brings_it_back(
    contained: Live, service: str, tmp_path: Path
) -> None:
    container = stack_of(contained.shell, contained.id).engine.running(service)
    subprocess.run(["docker", "stop", "--time", "2", str(container.id)], check=True, capture_output=True)
    ran: Ran = contained(
        "submit", "--json", str(write(tmp_path / "down.md", f"---\ncause: unit-mismatch\n---\n{service}\n"))
    )
    items = {item["id"]: item for item in ran.json["items"]}
    assert items["fix-ready"]["observed"] == f"Not running: {service}."
    assert {item["status"] for name, item in items.items() if name.startswith("fix-")} == {"failed"}
    assert contained("deploy").code == 0
    assert serving(contained) == 1
    assert {s["name"]: s["healthy"] for s in contained.json("status")["services"]}[service]


def test_a_killed_start_leaves_no_container_after_stop(crashlab: Shell, contained: Live) -> None:
    for phase in ("starting the serving API", "waiting for the serving API"):
        known = {path.name for path in (crashlab.home / "incidents").iterdir()}
        with begun(crashlab, phase, "start", "wrong-alias", "--runtime", "compose") as running:
            end(running, signal.SIGKILL)
        (killed,) = {path.name for path in (crashlab.home / "incidents").iterdir()} - known
        project = stack_of(crashlab, killed).engine
        assert crashlab("stop", "--json").json == {"stopped": [killed]}
        nothing_is_left_of(project)
    assert httpx.get(contained.json("open", "api")["api"] + "/ready", timeout=10).status_code == 200
