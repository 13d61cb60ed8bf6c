"""Commands that need no incident, and wrong use of all: one sentence, a hint, the right exit code, no traceback."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crashlab.scenario import names
from tests.conftest import CRASHLAB, ROOT, Ran, Shell
from tests.kit import refused, refused_in_json

COMMANDS = (
    "list", "start", "status", "brief", "open", "logs", "shell", "measure", "notebook", "report", "deploy", "promote",
    "retrain", "hint", "submit", "verdict", "stop", "verify", "doctor", "demo", "bench", "taxonomy", "glossary",
)  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """The command line on a state folder in which nothing has happened yet."""
    return Shell(tmp_path / "state")


def run(shell: Shell, *argv: str, **environment: str) -> Ran:
    done = subprocess.run(
        [*CRASHLAB, *argv],
        cwd=ROOT,
        env={**shell.env, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_help_lists_every_command(empty: Shell) -> None:
    ran = empty()
    assert ran == empty("--help")
    assert ran.code == 0
    assert all(f"\n  {name} " in ran.out for name in COMMANDS)


def test_every_command_offers_json(empty: Shell) -> None:
    program = (
        "import sys; from typer.main import get_command; from crashlab.cli import app\n"
        "for name, each in get_command(app).commands.items():\n"
        "    for one in getattr(each, 'commands', {name: each}).values():\n"
        "        print(f'{name}/{one.name}', any('--json' in p.opts for p in one.params))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    offered = dict(line.split() for line in done.stdout.splitlines())
    assert set(COMMANDS) <= {name.partition("/")[0] for name in offered}
    assert set(offered.values()) == {"True"}


def test_the_catalogue_has_every_scenario_by_level(empty: Shell) -> None:
    found = empty("list", "--json").json
    assert {item["name"] for item in found} == set(names(ROOT / "scenarios"))
    assert [item["level"] for item in found] == sorted(item["level"] for item in found)
    plain = empty("list")
    assert plain.code == 0
    assert all(item["name"] in plain.out and item["practises"] in plain.out for item in found)
    assert not empty.home.exists()


def test_taxonomy_and_glossary(empty: Shell) -> None:
    known = empty("taxonomy", "--json").json
    assert {cause["id"] for cause in known["causes"]} >= {"unit-mismatch", "wrong-alias", "dependency-version-mismatch"}
    shown = empty("taxonomy").out
    assert all(cause["id"] in shown for cause in known["causes"])
    terms = empty("glossary", "--json").json
    assert empty("glossary", terms[0]["term"].upper(), "--json").json == [terms[0]]
    assert terms[0]["term"] in empty("glossary", *terms[0]["term"].split()).out
    refused(empty("glossary", "flux", "capacitor"), 2, "'flux capacitor'")


def test_doctor_says_what_is_there_and_what_is_not(empty: Shell, tmp_path: Path) -> None:
    found = {item["name"]: item for item in empty("doctor", "--json").json}
    assert {"Python", "git", "uv", "disk", "memory", "ports", "Docker Engine"} <= set(found)
    assert "Docker Engine" in empty("doctor").out
    away = run(empty, "doctor", "--json", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    missing = {item["name"]: item for item in away.json}["Docker Engine"]
    assert away.code == 0
    assert (missing["ok"], missing["required"]) == (False, False)
    assert "--runtime embedded" in missing["advice"]
    bare = run(empty, "doctor", "--json", PATH=str(tmp_path))
    assert bare.code == 3
    assert not {item["name"]: item for item in bare.json}["git"]["ok"]


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ("nope", 2, "No such command 'nope'"),
        ("list --nope", 2, "--nope"),
        ("list extra", 2, "extra"),
        ("start no-such-scenario", 2, "There is no scenario 'no-such-scenario'."),
        ("start ../../etc/passwd", 2, "There is no scenario '../../etc/passwd'."),
        ("start _template", 2, "There is no scenario '_template'."),
        ("start --level 9", 2, "There is no level 9."),
        ("start --level high", 2, "--level"),
        ("start unit-mismatch --level 2", 2, "A name was given, and what to draw by."),
        ("start unit-mismatch --seed abc", 2, "--seed"),
        ("start unit-mismatch --seed -1", 2, "--seed"),
        ("start unit-mismatch --runtime vm", 2, "There is no runtime 'vm'."),
        ("start one two", 2, "two"),
        ("status", 5, "There is no incident."),
        ("brief", 5, "There is no incident."),
        ("open", 5, "There is no incident."),
        ("logs", 5, "There is no incident."),
        ("shell", 5, "There is no incident."),
        ("measure parity mismatch", 5, "There is no incident."),
        ("measure", 2, "selector"),
        ("notebook", 5, "There is no incident."),
        ("report", 5, "There is no incident."),
        ("report --window yesterday", 2, "'yesterday'"),
        ("report --side left", 2, "'left'"),
        ("deploy", 5, "There is no incident."),
        ("promote 1", 5, "There is no incident."),
        ("promote one", 2, "version"),
        ("retrain", 5, "There is no incident."),
        ("hint", 5, "There is no incident."),
        ("submit", 5, "There is no incident."),
        ("verdict", 5, "There is no incident."),
        ("stop", 5, "There is no incident."),
        ("status -i eta-000000", 2, "There is no incident 'eta-000000'."),
        ("stop -i ../sealed", 2, "There is no incident '../sealed'."),
        ("logs -n 0", 2, "--lines"),
        ("verify", 2, "Name a scenario, or give --all."),
        ("verify no-such-scenario", 2, "There is no scenario"),
        ("verify unit-mismatch --all", 2, "Name a scenario, or give --all."),
        ("bench --runtime vm", 2, "There is no runtime 'vm'."),
    ],
)
def test_wrong_use_is_one_sentence_and_a_hint(empty: Shell, argv: str, code: int, message: str) -> None:
    refused(empty(*argv.split()), code, message)


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ("nope", 2, "No such command 'nope'"),
        ("start no-such-scenario", 2, "There is no scenario 'no-such-scenario'."),
        ("start --seed abc", 2, "--seed"),
        ("status", 5, "There is no incident."),
        ("stop -i eta-000000", 2, "There is no incident 'eta-000000'."),
    ],
)
def test_wrong_use_is_a_document_where_one_is_asked_for(empty: Shell, argv: str, code: int, message: str) -> None:
    refused_in_json(empty(*argv.split(), "--json"), code, message)


@pytest.mark.parametrize(
    ("name", "value"), [("CRASHLAB_RUNTIME", "vm"), ("CRASHLAB_DATA_SEED", "seven"), ("CRASHLAB_DATA_SEED", "²")]
)
def test_a_wrong_setting_is_named(empty: Shell, name: str, value: str) -> None:
    refused(run(empty, "list", **{name: value}), 2, name)


@pytest.mark.parametrize("argv", ["start unit-mismatch --runtime embedded", "doctor"])
def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path, argv: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    refused(Shell(tmp_path / "file" / "state")(*argv.split()), 1, str(tmp_path / "file" / "state"))


@pytest.mark.parametrize("argv", ["start unit-mismatch --runtime compose", "verify unit-mismatch --runtime compose"])
def test_without_a_docker_daemon_compose_says_so(empty: Shell, tmp_path: Path, argv: str) -> None:
    dead = socket.socket(socket.AF_UNIX)
    # A socket file that nobody listens on is what a daemon that has ended leaves.
    dead.bind(str(tmp_path / "docker.sock"))
    dead.close()
    for host in (f"unix://{tmp_path}/docker.sock", f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:1"):
        refused(run(empty, *argv.split(), DOCKER_HOST=host), 3, "Docker does not answer.")
    ran = run(empty, *argv.split(), "--json", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    refused_in_json(ran, 3, "Docker does not answer.")
    assert not list(empty.home.rglob("*"))


def test_a_reader_that_goes_away_is_no_error(empty: Shell) -> None:
    running = empty.begin("glossary", "--json")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()
    assert running.wait() in (0, 1)


def test_a_damaged_incident_stops_nobody(empty: Shell) -> None:
    folder = empty.home / "incidents" / "eta-ffffff"
    folder.mkdir(parents=True)
    (folder / "incident.json").write_text("{ half", encoding="utf-8")
    refused(empty("status", "-i", "eta-ffffff"), 5, "incident.json is damaged")
    refused(empty("start", "no-such-scenario"), 2, "There is no scenario")
    assert empty("stop", "--all").code == 5
