"""Commands that need no incident, and wrong use of all: one sentence, a hint, the right exit code, no traceback."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from crashlab import listing, proofs, starting
from crashlab.cli import authors
from crashlab.cli import incidents as commands
from crashlab.model import Brief
from crashlab.records import Paths
from crashlab.scenario import catalogue, names
from crashlab.verify import Matrix
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
    found = empty("list", "--drafts", "--json").json
    assert {item["name"] for item in found} == set(names(ROOT / "scenarios"))
    assert [item["level"] for item in found] == sorted(item["level"] for item in found)
    plain = empty("list", "--drafts")
    assert plain.code == 0
    shown = {line.split()[1]: line for line in plain.out.splitlines()}
    assert shown.keys() == {item["name"] for item in found}
    for item in found:
        assert item["practises"] in shown[item["name"]]
        assert shown[item["name"]].endswith(" (draft)") == (item["status"] == "draft")
    assert not empty.home.exists()


def test_drafts_are_left_out_of_the_list_and_counted(empty: Shell) -> None:
    every = empty("list", "--drafts", "--json").json
    proved = [item for item in every if item["status"] == "proved"]
    assert empty("list", "--json").json == proved
    *shown, last = empty("list").out.splitlines()
    assert [line.split()[1] for line in shown] == [item["name"] for item in proved]
    assert f": {len(every) - len(proved)}." in last
    assert "--drafts" in last
    # The other way to read a list, which is taken where there is something to parse.
    there = empty("list", "--workload", "eta", "--json").json
    assert there["scenarios"] == [item["name"] for item in proved if item["workload"] == "eta"]
    assert set(there["status"].values()) == {"proved"}


@pytest.mark.parametrize("argv", ["list", "start --blind --runtime embedded", "verify --all"])
def test_a_workload_that_has_drafts_alone_says_how_to_take_them(empty: Shell, argv: str) -> None:
    ran = empty(*argv.split(), "--workload", "credit")
    refused(ran, 2, "credit")
    refused(ran, 2, "--drafts")


def test_a_list_that_was_not_read_plainly_leaves_out_drafts_as_well(capsys, monkeypatch) -> None:
    plain = [commands.list_(), capsys.readouterr().out][1]
    monkeypatch.setattr(listing, "rows", lambda _: None)
    commands.list_()
    assert capsys.readouterr().out == plain


class Begun:
    """A started incident as far as the command line asks for it."""

    def __init__(self, home: Path) -> None:
        self.paths = Paths(home, "eta-000000")
        self.record = SimpleNamespace(id="eta-000000", phase="stopped")
        self.brief = Brief(
            incident="eta-000000", title="You are on call", workload="eta", level=2, blind=True, objective="", alerts=(),
            timeline=(), onset_hint="", commitment="",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status", "times"), [("timezone-offset", "draft", 1), ("wrong-alias", "proved", 0), (None, None, 0)]
)
def test_a_draft_that_was_named_is_called_one_once(capsys, monkeypatch, tmp_path, name, status, times) -> None:
    """A draw says nothing of the kind: it would be a hint."""
    asked = []

    def start(*argv: object, **options: object) -> Begun:
        asked.append(options["drafts"])
        return Begun(tmp_path)

    monkeypatch.setattr(starting, "start", start)
    monkeypatch.setattr(starting, "clean_up", lambda _: [])
    commands.start(name, blind=True, drafts=name is None, runtime="embedded")
    assert capsys.readouterr().out.count("is a draft: its proof was not repeated") == times
    commands.start(name, blind=True, drafts=name is None, runtime="embedded", as_json=True)
    assert json.loads(capsys.readouterr().out)["status"] == status
    assert asked == [name is None] * 2


@pytest.mark.parametrize(
    ("named", "options", "wanted"),
    [
        (None, {}, lambda item: item.proved),
        (None, {"drafts": True}, lambda item: True),
        (None, {"on": "mine"}, lambda item: True),
        (["timezone-offset"], {}, lambda item: item.name == "timezone-offset"),
    ],
    ids=["all", "all with drafts", "all on one's own table", "one by its name"],
)
def test_what_is_verified(capsys, monkeypatch, tmp_path, named, options, wanted) -> None:
    monkeypatch.setenv("CRASHLAB_HOME", str(tmp_path))
    (tmp_path / "workloads" / "mine" / "training" / "mine").mkdir(parents=True)
    (tmp_path / "workloads" / "mine" / "training" / "mine" / "workload.toml").touch()

    def prove(_: object, chosen: list[tuple[str, str]], *__: object, **___: object) -> list[Matrix]:
        return [Matrix(scenario=name, runtime="embedded", seed=1, steps=(), phases={}) for name, _ in chosen]

    monkeypatch.setattr(proofs, "prove", prove)
    monkeypatch.setattr(authors, "placed", lambda wanted, _: ([(item.name, "embedded") for item in wanted], []))
    authors.verify(named, all_=named is None, as_json=True, **options)
    found = {item["scenario"]: item["status"] for item in json.loads(capsys.readouterr().out)}
    assert found == {item.name: item.status for item in catalogue(ROOT / "scenarios") if wanted(item)}
    authors.verify(named, all_=named is None, **options)
    said = "timezone-offset is a draft: its proof was not repeated on five seeds.\n"
    assert capsys.readouterr().out.count(said) == (named is not None)


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
