"""Workloads made of a table: how columns are understood, rows split and code written."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from crashlab import distractors, history, sources, workload
from crashlab.errors import UsageError
from crashlab.settings import Settings
from crashlab.tables import make, table

ROOT = Path(__file__).parents[2]
LOADERS = {"cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}


def write_csv(path, headings, rows):
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([headings, *rows])
    return path


def bundled(folder, name):
    """A data set that ships inside scikit-learn, as a person would have it in a file."""
    found = LOADERS[name](as_frame=True)
    frame = found.frame
    if name != "diabetes":
        frame["target"] = [found.target_names[index] for index in frame["target"]]
    frame.to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


def flowers(folder, count=240):
    """A table with everything in it that needs a thought."""
    rows = [
        [
            f"id-{n}", f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}", n % 7 + 0.5, "" if n % 5 == 0 else n * 3,
            ("red", "red", "blue", "N/A")[n % 4], "yes" if n % 3 else "no", 1, f"free text {n}", 10.0 * (n % 7) + n % 3,
        ]
        for n in range(count)
    ]  # fmt: skip
    headings = ["Key", "When", "Petal Width (cm)", "class", "colour", "wild?", "constant", "remarks", "height"]
    return write_csv(folder / "flowers.csv", headings, rows)


def read(path, target, **options):
    return table.read(path, target, **{"time": None, "entity": None, "task": None, "positive": None, **options})


def test_columns_are_understood(tmp_path):
    found = read(flowers(tmp_path), "height", time="When", entity="Key")
    known = {column.name: column for column in found.columns}
    assert list(known) == ["petal_width_cm", "c_class", "colour", "wild"]
    assert known["petal_width_cm"].source == "Petal Width (cm)"
    assert known["petal_width_cm"].levels == ()
    assert not known["petal_width_cm"].optional
    assert known["c_class"].optional
    assert known["colour"] == table.Column("colour", "colour", ("red", "blue"), optional=True)
    assert known["wild"].levels == ("yes", "no")
    assert set(found.left_out) == {"constant", "remarks"}
    assert (found.task, found.event_time, found.entity) == ("regression", "when", "key")


def test_the_latest_rows_are_production(tmp_path):
    path = write_csv(
        tmp_path / "t.csv", ["t", "x", "y"], [[(n * 37) % 200, (n * 37) % 200, n * 1.5] for n in range(200)]
    )
    found = read(path, "y", time="t")
    last = max(float(row.cells["x"]) for row in found.history)
    assert all(float(row.cells["x"]) > last for row in (*found.stream, *found.hidden))
    assert [float(row.cells["x"]) for row in found.history] == sorted(float(row.cells["x"]) for row in found.history)


@pytest.mark.parametrize("name", LOADERS)
def test_no_row_is_in_two_parts(name, tmp_path):
    found = read(bundled(tmp_path, name), "target")
    parts = [found.history, found.stream, found.hidden]
    keys = [{(tuple(row.cells.values()), row.outcome) for row in part} for part in parts]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]
    assert sum(map(len, parts)) == len(LOADERS[name]().data)
    assert len(found.stream) <= table.MOST_STREAM


@pytest.mark.parametrize(("name", "positive"), [("cancer", "malignant"), ("wine", "class_2")])
def test_the_rarest_class_is_asked_about_and_spread_evenly(name, positive, tmp_path):
    found = read(bundled(tmp_path, name), "target")
    assert (found.task, found.positive) == ("classification", positive)
    shares = [sum(row.outcome for row in part) / len(part) for part in (found.history, found.stream, found.hidden)]
    assert max(shares) - min(shares) < 0.06


def test_another_class_can_be_asked_about(tmp_path):
    found = read(bundled(tmp_path, "wine"), "target", positive="class_0")
    assert sum(row.outcome for part in (found.history, found.stream, found.hidden) for row in part) == 59


def test_a_large_table_is_cut(tmp_path):
    path = write_csv(tmp_path / "big.csv", ["x", "y"], [[n % 977, n % 1000 + 0.5] for n in range(30_000)])
    found = read(path, "y")
    assert (len(found.history), len(found.stream), len(found.hidden)) == (20_000, 150, 240)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_other_delimiters_are_read(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    path.write_text("\ufeffx" + delimiter + "y\n" + "".join(f"{n}{delimiter}{n * 2.5}\n" for n in range(120)))
    assert [column.name for column in read(path, "y").columns] == ["x"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "nothing"}, "no column 'nothing'"),
        ({"target": "height", "time": "nothing"}, "no column 'nothing'"),
        ({"target": "wild?", "positive": "perhaps"}, "no value 'perhaps'"),
        ({"target": "colour", "task": "regression"}, "is no number"),
        ({"target": "height", "time": "colour"}, "is no time"),
        ({"target": "remarks"}, "1 rows with remarks"),
        ({"target": "constant"}, "0 rows of other classes"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, options, said):
    with pytest.raises(UsageError) as caught:
        read(flowers(tmp_path), **options)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "fewer than two columns"),
        (b"x\n1\n", "fewer than two columns"),
        (b"x,x\n1,2\n", "twice"),
        (b"x,y\n1,2\n", "1 rows with a value of y"),
        (b"\xff\xfe\x00x,y\n", "cannot be read as text"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "t.csv", "y")
    assert said in caught.value.message


@given(st.lists(st.text(max_size=30), min_size=1, max_size=12))
def test_every_heading_becomes_a_name(headings):
    taken: set[str] = set()
    names = [table.identifier(heading, taken) for heading in headings]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and not name.startswith("model_") for name in names)


@pytest.fixture
def settings(tmp_path):
    return Settings(root=ROOT, home=tmp_path / "home")


def made(settings, path, name, target, **options):
    """Write a workload as `workload add` does, without a stack."""
    make.write(sources.own(settings, name), name, read(path, target, **options), path.name)
    return sources.root(settings, name)


BOTH_SIDES = """
import importlib, json, sys
import numpy as np
from pathlib import Path
from datetime import date
from training.settings import Settings, part
name = sys.argv[1]
settings = Settings(name, Path("."), "", name, "champion", "r")
generate, prepare, model = (part(settings, which) for which in ("generate", "prepare", "model"))
rows = [row["order"] for row in generate.sample(60, "hidden", 7, (date(2026, 8, 31), date(2026, 9, 7)))]
served = importlib.import_module(f"serving.{name}")
checked = [served.Order(**row).model_dump() for row in rows]
trained, transformed = prepare.features(rows, Path(".")), served.Preprocessor(Path(".")).transform(checked)
assert list(trained.columns) == list(transformed.columns)
np.testing.assert_array_equal(trained.to_numpy(), transformed.to_numpy())
served.Order(**served.SAMPLE)
past = generate.history(7)
fitted = model.pipeline(model.DEFAULT_PARAMS, 7).fit(
    prepare.features([r["order"] for r in past], Path(".")), [r["actual"] for r in past]
)
fresh = list(generate.stream(7))
days = [row["order"][generate.TIME_FIELD][:10] for row in fresh]
first, second = ([r for r, d in zip(fresh, days) if d == day] for day in ("2026-08-31", "2026-09-01"))
quality = [
    model.evaluate(fitted, prepare.features([r["order"] for r in part], Path(".")), np.array([r["actual"] for r in part]))
    for part in (first, second)
]
print(json.dumps({"nulls": int(np.isnan(trained).sum().sum()), "quality": quality, "predict": model.PREDICT}))
"""


def both_sides(root, name):
    """Compare the two code paths of a workload in a process of their own, from its own folder of code."""
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", BOTH_SIDES, name],
        env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", LOADERS)
def test_a_bundled_data_set_becomes_a_workload(name, settings, tmp_path):
    root = made(settings, bundled(tmp_path, name), name, "target")
    load = workload.load(root, name)
    assert (load.decision is None) == (name == "diabetes")
    found = both_sides(root, name)
    first, second = found["quality"]
    # Every day has the same rows, so a healthy day is as good as another.
    assert first == pytest.approx(second)
    assert first["mae"] < 60 if name == "diabetes" else first["auc"] > 0.97


def test_missing_cells_categories_and_times_survive_the_way(settings, tmp_path):
    root = made(settings, flowers(tmp_path), "flowers", "height", time="When", entity="Key")
    assert both_sides(root, "flowers")["nulls"] > 10


def test_headings_cannot_break_the_code(settings, tmp_path):
    bad = '"""\\ {{ 7 * 7 }} {% if %} # \N{SNOWMAN}'
    rows = [[n % 9, ['a"b', "c\\", "d'\n"][n % 3], n * 1.5] for n in range(150)]
    root = made(settings, write_csv(tmp_path / "bad.csv", [bad, f"x{bad}", f"y{bad}"], rows), "bad", f"y{bad}")
    both_sides(root, "bad")
    assert "49" not in (root / "serving/bad/schema.py").read_text()


def test_the_copy_follows_the_project_and_holds_its_history(settings, tmp_path):
    root = made(settings, bundled(tmp_path, "wine"), "wine", "target")
    assert root == sources.root(settings, "wine") != ROOT
    assert sources.root(settings, "eta") == ROOT
    commits = history.trees(root, "wine")
    assert len(commits) == 5
    assert {"serving/wine/preprocess.py", "training/wine/table.csv"} <= set(commits[-1][1])
    texts = {}
    for change in distractors.load(root, "wine").commits:
        for edit in change.edits:
            text = texts.setdefault(edit.path, (root / edit.path).read_text())
            assert text.count(edit.old) == 1, (change.message, edit.path)
            texts[edit.path] = text.replace(edit.old, edit.new)
    (sources.own(settings, "wine") / "serving/wine/policy.toml").write_text("[decision]\nyes_from = 0.4\n")
    assert sources.root(settings, "wine") != root


def test_hidden_rows_are_in_no_workspace(settings, tmp_path):
    path = bundled(tmp_path, "wine")
    root, table_ = made(settings, path, "wine", "target"), read(path, "target")
    kept = [json.loads(line) for line in (root / "hidden.jsonl").read_text().splitlines()]
    assert [row["actual"] for row in kept] == [row.outcome for row in table_.hidden]
    assert len(kept) == len(table_.hidden) > 30
    assert kept[0]["payload"] == {c.name: float(table_.hidden[0].cells[c.name]) for c in table_.columns}
    parts = [line.split(",")[0] for line in (root / "training/wine/table.csv").read_text().splitlines()[1:]]
    assert {part: parts.count(part) for part in set(parts)} == {
        "history": len(table_.history), "stream": len(table_.stream),
    }  # fmt: skip
    assert not [name for name in history.tree(root) if name.endswith("hidden.jsonl")]


SAMPLED = """
import json, sys
from datetime import date
from pathlib import Path
from training.settings import Settings, part
given = [{"payload": {"x": float(n)}, "actual": float(n)} for n in range(5)]
generate = part(Settings("wine", Path("."), "", "wine", "champion", "r"), "generate")
drawn = generate.sample(12, "hidden", 7, (date(2026, 8, 31), date(2026, 9, 7)), rows=given)
print(json.dumps([[row["order"]["x"], row["actual"]] for row in drawn]))
"""


def test_a_sample_is_drawn_from_the_rows_that_are_given(settings, tmp_path):
    root = made(settings, bundled(tmp_path, "wine"), "wine", "target")
    done = subprocess.run(
        [sys.executable, "-P", "-c", SAMPLED], env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert [x for x, actual in found] == [actual for _, actual in found]
    assert {x for x, _ in found} == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert len(found) == 12


@pytest.mark.parametrize("name", ["eta", "table", "registry", "Wine", "1x", "a-b", "../x", ""])
def test_names_that_are_taken_or_none(settings, tmp_path, name):
    with pytest.raises(UsageError):
        make.add(settings, tmp_path / "no.csv", "y", lambda *_: None, name=name or "-", report=lambda _: None)  # type: ignore[arg-type, return-value]


def test_a_table_that_is_refused_leaves_nothing(settings, tmp_path):
    path = write_csv(tmp_path / "tiny.csv", ["x", "y"], [[1, 2]])
    with pytest.raises(UsageError):
        make.add(settings, path, "y", lambda *_: None, report=lambda _: None)  # type: ignore[arg-type, return-value]
    assert sources.own_names(settings) == []


def test_only_what_was_made_can_be_removed(settings):
    with pytest.raises(UsageError):
        make.remove(settings, "eta")
