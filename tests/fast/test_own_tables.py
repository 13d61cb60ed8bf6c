"""Scenarios on a person's own table, without a system: what is felt, what is planned, and that edits do what was measured."""

import importlib
import json
import math
import random
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest

import grader
from crashlab import answers, distractors, regrade, scenario, sources, workload
from crashlab.errors import CrashlabError, UsageError
from crashlab.model import Alert, Brief, Evidence, Feature, Ground, Reaction
from crashlab.settings import Settings
from crashlab.stack.fake import FakeRegistry, FakeStack
from crashlab.tables import ground as grounds
from crashlab.tables import make
from crashlab.workspace import GitWorkspace
from scenarios import kit_table
from tests.fast import grader_fixtures as fixtures
from tests.fast.test_scenarios import Everything, fit
from tests.fast.test_tables import bundled, read, write_csv

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
NAMES = [name for name in scenario.names(FOLDER) if scenario.load(FOLDER, name).own_table]
SEEDS = range(100, 112)
DAY = datetime(2026, 8, 31, 8, tzinfo=UTC)


def trees(folder):
    """A table with numbers of several sizes, a category and unknown cells, whose target follows from all of them."""
    rng = random.Random(3)
    soils = ("clay", "loam", "sand", "peat")
    rows = []
    for _ in range(400):
        height, girth, age, soil = rng.uniform(2, 30), rng.uniform(0.2, 3), rng.randrange(3, 300), rng.choice(soils)
        water = rng.uniform(5, 9)
        risk = (
            0.2 * (height - 16)
            - 3 * (girth - 1.6)
            + 0.02 * (age - 150)
            + 2 * (soils.index(soil) - 1.5)
            + 2 * (water - 7)
        )
        rows.append([height, girth, age, soil, "" if rng.random() < 0.4 else water, "ill" if risk > 0.5 else "well"])
    return write_csv(folder / "trees.csv", ["Height (m)", "girth", "age", "soil", "water", "state"], rows)


class Model:
    """A linear model of standardised features, written by hand; unknown values are the mean, codes have a weight each."""

    def __init__(self, table, features):
        self.classifies = table.task == "classification"
        past = [self.vector(table, row) for row in table.history]
        outcomes = [row.outcome for row in table.history]
        middle = sum(outcomes) / len(outcomes)
        self.parts = {}
        for item in features:
            known = [vector[item.name] for vector in past if vector[item.name] is not None]
            mean = sum(known) / len(known)
            spread = math.sqrt(sum((value - mean) ** 2 for value in known) / len(known))
            if item.levels:
                weights = {
                    code: 3 * (sum(y for v, y in zip(past, outcomes, strict=True) if v[item.name] == code) / known.count(code) - middle)
                    for code in set(known)
                }  # fmt: skip
                self.parts[item.name] = (mean, spread, weights)
                continue
            both = [(v[item.name], y) for v, y in zip(past, outcomes, strict=True) if v[item.name] is not None]
            slope = sum((value - mean) / spread * (y - middle) for value, y in both) / len(both)
            self.parts[item.name] = (mean, spread, slope * (6 if self.classifies else 0.4))
        self.middle = middle

    @staticmethod
    def vector(table, row):
        return {
            column.name: None
            if row.cells[column.name] == ""
            else float(column.levels.index(row.cells[column.name]))
            if column.levels
            else float(row.cells[column.name])
            for column in table.columns
        }

    def __call__(self, vectors, version):
        found = []
        for vector in vectors:
            total = 0.0
            for name, (mean, spread, weight) in self.parts.items():
                value = vector[name]
                if isinstance(weight, dict):
                    total += weight.get(value, 0.0)
                elif value is not None:
                    total += weight * (value - mean) / spread
            total /= {None: 1, 2: 30, 4: 1000, 6: 1.05}[version]
            scaled = max(-30.0, min(30.0, total))
            found.append(1 / (1 + math.exp(-scaled)) if self.classifies else self.middle + total)
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


def settle(home, name, path, target):
    """A workload of a table with its ground, by a model written by hand instead of a trained one."""
    table = read(path, target)
    settings = Settings(root=ROOT, home=home)
    make.write(sources.own(settings, name), name, table, path.name)
    root = sources.root(settings, name)
    load = workload.load(root, name)
    columns = json.loads((root / "training" / name / "schema.json").read_text())["columns"]
    past = [Model.vector(table, row) for row in table.history]
    features = grounds.describe(columns, {c["name"]: [v[c["name"]] for v in past] for c in columns}, {})
    answer = Model(table, features)
    vectors = [Model.vector(table, row) for row in table.stream]
    rows = [(v, p, row.outcome) for v, p, row in zip(vectors, answer(vectors, None), table.stream, strict=True)]
    threshold = 0.5 if table.task == "classification" else None
    made = Ground(
        workload=name, target=target, metric=load.quality.metric, unit=load.unit, champion=5, threshold=threshold,
        features=features, order=load.features,
        reactions=grounds.react(load, features, rows, answer, (2, 4, 6), threshold),
    )  # fmt: skip
    return root, load, made, vectors, table


@pytest.fixture(scope="module")
def settled(home):
    return settle(home, "trees", trees(home), "state")


@pytest.fixture(scope="module")
def cancer(home):
    return settle(home, "cancer", bundled(home, "cancer"), "target")


def test_every_scenario_for_own_tables_runs_on_a_table_that_has_everything(settled):
    _, _, made, _, _ = settled
    assert scenario.playable(scenario.catalogue(FOLDER), made)[1].keys() == set(scenario.names(FOLDER)) - set(NAMES)


def test_what_a_table_lacks_is_refused_in_one_sentence(cancer):
    _, _, made, _, _ = cancer
    able, refused = scenario.playable([scenario.load(FOLDER, name) for name in NAMES], made)
    assert set(refused) >= {"imputation-mismatch", "category-encoding-order"}
    assert len(able) + len(refused) == len(NAMES)
    assert {"unit-mismatch", "feature-order", "wrong-alias", "blocked-event-loop"} <= {item.name for item in able}
    assert all(item.workload == "cancer" for item in able)
    assert "no category whose codes matter" in refused["category-encoding-order"]
    regression = made.model_copy(
        update={"threshold": None, "reactions": tuple(r for r in made.reactions if r.kind not in ("flip", "threshold"))}
    )
    with pytest.raises(UsageError, match="no decision threshold"):
        scenario.plan("decision-threshold", 1, regression)


def test_values_that_no_fact_can_name_are_left_alone(settled):
    _, _, made, _, _ = settled
    spaced = tuple(
        item.model_copy(update={"levels": tuple(f"a {level}" for level in item.levels)}) for item in made.features
    )
    with pytest.raises(UsageError, match="no category whose values can stand in the name of a fact"):
        scenario.plan("category-encoding-order", 1, made.model_copy(update={"features": spaced}))


def test_a_scenario_that_means_its_workload_runs_nowhere_else():
    with pytest.raises(UsageError, match="timezone-offset does not run on trees"):
        scenario.load(FOLDER, "timezone-offset").on("trees")


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_repeats_varies_and_speaks_the_taxonomy(name, settled):
    _, load, made, _, _ = settled
    taxonomy, item = grader.taxonomy(), scenario.load(FOLDER, name)
    truths = [scenario.plan(name, seed, made) for seed in SEEDS]
    assert truths == [scenario.plan(name, seed, made) for seed in SEEDS]
    assert len({truth.model_dump_json(exclude={"seed", "onset"}) for truth in truths}) > 1
    for truth in truths:
        assert truth.cause == scenario.plan(name, 1).cause
        assert {*truth.look_alikes, truth.cause} <= {cause.id for cause in taxonomy.causes}
        assert truth.cause not in truth.look_alikes
        assert truth.component in {component.id for component in taxonomy.components}
        assert set(truth.discriminating) <= set(truth.supporting)
        assert load.calendar.baseline_end < truth.onset < load.calendar.week_end
        assert set(item.own_table.alerts) <= set(truth.own_alerts)
        assert scenario.of(FOLDER, truth).workload == truth.workload == "trees"


def test_what_is_drawn_is_felt_by_more_than_the_margin(settled):
    _, _, made, _, _ = settled
    for kind in ("scale", "swap", "refit", "recode", "fill", "step", "round"):
        try:
            found = kit_table.felt(made, kind, least=1, what="thing")
        except UsageError:
            continue
        assert all(change.fires("prediction-quality", 0.2) for change in found)
        assert all(abs(value - 1) >= 0.2 for change in found for value in change.reach.values())


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_faults_and_harmless_commits_fit_the_generated_code_in_either_order(name, settled, tmp_path):
    root, _, made, _, _ = settled
    space = GitWorkspace.create(tmp_path / "workspace", root, "trees")
    stack = FakeStack(tmp_path, registry=FakeRegistry({version: {} for version in range(1, 7)}))
    stack.workspace = space
    harmless = distractors.load(root, "trees").commits
    today, seen = space.head(), set()
    for change in harmless:
        space.commit(change)
    base = space.head()
    for seed in SEEDS:
        truth = scenario.plan(name, seed, made)
        if (key := json.dumps(truth.parameters)) in seen or len(seen) > 3:
            continue
        seen.add(key)
        space.restore(today)
        scenario.inject(stack, truth)
        fit(space.path, harmless)
        space.restore(base)
        scenario.inject(stack, truth)
        broken = space.head()
        reference, fixes = scenario.fixes(name, own=True)
        assert len(fixes) >= 3
        assert all(fix.why for fix in (reference, *fixes))
        for fix in (reference, *fixes):
            fix.apply(stack, truth)
            space.restore(broken)
        space.restore(base)


def served(text):
    """The generated preprocessing as a module."""
    module = types.ModuleType("preprocess")
    exec(compile(text, "preprocess.py", "exec"), module.__dict__)  # noqa: S102 the code under test
    return module.Preprocessor(Path())


def transformed(preprocessor, rows):
    """Features of rows that come as production sends them."""
    found = []
    for places in grounds.together(len(rows)):
        frame = preprocessor.transform([rows[place] for place in places])
        found += [{k: None if math.isnan(v) else v for k, v in record.items()} for record in frame.to_dict("records")]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_code_does_what_was_measured(name, settled):
    """What a fault's edits make of the rows is what the ground tried on the model."""
    root, _, made, vectors, table = settled
    module = importlib.import_module(f"scenarios.{name}.own_table")
    path = kit_table.preprocessing("trees")
    rows = [
        {c.name: make._json(c, row.cells[c.name]) for c in table.columns} | {"row_id": "r", "event_time": "t"}
        for row in table.stream
    ]
    original, compared = (root / path).read_text(), 0
    assert transformed(served(original), rows) == vectors
    for change in made.reactions:
        if not change.columns or not change.decided(kit_table.CLEAR):
            continue
        only = made.model_copy(update={"reactions": (change, change)})
        try:
            truth = scenario.plan(name, 1, only)
        except UsageError:
            continue
        if not hasattr(module, "edits"):
            continue
        text = original
        for edit in module.edits(truth):
            assert edit.path == path
            assert text.count(edit.old) == 1
            text = text.replace(edit.old, edit.new)
        wanted = grounds.changed(change, vectors, made.features)
        found = transformed(served(text), rows)
        assert [set(vector) for vector in found] == [set(vector) for vector in wanted]
        for left, right in zip(found, wanted, strict=True):
            assert all(left[key] == pytest.approx(right[key]) for key in right), (change.kind, change.columns)
        compared += 1
    assert compared > 0 or not hasattr(module, "edits")


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_whole_post_mortems_in_the_tables_own_words(name, settled):
    _root, load, made, _, _ = settled
    item = scenario.load(FOLDER, name).on("trees")
    truth = scenario.plan(name, 3, made)
    fired = tuple(
        Alert(rule=rule, severity="page", summary="", observed=2, baseline=1, threshold=1, unit="", since=truth.onset)
        for rule in truth.own_alerts
    )
    brief = Brief(
        incident="i", title="t", workload="trees", level=1, blind=True, objective="", alerts=fired, timeline=(),
        onset_hint="", commitment="",
    )  # fmt: skip
    facts = Evidence.model_construct(facts=Everything())
    for file in (answers.REFERENCE, *(decoy.file for decoy in item.decoys)):
        text = answers.render(FOLDER / name, file, truth, brief, facts, load)
        assert text.startswith("---\ncause: "), file
        headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
        assert headings == [
            "Summary", "Impact", "Timeline", "Detection", "Root cause", "Evidence", "Resolution", "Prevention",
        ], file  # fmt: skip
        foreign = [
            "scorecard",
            "courier",
            "kitchen",
            "orders",
            "applicant",
            "delivery",
            "featurelib",
            "minutes",
            "None",
        ]
        assert [word for word in foreign if word in text] == [], file
    public = json.dumps([item.title, [hint.text for hint in item.hints]]).lower()
    assert truth.cause not in public
    assert truth.cause.replace("-", " ") not in public


def test_an_incident_on_an_own_table_is_graded_by_the_rubric_it_had(settled):
    _, _, made, _, _ = settled
    with pytest.raises(CrashlabError, match="drawn from the table of trees"):
        regrade.current(scenario.plan("wrong-alias", 2, made))


def test_a_rule_near_its_threshold_is_undecided():
    change = Reaction(kind="flip", reach={"prediction-quality": 1.1, "prediction-shift": 3.0})
    assert not change.decided(0.2)
    assert not change.fires("prediction-quality", 0.2)
    assert change.fires("prediction-shift", 0.2)
    assert not change.fires("decision-rate", 0.2)


@pytest.mark.parametrize(("count", "sizes"), [(10, [1, 1, 8]), (13, [1, 1, 8, 1, 1, 1]), (1, [1]), (0, [])])
def test_rows_come_alone_and_together(count, sizes):
    found = list(grounds.together(count))
    assert [len(places) for places in found] == sizes
    assert [place for places in found for place in places] == list(range(count))


def test_reach_follows_the_rules_of_the_workload(settled):
    _, load, _, _, _ = settled
    healthy = [(0.2, 0.0), (0.8, 1.0)] * 20
    assert grounds.reach(load, healthy, [p for p, _ in healthy], (0.5, 0.5)) == {
        "prediction-quality": 0.0, "prediction-shift": 0.0, "decision-rate": 0.0,
    }  # fmt: skip
    turned = grounds.reach(load, healthy, [1 - p for p, _ in healthy], (0.5, 0.5))
    assert turned["prediction-quality"] == pytest.approx(16 / load.rules.quality_ratio)
    assert turned["prediction-shift"] == pytest.approx(0.0, abs=1e-6)
    assert grounds.reach(load, healthy, [p for p, _ in healthy], (0.5, 0.9))["decision-rate"] == pytest.approx(
        0.5 / 0.08
    )
    worse = grounds.reach(load, healthy, [p + (0.02 if p < 0.5 else -0.02) for p, _ in healthy], None)
    assert worse["prediction-quality"] == pytest.approx((0.22**2 / 0.2**2 - 1) / 0.25, rel=1e-5)


def test_a_range_is_read_off_the_training_sample():
    columns = [
        {"name": "a", "source": "A", "levels": [], "optional": True},
        {"name": "b", "source": "B", "levels": ["x", "y"], "optional": False},
        {"name": "c", "source": "C", "levels": [], "optional": False},
    ]
    found = grounds.describe(columns, {"a": [1.23456, None, 9.0], "b": [0.0, 1.0], "c": [2.0, 2.0]}, {"b": 0.5})
    assert found == (
        Feature(name="b", source="B", levels=("x", "y"), low=0, high=1),
        Feature(name="a", source="A", optional=True, low=1.23, high=9),
    )


def test_of_a_wide_table_fewer_columns_are_tried():
    features = [Feature(name=f"c{n}", source="c", low=0, high=1) for n in range(200)]

    def tried(count, rows):
        return {c.columns[0] for c in grounds.changes(features[:count], (2,), None, rows) if c.kind == "scale"}

    assert len(tried(30, 150)) == grounds.MOST_COLUMNS
    assert len(tried(100, 150)) == 6
    assert tried(200, 150) == {"c0", "c1", "c2"}
    assert tried(2, 150) == {"c0", "c1"}


def test_a_model_without_an_error_has_no_ratio_to_nothing(settled):
    _, load, _, _, _ = settled
    found = grounds.reach(load, [(0.0, 0.0), (1.0, 1.0)], [1.0, 0.0], None)
    assert math.isfinite(found["prediction-quality"])
    assert found["prediction-quality"] > 1e6


class Asked(dict):
    """Facts that answer every selector with a value of its own, and remember what was asked."""

    def __missing__(self, key):
        self[key] = round(random.Random(key).uniform(0.1, 0.9), 4)
        return self[key]

    def __contains__(self, key):
        return True


def graded(load, truth, text, facts):
    """A verdict on a text where the system was repaired rightly and the facts are those that were asked for."""
    bundle = fixtures.bundle("unit-mismatch", "")
    fired = tuple(
        Alert(rule=rule, severity="page", summary="", observed=2, baseline=1, threshold=1, unit="", since=truth.onset)
        for rule in truth.own_alerts
    )
    broken = {**facts, **{name: facts[name] for name in truth.supporting}}
    healthy = {name: value / 2 for name, value in broken.items()}
    told = bundle.brief.model_copy(update={"workload": load.name, "alerts": fired})
    return grader.grade(
        bundle.model_copy(
            update={
                "truth": truth,
                "brief": told,
                "submission": bundle.submission.model_copy(update={"text": text}),
                "template": grader.template(told),
                "healthy": fixtures.evidence("healthy", healthy),
                "broken": fixtures.evidence("broken", broken),
                "after": fixtures.evidence("after", healthy),
            }
        )
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_answer_passes_for_every_truth_and_the_decoys_for_none(name, settled):
    _, load, made, _, _ = settled
    item, seen = scenario.load(FOLDER, name).on("trees"), set()
    for seed in range(6):
        truth = scenario.plan(name, seed, made)
        if (key := truth.mechanism.sentence) in seen:
            continue
        seen.add(key)
        facts = Asked()
        brief = Brief(
            incident="i", title="t", workload="trees", level=1, blind=True, objective="", timeline=(), onset_hint="",
            commitment="", alerts=tuple(
                Alert(rule=rule, severity="page", summary="", observed=2, baseline=1, threshold=1, unit="", since=truth.onset)
                for rule in truth.own_alerts
            ),
        )  # fmt: skip
        broken = Evidence.model_construct(facts=facts)
        for file in (answers.REFERENCE, *(decoy.file for decoy in item.decoys)):
            text = answers.render(FOLDER / name, file, truth, brief, broken, load)
            verdict = graded(load, truth, text, facts)
            lost = [
                (i.title, i.points, i.observed)
                for i in verdict.items
                if i.points is not None and i.points < i.max_points
            ]
            if file == answers.REFERENCE:
                assert verdict.passed, (truth.mechanism.sentence, lost)
                assert verdict.score >= 90, (verdict.score, truth.mechanism.sentence, lost)
            else:
                assert not verdict.passed, (file, verdict.score)
