"""An instructor's last word: both values kept, regraded folders with a report, and exports that gradebooks read."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crashlab import cli, exports, final, regrade, schemas, store
from crashlab.errors import UsageError
from crashlab.final import Final
from crashlab.model import Bundle, Verdict
from grader import grade
from tests.fast import grader_fixtures as fixtures

RIGHT = fixtures.right_answer("unit-mismatch")
WRONG = fixtures.postmortem(
    "cause: concept-drift\ncomponent: upstream-data\nobject: distance_km", "\n## Root cause\nConcept drift.\n"
)


def put(folder: Path, text: str, author: str = "Ada", hours: int = 0, scenario: str = "unit-mismatch") -> Path:
    bundle = fixtures.bundle(scenario, text)
    submission = bundle.submission.model_copy(
        update={"author": author, "received_at": bundle.submission.received_at + timedelta(hours=hours)}
    )
    bundle = bundle.model_copy(update={"submission": submission})
    store.write(folder / "bundle.json", bundle)
    store.write(folder / "verdict.json", grade(bundle))
    return folder


def verdict(folder: Path) -> Verdict:
    return store.read(folder / "verdict.json", Verdict)


def test_both_values_are_kept_and_the_last_counts(tmp_path: Path) -> None:
    put(tmp_path, RIGHT)
    automatic = verdict(tmp_path)
    final.override(tmp_path, "impact", 0.0, "Prof. Kahn", "The number is invented.")
    final.override(tmp_path, "mechanism", 4.0, "Prof. Kahn", "Only half of it.")
    final.override(tmp_path, "mechanism", 6.0, "Prof. Kahn", "On second thoughts.")
    result = final.keep(tmp_path)
    assert verdict(tmp_path) == automatic == result.verdict
    assert [entry.points for entry in result.overrides] == [0.0, 4.0, 6.0]
    assert result.overrides[0].automatic == next(i.points for i in automatic.items if i.id == "impact")
    lost = sum(
        (i.points or 0) - {"impact": 0.0, "mechanism": 6.0}[i.id]
        for i in automatic.items
        if i.id in ("impact", "mechanism")
    )
    assert result.score == pytest.approx(automatic.score - lost)
    assert result.passed
    assert store.read(tmp_path / "final.json", Final) == result


@pytest.mark.parametrize(
    ("item", "points", "author", "reason"),
    [
        ("nonsense", 1, "K", "r"),
        ("impact", 2, "K", "r"),
        ("impact", -1, "K", "r"),
        ("impact", 1, " ", "r"),
        ("impact", 1, "K", ""),
    ],
)
def test_an_override_needs_an_item_points_author_and_reason(
    tmp_path: Path, item: str, points: float, author: str, reason: str
) -> None:
    put(tmp_path, RIGHT)
    with pytest.raises(UsageError):
        final.override(tmp_path, item, points, author, reason)
    assert not (tmp_path / "overrides.json").exists()


def test_a_pass_can_be_taken_and_given(tmp_path: Path) -> None:
    put(tmp_path / "a", RIGHT)
    final.override(tmp_path / "a", "cause", 10, "K", "It was copied.")
    assert not final.keep(tmp_path / "a").passed
    broken = fixtures.bundle("unit-mismatch", RIGHT)
    broken = broken.model_copy(update={"probe": fixtures.probe(mae=4.0)})
    store.write(tmp_path / "b" / "bundle.json", broken)
    store.write(tmp_path / "b" / "verdict.json", grade(broken))
    assert not final.result(tmp_path / "b").passed
    final.override(tmp_path / "b", "fix-quality", 3, "K", "Our label feed was down.")
    given = final.keep(tmp_path / "b")
    assert given.passed
    assert given.score > verdict(tmp_path / "b").score + 3


def test_what_was_not_graded_can_be_graded_by_hand(tmp_path: Path) -> None:
    put(tmp_path, "no front matter")
    for item, points in (("cause", 30), ("mechanism", 10), ("evidence", 15)):
        final.override(tmp_path, item, points, "K", "Read by hand.")
    result = final.keep(tmp_path)
    assert result.score >= 55
    assert result.overrides[0].automatic is None


def test_a_rubric_is_corrected_after_the_fact(tmp_path: Path) -> None:
    text = RIGHT.replace("distance_km", "road_length").replace("object: road_length", "object: road_length")
    put(tmp_path / "x" / "001", text)
    put(tmp_path / "y" / "001", RIGHT)
    rubric = tmp_path / "rubric.toml"
    rubric.write_text('[unit-mismatch]\nobject_aliases = ["road_length"]\n', encoding="utf-8")
    before = verdict(tmp_path / "x" / "001")
    report = regrade.regrade(tmp_path, rubric=rubric, dry_run=True)
    assert not report.written
    assert verdict(tmp_path / "x" / "001") == before
    assert [each.bundle for each in report.differences if each.changed] == ["x/001"]
    (change,) = [each for each in report.differences if each.changed]
    assert "object" in {item.item for item in change.items}
    assert change.after > (change.before or 0)
    regrade.regrade(tmp_path, rubric=rubric, dry_run=False)
    assert verdict(tmp_path / "x" / "001").score == change.after
    assert store.read(tmp_path / "x" / "001" / "verdict.before-1.json", Verdict) == before
    assert store.read(tmp_path / "x" / "001" / "bundle.json", Bundle).truth.object_aliases[-1] == "road_length"
    assert regrade.regrade(tmp_path, dry_run=True).changed == 0


def test_overrides_survive_a_regrading(tmp_path: Path) -> None:
    put(tmp_path, RIGHT)
    final.override(tmp_path, "impact", 0, "K", "r")
    final.keep(tmp_path)
    store.write(tmp_path / "verdict.json", verdict(tmp_path).model_copy(update={"score": 1.0}))
    regrade.regrade(tmp_path, dry_run=False)
    result = store.read(tmp_path / "final.json", Final)
    assert result.overrides[0].points == 0
    assert result.score == pytest.approx(verdict(tmp_path).score - (result.overrides[0].automatic or 0))


def test_a_scenario_of_today_gives_its_rubric_or_says_why_not(tmp_path: Path) -> None:
    put(tmp_path, RIGHT)
    (found,) = regrade.regrade(tmp_path, replan=True, dry_run=True).differences
    assert "another incident" in found.problem


@pytest.mark.parametrize("text", ["not toml [", "[unit-mismatch]\nnonsense = 1\n"])
def test_a_damaged_rubric_is_refused(tmp_path: Path, text: str) -> None:
    put(tmp_path, RIGHT)
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        regrade.regrade(tmp_path, rubric=tmp_path / "r.toml")
    with pytest.raises(UsageError):
        regrade.regrade(tmp_path / "nowhere")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    put(tmp_path / "a1", WRONG, "ada@example.com")
    put(tmp_path / "a2", RIGHT, "ada@example.com", hours=1)
    put(tmp_path / "b1", WRONG, "=cmd|' /C calc'!A0", hours=2)
    final.override(tmp_path / "a2", "impact", 0.5, "Prof. Kahn", "No window.")
    (tmp_path / "roster.csv").write_text(
        "author,Student,ID,SIS User ID,SIS Login ID,Section,email,idnumber,student_id,last_name,first_name\n"
        'ada@example.com,"Lovelace, Ada",17,s17,ada,Lab 1,ada@example.com,2024-17,ada,Lovelace,Ada\n',
        encoding="utf-8",
    )
    return tmp_path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_canvas_moodle_and_nbgrader(lab: Path) -> None:
    known = exports.roster(lab / "roster.csv")
    best = final.result(lab / "a2").score
    points, first, second = rows(exports.export(lab, "canvas", known=known, assignment="Lab (12)"))
    assert points["Student"].strip() == "Points Possible"
    ada = first if first["ID"] == "17" else second
    other = second if ada is first else first
    assert (ada["Student"], ada["SIS User ID"], float(ada["Lab (12)"])) == ("Lovelace, Ada", "s17", best)
    assert other["Student"].startswith("'=")
    moodle = {row["idnumber"]: row for row in rows(exports.export(lab, "moodle", known=known, assignment="Lab"))}
    assert float(moodle["2024-17"]["Lab"]) == best
    assert "Prof. Kahn: No window." in moodle["2024-17"]["Lab feedback"]
    nb = {row["student_id"]: row for row in rows(exports.export(lab, "nbgrader", known=known))}
    assert list(nb["ada"]) == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip
    assert float(nb["ada"]["score"]) == best
    assert float(nb["ada"]["raw_score"]) == verdict(lab / "a2").score


def test_gradescope_takes_one(lab: Path) -> None:
    made = json.loads(exports.export(lab / "a2", "gradescope"))
    assert made["score"] == final.result(lab / "a2").score
    tests = {test["number"]: test for test in made["tests"]}
    assert tests["impact"]["score"] == 0.5
    assert tests["impact"]["status"] == "failed"
    assert "Prof. Kahn" in tests["impact"]["output"]
    assert sum(test["max_score"] for test in made["tests"]) == 100
    with pytest.raises(UsageError):
        exports.export(lab, "gradescope")
    with pytest.raises(UsageError):
        exports.export(lab, "excel")


@pytest.mark.parametrize("name", sorted(schemas.PUBLISHED))
def test_schemas_are_published_as_they_are(name: str) -> None:
    path = schemas.FOLDER / f"{name}.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(schemas.schema(name))), (
        "run `python -m crashlab.schemas`"
    )


def test_documents_have_what_their_schema_requires(lab: Path) -> None:
    documents = {"bundle-1": lab / "a2" / "bundle.json", "verdict-1": lab / "a2" / "verdict.json"}
    for name, path in documents.items():
        made = schemas.schema(name)
        data = json.loads(path.read_text(encoding="utf-8"))
        assert set(made["required"]) <= set(data) <= set(made["properties"])
        assert data["version"] == made["properties"]["version"]["const"]


def test_commands(lab: Path) -> None:
    run = CliRunner().invoke
    made = run(
        cli.app,
        ["override", "mechanism", "5", "--author", "K", "--reason", "half", "--folder", str(lab / "a2"), "--json"],
    )
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["overrides"][-1]["points"] == 5
    report = json.loads(run(cli.app, ["regrade", str(lab), "--dry-run", "--json"]).output)
    assert len(report["differences"]) == 3
    assert not report["written"]
    out = lab / "grades.csv"
    assert (
        run(cli.app, ["export", "moodle", str(lab), "--out", str(out), "--roster", str(lab / "roster.csv")]).exit_code
        == 0
    )
    assert "2024-17" in out.read_text(encoding="utf-8")
    assert run(cli.app, ["export", "excel", str(lab)]).exit_code == 2
    (lab / "mine.md").write_text("# Outage\n## Impact\nIt was bad.\n", encoding="utf-8")
    reviewed = run(cli.app, ["review", str(lab / "mine.md"), "--json"])
    assert reviewed.exit_code == 1
    assert not json.loads(reviewed.output)["sound"]
    assert run(cli.app, ["review", str(lab / "nothing.md")]).exit_code == 2
    assert "Timeline" in run(cli.app, ["review", str(lab / "mine.md")]).output
    assert "bundles differ" in run(cli.app, ["regrade", str(lab), "--dry-run"]).output
