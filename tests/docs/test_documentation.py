"""What the project offers is documented, and what the documentation says is there."""

import re
import tomllib

import pytest

from crashlab import alerts, evidence, model, records, report, scenario, settings, views
from crashlab.errors import CrashlabError
from crashlab.stack.services import SERVICES
from grader.repair import CHECKS
from tests.docs import reading
from tests.docs.reading import DOCS, PAGES, PROSE, ROOT, Call

COMMANDS = reading.commands()
REFERENCE = "reference/commands.md"
SHAPES = [
    model.Brief, model.Alert, model.Change, model.Verdict, model.Item, records.Record, records.Deployment,
    records.Measurement, records.Attempt, report.Drift, report.Column,
]  # fmt: skip
MACHINE = re.compile(
    r"(?<![\w.~$}-])/(?:work|tmp|root|home|Users|mnt)/[\w.-]+|\b[A-Z]:\\|"
    r"\b(?:pypi|pythonhosted|registry|mirror|proxy|nexus|artifactory)\.[\w.-]+\.\w+|--?(?:extra-)?index-url|"
    r"\b(?:\d{1,3}\.){3}\d{1,3}:\d+"
)
"""Paths of one machine, hosts of registries, and addresses with a port other than examples on 127.0.0.1."""
LOCAL = re.compile(r"127\.0\.0\.1:(?:PORT|\d+)")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    page = reading.text(REFERENCE)
    found = reading.section(page, f"crashlab {command}")
    assert found, f"{REFERENCE} has no section for {command}"
    common = page.partition("\n## ")[0]
    options = [
        o for p in COMMANDS[command].params if p.param_type_name == "option" for o in (*p.opts, *p.secondary_opts)
    ]
    assert [option for option in options if f"`{option}`" not in found + common] == []


def test_every_command_that_is_documented_exists() -> None:
    found = re.findall(r"^## crashlab (.+)$", reading.text(REFERENCE), re.MULTILINE)
    assert sorted(found) == sorted(COMMANDS)


def test_every_exit_code_is_documented() -> None:
    def below(kind: type[CrashlabError]) -> list[type[CrashlabError]]:
        return [kind, *(found for each in kind.__subclasses__() for found in below(each))]

    found = reading.rows(reading.section(reading.text(REFERENCE), "Exit codes"))
    assert (
        sorted({kind.exit_code for kind in below(CrashlabError)} - {int(code) for code in found if code.isdigit()})
        == []
    )


def test_every_setting_is_documented() -> None:
    assert set(settings.VARIABLES) - set(reading.rows(reading.text("reference/settings.md"))) == set()


def test_every_variable_that_is_read_is_a_setting() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (*(ROOT / "crashlab" / "cli").glob("*.py"), ROOT / "crashlab" / "settings.py")
    )
    assert set(re.findall(r"CRASHLAB_[A-Z_]+", code)) - set(settings.VARIABLES) == set()


def test_every_alert_rule_is_documented_with_its_threshold() -> None:
    page = reading.text("reference/alerts.md")
    assert set(alerts.RULES) - set(reading.rows(page)) == set()
    rules = tomllib.loads((ROOT / "training" / "eta" / "workload.toml").read_text(encoding="utf-8"))["rules"]
    used = {key: value for key, value in rules.items() if key != "error_rate" or "error-rate" in alerts.RULES}
    assert [key for key, value in used.items() if not re.search(rf"(?<![\d.]){value:g}(?![\d])", page)] == []


def test_every_family_of_facts_is_documented() -> None:
    found = {row.split()[0] for row in reading.rows(reading.text("reference/facts.md")) if row}
    assert set(evidence.FAMILIES) - found == set()


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_every_service_is_documented(service: object) -> None:
    page = reading.text("reference/services.md")
    (row,) = re.findall(rf"^\| `{service.name}` .*$", page, re.MULTILINE)
    for value in (service.port, service.health, service.memory_mb, f"{service.cpus:g}"):
        assert value in (None, "") or str(value) in row
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    variables = set(re.findall(r"\$\{(\w+):-", text)) - {"COMPOSE_PROJECT_NAME"}
    assert [name for name in sorted(variables) if name not in page] == []


def test_every_check_of_the_fix_is_documented() -> None:
    found = reading.rows(reading.text("explanation/grading-by-behaviour.md"))
    assert [title for _, title, _, _ in CHECKS if title not in found] == []


@pytest.mark.parametrize("kind", [scenario.Scenario, scenario.Hint, scenario.Decoy, scenario.Source, scenario.OwnTable])
def test_every_field_of_a_scenario_is_documented(kind: type[model.Frozen]) -> None:
    heading = "Fields" if kind is scenario.Scenario else f"{kind.__name__}s"
    found = reading.rows(reading.section(reading.text("reference/scenario-toml.md"), heading))
    assert sorted(kind.model_fields) == sorted(row for row in found if row in kind.model_fields)


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.__name__)
def test_every_field_of_the_json_is_documented(kind: type[model.Frozen]) -> None:
    found = reading.rows(reading.section(reading.text("reference/json.md"), kind.__name__))
    assert set(kind.model_fields) - set(found) == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (DOCS / "decisions").glob("*.md"):
        words = reading.text(path)
        assert words.startswith(f"# {int(path.name[:4])}. "), path.name
        assert [part for part in ("**Decided.**", "**Because**", "**Price.**") if part not in words] == [], path.name


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = set(), [DOCS / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or not path.is_file():
            continue
        reached.add(path)
        targets = (link.partition("#")[0] for link in reading.links(reading.text(path)))
        waiting += [(path.parent / target).resolve() for target in targets if target.endswith(".md")]
    assert [reading.name(path) for path in sorted(set(DOCS.rglob("*.md")) - reached)] == []


@pytest.mark.parametrize("path", PAGES, ids=reading.name)
def test_no_relative_link_is_dead(path: object) -> None:
    dead = []
    for link in reading.links(reading.text(path)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in reading.anchors(reading.text(file))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("path", PROSE, ids=reading.name)
def test_every_command_that_is_shown_exists(path: object) -> None:
    wrong = [f"{call.line}: {why}" for call in reading.calls(path, "crashlab") if (why := reading.refused(call))]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong += [call.line for call in reading.calls(path, "make") if call.words and call.words[0] not in targets]
    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=reading.name)
def test_no_page_speaks_of_one_machine(path: object) -> None:
    assert MACHINE.findall(LOCAL.sub("", reading.text(path))) == []


def test_pictures_ask_for_nothing() -> None:
    pictures = sorted((DOCS / "images").glob("*.svg"))
    assert pictures
    for path in pictures:
        words = reading.text(path)
        assert len(words) < 300_000, path.name
        assert set(re.findall(r"https?://[^\"'\s)<]+", words)) == {"http://www.w3.org/2000/svg"}, path.name
        assert "<script" not in words
        assert MACHINE.findall(words) == [], path.name


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("start", "--blind", "--level", "1"), ""),
        (("retrain", "--", "--alias", "champion"), ""),
        (("explode",), "no command explode"),
        (("start", "--loud"), "start has no option --loud"),
    ],
)
def test_a_call_is_held_to_the_command_line(words: tuple[str, ...], why: str) -> None:
    assert reading.refused(Call("page", "", words)) == why


def test_one_machine_is_noticed() -> None:
    for text in (
        "see /home/ada/x",
        "(/tmp/wt/docs)",
        "use https://mirror.example.org/simple",
        "10.0.0.7:3128",
        "--index-url",
    ):
        assert MACHINE.search(LOCAL.sub("", text)), text
    for text in (
        "`/data`",
        "`docs/home/page`",
        "127.0.0.1:5000",
        "$CRASHLAB_HOME/tmp/x",
        "the registry.",
        "/mlflow/artifacts",
    ):
        assert not MACHINE.search(LOCAL.sub("", text)), text


def test_the_next_steps_of_a_brief_exist() -> None:
    for line, _ in views.NEXT:
        for words in re.findall(r"crashlab ([^)\"]+)", line):
            for first in words.split(", "):
                assert reading.refused(Call("brief", line, tuple(first.split()))) == ""


def test_the_list_of_commands_is_not_cut_off() -> None:
    lines = {name: command.get_short_help_str(limit=68) for name, command in COMMANDS.items()}
    assert [f"{name}: {line}" for name, line in lines.items() if line.endswith("...")] == []
