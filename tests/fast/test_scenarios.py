"""What holds for every scenario without a system."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import grader
from crashlab import answers, distractors, listing, scenario, workload
from crashlab.errors import StateError, UsageError
from crashlab.model import Alert, Brief, Evidence
from scenarios import kit

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
NAMES = scenario.names(FOLDER)


def test_the_seven_are_there_and_proved():
    assert {found.name for found in scenario.catalogue(FOLDER) if found.proved} >= {
        "unit-mismatch",
        "featurelib-pin",
        "library-pin",
        "wrong-alias",
        "imputation-mismatch",
        "blocked-event-loop",
        "false-alarm",
    }


def test_what_says_nothing_of_its_proof_is_a_draft():
    text = (FOLDER / "timezone-offset" / "scenario.toml").read_text()
    assert "status" not in text
    assert not scenario.load(FOLDER, "timezone-offset").proved
    found = listing.rows(FOLDER)
    assert found is not None
    assert {row.name: row.status for row in found} == {s.name: s.status for s in scenario.catalogue(FOLDER)}


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_repeats_and_varies(name):
    assert scenario.plan(name, 5) == scenario.plan(name, 5)
    drawn = {scenario.plan(name, s).model_copy(update={"seed": 0}).model_dump_json() for s in range(12)}
    assert len(drawn) > 6


@pytest.mark.parametrize("name", NAMES)
def test_a_truth_speaks_the_taxonomy(name):
    known = grader.taxonomy()
    causes = {cause.id for cause in known.causes}
    for seed in range(6):
        truth = scenario.plan(name, seed)
        assert truth.cause in causes
        assert truth.component in {component.id for component in known.components}
        assert set(truth.look_alikes) <= causes
        assert truth.cause not in truth.look_alikes
        assert set(truth.discriminating) <= set(truth.supporting)


@pytest.mark.parametrize("name", NAMES)
def test_every_onset_lies_after_the_healthy_days(name):
    calendar = workload.load(ROOT, scenario.load(FOLDER, name).workload).calendar
    for seed in range(20):
        assert calendar.baseline_end < scenario.plan(name, seed).onset < calendar.week_end


@pytest.mark.parametrize("name", NAMES)
def test_answers_and_reasons_are_complete(name):
    found = scenario.load(FOLDER, name)
    assert answers.exists(FOLDER / name, "reference.md")
    assert len(found.decoys) >= 3
    assert len({decoy.file for decoy in found.decoys}) == len(found.decoys)
    for decoy in found.decoys:
        assert answers.exists(FOLDER / name, decoy.file), decoy.file
        assert decoy.why
    own = {path.name for path in (FOLDER / name / "answers").glob("*.md")}
    assert own == {answers.REFERENCE} | {d.file for d in found.decoys if d.file in own}, "an answer nobody tries"
    _, fixes = scenario.fixes(name)
    assert len(fixes) >= 3
    assert len({fix.name for fix in fixes}) == len(fixes)
    assert all(fix.why for fix in fixes)


class Everything(dict[str, float]):
    """Facts that answer every selector."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> float:
        return 1.0


END = datetime(2026, 9, 7, tzinfo=UTC)
"""When every workload's replayed week ends."""


def drawn(name, seed):
    """Return the truth of a scenario and a seed with its distractors."""
    known, truth = scenario.load(FOLDER, name), scenario.plan(name, seed)
    pool = distractors.load(ROOT, known.workload)
    return distractors.draw(pool, truth, END, scenario.fires(known, truth), known.without)


def told(name, seed=3):
    found = scenario.load(FOLDER, name)
    truth = drawn(name, seed)
    fired = tuple(
        Alert(rule=rule, severity="page", summary="", observed=2, baseline=1, threshold=1, unit="", since=truth.onset)
        for rule in (*scenario.fires(found, truth), *distractors.alerts(truth))
    )
    brief = Brief(
        incident="i", title="t", workload=found.workload, level=1, blind=True, objective="", alerts=fired,
        timeline=(), onset_hint="", commitment="",
    )  # fmt: skip
    return truth, brief, workload.load(ROOT, found.workload)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(6))
def test_every_answer_is_a_whole_post_mortem_once_it_is_filled(name, seed):
    truth, brief, product = told(name, seed)
    facts = Evidence.model_construct(facts=Everything())
    for file in (answers.REFERENCE, *(decoy.file for decoy in scenario.load(FOLDER, name).decoys)):
        text = answers.render(FOLDER / name, file, truth, brief, facts, product)
        assert text.startswith("---\ncause: "), file
        headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
        assert headings == [
            "Summary", "Impact", "Timeline", "Detection", "Root cause", "Evidence", "Resolution", "Prevention",
        ], file  # fmt: skip
        assert "{{" not in text
        assert "{%" not in text


def test_an_answer_that_cites_what_was_not_measured_says_so():
    truth, brief, product = told("wrong-alias")
    facts = Evidence.model_construct(facts={})
    with pytest.raises(StateError, match="quality window=before mae"):
        answers.render(FOLDER / "wrong-alias", answers.REFERENCE, truth, brief, facts, product)


@pytest.mark.parametrize("name", NAMES)
def test_the_family_is_the_one_of_the_cause(name):
    families = {cause.id: cause.family for cause in grader.taxonomy().causes}
    assert scenario.load(FOLDER, name).family == families[scenario.plan(name, 1).cause]


@pytest.mark.parametrize("name", NAMES)
def test_public_text_does_not_name_the_cause(name):
    found = scenario.load(FOLDER, name)
    cause = scenario.plan(name, 1).cause
    public = json.dumps([found.title, found.practises, [hint.text for hint in found.hints]]).lower()
    assert cause not in public
    assert cause.replace("-", " ") not in public


@pytest.mark.parametrize("name", NAMES)
def test_commit_messages_do_not_say_what_they_break(name):
    words = {"mile", "unit", "null", "median", "imput", "blocking", "sleep", "pandas", "featurelib", "rejected"}
    source = (FOLDER / name / "fault.py").read_text()
    messages = [
        line for line in source.splitlines() if '"Preprocessing:' in line or '"Serving:' in line or '"API:' in line
    ]
    assert [line for line in messages if any(word in line.lower() for word in words)] == []


def test_look_alikes_have_one_workload_and_fire_the_same_alerts():
    groups: dict[str, list[scenario.Scenario]] = {}
    for found in scenario.catalogue(FOLDER):
        groups.setdefault(found.looks_like, []).append(found)
    for group in groups.values():
        fired = {(found.workload, frozenset(found.alerts) - distractors.LOUD_RULES) for found in group}
        assert len(fired) == 1, [found.name for found in group]
    large = [group for group in groups.values() if len(group) >= 3]
    # A catalogue of thirty has six; a smaller one has as many as fit.
    assert len(large) >= min(6, len(NAMES) // 5), {name: len(group) for name, group in groups.items()}


def test_an_unknown_scenario_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        scenario.load(FOLDER, "gremlins")
    assert "wrong-alias" in caught.value.hint


@pytest.mark.parametrize("name", ["../grader", "_template", "kit", ""])
def test_only_scenarios_are_scenarios(name):
    with pytest.raises(UsageError):
        scenario.load(FOLDER, name)


def test_harmless_commits_fit_the_code_and_each_other():
    for name in workload.names(ROOT):
        fit(ROOT, distractors.load(ROOT, name).commits)


def fit(folder, changes):
    """Apply the edits of harmless commits to the files in a folder, and write nothing."""
    texts: dict[str, str] = {}
    for change in changes:
        for edit in change.edits:
            text = texts.setdefault(edit.path, (folder / edit.path).read_text())
            assert text.count(edit.old) == 1, (change.message, edit.path)
            texts[edit.path] = text.replace(edit.old, edit.new)


def drawable(name, truth):
    """Every commit that an incident with this truth may show beside the fault's own, without relocking."""
    known = scenario.load(FOLDER, name)
    pool = distractors.load(ROOT, known.workload)
    pairs = distractors.pairs(pool.kinds, scenario.fires(known, truth), known.without)
    warning = pool.warning if any("warning" in pair for pair in pairs) else ()
    return [replace(entry.commit, relock=()) for entry in (*pool.commit, *pool.suspect, *warning)]


@pytest.mark.parametrize(
    "name",
    [pytest.param(s.name, marks=() if s.proved else pytest.mark.thorough) for s in scenario.catalogue(FOLDER)],
)
def test_faults_and_harmless_commits_fit_each_other_in_either_order(name, tmp_path):
    """The fault, its remedy and the wrong remedies apply to a workspace with all harmless commits in it; these, to the fault."""
    from crashlab.stack.fake import FakeRegistry, FakeStack
    from crashlab.workspace import GitWorkspace

    load = workload.load(ROOT, scenario.load(FOLDER, name).workload)
    made = GitWorkspace.create(tmp_path / "workspace", ROOT, load.name)
    truths = {json.dumps(scenario.plan(name, s).parameters, default=str): scenario.plan(name, s) for s in range(8)}
    # Six versions of the history, and one that a fault may train.
    stack = FakeStack(tmp_path, registry=FakeRegistry({version: {} for version in range(1, 8)}))
    stack.workspace = made
    (tmp_path / "data").mkdir()
    reference, fixes = scenario.fixes(name)
    today, tried = made.head(), set()
    for truth in truths.values():
        scenario.fault(name).inject(stack, truth)
        fit(made.path, drawable(name, truth))
        made.restore(today)
    for truth in truths.values():
        made.restore(today)
        for change in drawable(name, truth):
            made.commit(change)
        scenario.fault(name).inject(stack, truth)
        broken = made.head()
        code = made.git("rev-parse", "HEAD^{tree}")
        # What differs in numbers of traffic alone leaves one code, which the remedies fit or do not.
        for fix in () if code in tried else (reference, *fixes):
            fix.apply(stack, truth)
            made.restore(broken)
        tried.add(code)
    assert tried


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"hints": [{"cost": 5, "text": "a"}, {"cost": 3, "text": "b"}, {"cost": 8, "text": "c"}]},
            "later hint costs less",
        ),
        ({"hints": [{"cost": 1, "text": "a"}]}, "hints: Tuple should have at least 3 items"),
        ({"level": 6, "colour": "red"}, "level: Input should be less than or equal to 5; colour: Extra inputs"),
        ({"needs": ["gpu"]}, "needs.0: Input should be 'cpu-quota', 'memory-limit' or 'python'"),
    ],
)
def test_a_wrong_scenario_file_reports_everything_that_is_wrong(tmp_path, change, reason):
    import tomllib

    facts = tomllib.loads((FOLDER / "wrong-alias" / "scenario.toml").read_text())
    (tmp_path / "wrong-alias").mkdir()
    lines = [f"{key} = {_toml(value)}" for key, value in (facts | change).items()]
    (tmp_path / "wrong-alias" / "scenario.toml").write_text("\n".join(lines))
    with pytest.raises(UsageError) as caught:
        scenario.load(tmp_path, "wrong-alias")
    assert reason in caught.value.message


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def test_a_need_leaves_compose_alone():
    found = scenario.load(FOLDER, "wrong-alias")
    assert found.runtimes == ("embedded", "compose")
    assert found.model_copy(update={"needs": ("memory-limit",)}).runtimes == ("compose",)


def test_two_faults_at_once_keep_what_tells_each_apart():
    truth = scenario.plan("wrong-and-slow", 4)
    main, second = kit.both(truth, ("unit-mismatch", "blocked-event-loop"))
    assert main.onset == second.onset == truth.onset
    assert (truth.cause, truth.contributing[0].cause) == (main.cause, second.cause)
    assert set(truth.discriminating) >= set(main.discriminating) | set(second.discriminating)
    assert not {truth.cause, truth.contributing[0].cause} & set(truth.look_alikes)
