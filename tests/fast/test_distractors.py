"""What surrounds a fault: drawn by the seed, harmless, and the same for every look-alike."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from crashlab import answers, distractors, scenario, timeline, workload
from crashlab.errors import UsageError
from crashlab.model import Alert, Distractor, Evidence
from crashlab.stack.fake import FakeRegistry, FakeStack
from crashlab.workspace import GitWorkspace
from grader import grade
from scenarios import kit
from tests.fast import grader_fixtures as fixtures
from tests.fast.test_scenarios import END, FOLDER, NAMES, ROOT, Everything, drawn

SEEDS = range(200)
ALIKE = (
    "unit-mismatch",
    "featurelib-pin",
    "library-pin",
    "wrong-alias",
    "imputation-mismatch",
    "feature-order",
)
POOL = distractors.load(ROOT, "eta")


def fired(truth):
    """Return the rules that an incident shows."""
    known = scenario.load(FOLDER, truth.scenario)
    return frozenset({*scenario.fires(known, truth), *distractors.alerts(truth)})


@pytest.mark.parametrize("name", NAMES)
def test_two_are_drawn_for_every_seed(name):
    known = scenario.load(FOLDER, name)
    for seed in range(40):
        truth = drawn(name, seed)
        kinds = [item.kind for item in truth.distractors]
        assert len(kinds) == 2
        assert len(set(kinds)) == 2 or set(kinds) == {"commit"}
        assert not set(kinds) & set(known.without)
        assert not distractors.alerts(truth) & set(scenario.fires(known, truth))
        assert set(truth.alerts) <= set(known.alerts)
        messages = [item.parameters["message"] for item in truth.distractors if "message" in item.parameters]
        assert len(set(messages)) == len(messages)


def test_every_kind_occurs_often_and_one_seed_repeats():
    truths = [drawn("unit-mismatch", seed) for seed in SEEDS]
    assert truths == [drawn("unit-mismatch", seed) for seed in SEEDS]
    counts = Counter(item.kind for truth in truths for item in truth.distractors)
    assert set(counts) == set(distractors.FIRES)
    assert min(counts.values()) > 0.25 * len(SEEDS)


def test_times_lie_within_what_is_replayed_and_leave_the_latest_hours_quiet():
    for seed in SEEDS:
        truth = drawn("unit-mismatch", seed)
        for item in truth.distractors:
            if item.kind == "burst":
                (until,) = [distractors.forecast(truth, {})["burst"]["until"]]
                assert truth.onset.isoformat() < until < (END - timedelta(hours=6)).isoformat()
        for at, _ in distractors.releases(truth):
            assert truth.onset + timedelta(hours=10) < at < END - timedelta(hours=10)


def test_a_kind_that_fires_what_the_fault_fires_is_left_out_and_two_rules_are_the_most():
    kinds = tuple(distractors.FIRES)
    assert len(distractors.pairs(kinds, ("prediction-shift",), ())) == 10
    slow = distractors.pairs(kinds, ("latency",), ())
    assert {kind for pair in slow for kind in pair} == set(kinds) - {"burst"}
    assert ("warning", "drift") not in slow
    assert len(slow) == 5
    assert distractors.pairs(kinds, (), ("warning", "drift", "deploy", "burst")) == [("commit", "commit")]
    assert distractors.pairs(("commit", "deploy"), (), ()) == [("commit", "deploy")]


def test_the_forecast_of_a_fault_is_kept(tmp_path):
    truths = (drawn("wrong-alias", seed) for seed in SEEDS)
    truth = next(truth for truth in truths if {item.kind for item in truth.distractors} == {"drift", "burst"})
    (tmp_path / "traffic.json").write_text(json.dumps({"late": {"hours": 3}, "adjust": {"items": {"add": 1}}}))
    distractors.foresee(tmp_path, truth)
    world = json.loads((tmp_path / "traffic.json").read_text())
    assert world["late"] == {"hours": 3}
    assert len(world["adjust"]) == 2
    assert world["burst"]["clients"] == POOL.burst.clients
    other = tmp_path / "other"
    other.mkdir()
    distractors.foresee(other, scenario.plan("wrong-alias", 1))
    assert not (other / "traffic.json").exists()


def test_a_pool_that_is_not_valid_says_all_of_it(tmp_path):
    (tmp_path / "training/toy").mkdir(parents=True)
    path = tmp_path / "training/toy/distractors.toml"
    path.write_text('[[commit]]\nmessage = "a"\n\n[burst]\nclients = 1\n')
    with pytest.raises(UsageError) as caught:
        distractors.load(tmp_path, "toy")
    for part in ("commit.0.author", "commit.0.edit", "burst.clients", "burst.held_s"):
        assert part in caught.value.message
    path.write_text("")
    assert distractors.load(tmp_path, "toy").kinds == ()


# Commits


def made(name, seed, tmp_path):
    """Return the commits of an incident in order, with the place of the first of its fault's own, or None."""
    truth = drawn(name, seed)
    stack = FakeStack(tmp_path, registry=FakeRegistry({version: {} for version in range(1, 8)}))
    around = distractors.surround(POOL, truth)
    space = distractors.DatedWorkspace(stack.workspace, around.moments)
    for change in around.before:
        space.commit(change)
    scenario.inject(distractors.dated(stack, space), truth)
    own = space.made - len(around.before)
    for change in around.after(own):
        space.commit(change)
    return truth, stack.workspace.commits, len(around.before) if own else None


@pytest.mark.parametrize("name", ALIKE)
def test_every_incident_shows_as_many_commits_at_moments_that_do_not_depend_on_them(name, tmp_path):
    places = set()
    for seed in SEEDS:
        truth, commits, place = made(name, seed, tmp_path)
        assert len(commits) == distractors.COMMITS
        ago = [(truth.onset.isoformat(), commit.when) for commit in commits]
        assert [when for _, when in ago] == sorted({when for _, when in ago})
        begin = (truth.onset - distractors.SPAN).isoformat()
        assert all(begin <= when < onset for onset, when in ago)
        shown = {commit.message for commit in commits}
        assert {
            str(item.parameters["message"]) for item in truth.distractors if item.kind in ("commit", "warning")
        } <= shown
        assert not {message for _, message in distractors.releases(truth)} & shown
        places.add(place)
    assert places == ({None} if name == "wrong-alias" else set(range(distractors.COMMITS)))


def test_commits_of_a_fault_take_the_place_of_ordinary_ones():
    truth = drawn("unit-mismatch", 1).model_copy(
        update={"distractors": (Distractor(kind="commit", parameters={"message": POOL.suspect[0].message}),)}
    )
    for seed in range(40):
        around = distractors.surround(POOL, truth.model_copy(update={"seed": seed}))
        for own in (0, 1):
            after = around.after(own)
            assert len(around.before) + own + len(after) == distractors.COMMITS
            assert POOL.suspect[0].message in {commit.message for commit in (*around.before, *after)}


def test_a_workspace_is_dated_whatever_a_commit_asks_for(tmp_path):
    truth = drawn("unit-mismatch", 1)
    moments = [truth.onset, truth.onset + timedelta(hours=2)]
    stack = FakeStack(tmp_path)
    space = distractors.DatedWorkspace(stack.workspace, moments)
    both = distractors.dated(stack, space)
    for _ in range(3):
        both.workspace.commit(POOL.commit[0].commit)
    whens = [commit.when for commit in stack.workspace.commits]
    assert whens == [m.isoformat() for m in (*moments, moments[1] + timedelta(minutes=1))]
    assert both.workspace.head() == stack.workspace.head()
    assert both.home == tmp_path
    assert space.made == 3


def test_a_second_release_is_on_the_timeline_with_its_commit(tmp_path):
    truth = next(truth for seed in SEEDS if distractors.releases(truth := drawn("unit-mismatch", seed)))
    ((at, message),) = distractors.releases(truth)
    stack = FakeStack(tmp_path)
    stack.workspace = GitWorkspace.create(tmp_path / "workspace", ROOT, "eta")
    stack.workspace.commit(distractors.shipped(POOL, truth, at, message))
    shown = timeline.public(stack, truth, "Routine.", "Notice.")
    assert [change.at for change in shown] == sorted(change.at for change in shown)
    kinds = Counter(change.kind for change in shown if change.at >= truth.onset)
    assert kinds == {"alias": 2, "deploy": 2, "commit": 1, "traffic": 1, "config": 1}
    (commit,) = (change for change in shown if change.summary == message)
    assert timedelta(0) < at - commit.at < timedelta(hours=1)


# Look-alikes


def test_the_look_alikes_are_one_family():
    assert {scenario.load(FOLDER, name).looks_like for name in ALIKE} == {"wrong-estimates"}


def test_every_set_of_alerts_occurs_in_several_look_alikes():
    shown = {name: Counter(fired(drawn(name, seed)) for seed in SEEDS) for name in ALIKE}
    for name, counts in shown.items():
        for alerts in counts:
            others = [other for other in ALIKE if other != name and alerts in shown[other]]
            assert len(others) >= 3, (name, sorted(alerts))
    for name, counts in shown.items():
        slow = sum(count for alerts, count in counts.items() if "latency" in alerts) / len(SEEDS)
        assert slow == 1 if name == "featurelib-pin" else 0.3 < slow < 0.5


def test_onsets_of_look_alikes_lie_in_the_same_hours():
    begin = {name: [scenario.plan(name, seed).onset for seed in SEEDS] for name in ALIKE}
    for onsets in begin.values():
        hours = sorted((onset - kit.WEEKEND) / timedelta(hours=1) for onset in onsets)
        assert hours[0] < 1
        assert 14 < hours[-1] < 15
        assert 6 < hours[len(hours) // 2] < 9


def test_no_author_message_or_file_belongs_to_one_look_alike(tmp_path):
    """Stems, authors and files of the faults' commits are those of harmless ones too; their words name no cause."""
    harmless = [entry.commit for entry in (*POOL.commit, *POOL.suspect, *POOL.warning)]
    authors = {commit.author for commit in harmless}
    stems = {commit.message.split(":")[0] for commit in harmless}
    files = {edit.path for commit in harmless for edit in commit.edits}
    assert authors == set(kit.AUTHORS)
    for name in ALIKE:
        told = {}
        for seed in SEEDS:
            truth, commits, place = made(name, seed, tmp_path)
            if place is not None:
                told[commits[place].message] = commits[place]
                assert commits[place].author in authors
            words = {
                truth.cause.replace("-", " "),
                truth.object.lower(),
                *(w for w in truth.cause.split("-") if len(w) > 4),
            }
            for commit in told.values():
                assert not {word for word in words if word in commit.message.lower()}, commit.message
        assert {message.split(":")[0] for message in told} <= stems
        assert {edit.path for commit in told.values() for edit in commit.edits} <= files


# What is written of them


WRITTEN = [name for name in NAMES if "harmless.md" in (FOLDER / name / "answers/reference.md").read_text()]
PROSE = ("cause", "component", "object", "mechanism", "terms")
"""Items of a verdict that go by the text alone."""


class Kept(Everything):
    """Facts that answer every selector and keep what was asked for."""

    def __missing__(self, key):
        self[key] = 1.25
        return self[key]


def graded(truth):
    """Return the points of the reference answer's prose, with made-up facts that all moved, and an alert for each rule."""
    known = scenario.load(FOLDER, truth.scenario)
    alerts = tuple(
        Alert(
            rule=r, severity="page", summary="Fires.", observed=2, baseline=1, threshold=1, unit="", since=truth.onset
        )
        for r in sorted(fired(truth))
    )
    given = fixtures.bundle("unit-mismatch", "")
    brief = given.brief.model_copy(update={"alerts": alerts, "timeline": ()})
    facts = Kept(dict.fromkeys((*truth.supporting, *truth.discriminating), 1.25))
    load = workload.load(ROOT, known.workload)
    seen = Evidence.model_construct(facts=facts)
    text = answers.render(FOLDER / truth.scenario, answers.REFERENCE, truth, brief, seen, load)
    changes = {
        "truth": truth,
        "brief": brief,
        "submission": given.submission.model_copy(update={"text": text}),
        "broken": given.broken.model_copy(update={"facts": dict(facts)}),
        "healthy": given.healthy.model_copy(update={"facts": dict.fromkeys(facts, 5.0)}),
    }
    verdict = grade(given.model_copy(update=changes))
    return {item.id: (item.points, item.max_points) for item in verdict.items if item.id in PROSE}, text


@pytest.mark.parametrize("name", WRITTEN)
def test_a_sentence_on_each_distractor_costs_the_reference_answer_nothing(name):
    told = set()
    for seed in range(16):
        truth = drawn(name, seed)
        points, text = graded(truth)
        bare, short = graded(truth.model_copy(update={"distractors": ()}))
        assert points == bare, [item.kind for item in truth.distractors]
        assert points["cause"] == (30, 30)
        assert len(text.splitlines()) == len(short.splitlines()) + 2
        told |= {item.kind for item in truth.distractors}
    assert len(told) >= 3


def test_the_answers_of_the_core_scenarios_speak_of_them():
    assert {*ALIKE, "blocked-event-loop", "false-alarm"} <= set(WRITTEN)
