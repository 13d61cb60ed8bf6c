"""`crashlab workload` as a person runs it, on data sets that ship inside scikit-learn."""

import pytest

from tests.fast.test_tables import LOADERS, bundled
from tests.kit import refused

pytestmark = pytest.mark.thorough

PROVED = {"cancer": "feature-order", "wine": "unit-mismatch", "diabetes": "dtype-rounding"}
"""A scenario that is proved on each of these tables; the other ones differ in their edits, which unit tests hold."""


@pytest.mark.parametrize("name", LOADERS)
def test_a_table_is_added_listed_and_removed(name, crashlab, tmp_path):
    called = f"own{name}"
    path = bundled(tmp_path, name)
    added = crashlab(
        "workload", "add", str(path), "--target", "target", "--name", called, "--runtime", "embedded", "--json"
    )
    assert added.code == 0, added.err
    assert added.json["parity_mismatch"] == 0
    assert added.json["rows"]["production"] >= 50
    assert added.json["quality"]["mae"] < 60 if name == "diabetes" else added.json["quality"]["auc"] > 0.97
    again = crashlab("workload", "add", str(path), "--target", "target", "--name", called)
    assert (again.code, "already" in again.err) == (2, True)
    assert called in [entry["name"] for entry in crashlab("workload", "list", "--json").json if entry["own"]]
    played(crashlab, called, PROVED[name])
    assert crashlab("workload", "remove", called).code == 0
    assert called not in [entry["name"] for entry in crashlab("workload", "list", "--json").json]


def played(crashlab, called, proved):
    """Hold a table to what runs on it: it is listed, the rest is refused with a reason, and one scenario is proved."""
    listed = crashlab("list", "--workload", called, "--json").json
    assert {"unit-mismatch", "wrong-alias", "blocked-event-loop", proved} <= set(listed["scenarios"])
    assert {"imputation-mismatch", "category-encoding-order"} <= set(listed["refused"])
    asked = crashlab("start", "imputation-mismatch", "--workload", called, "--runtime", "embedded")
    refused(asked, 2, f"{called} has no column with enough unknown cells")
    done = crashlab("verify", proved, "--workload", called, "--runtime", "embedded", "--json")
    (matrix,) = done.json
    assert done.code == 0, [step for step in matrix["steps"] if not step["passed"]]
    assert matrix["scenario"] == proved
    assert len(matrix["steps"]) > 15


def test_a_scenario_runs_on_no_workload_that_is_not_there(crashlab):
    refused(
        crashlab("start", "wrong-alias", "--workload", "nowhere", "--runtime", "embedded"), 2, "no workload 'nowhere'"
    )
    refused(
        crashlab("start", "wrong-alias", "--workload", "credit", "--runtime", "embedded"), 2, "does not run on credit"
    )
    refused(crashlab("list", "--workload", "nowhere"), 2, "no workload 'nowhere'")
    assert crashlab("list", "--workload", "credit", "--drafts", "--json").json["refused"] == {}


def test_the_project_has_its_workloads(crashlab):
    found = {entry["name"]: entry["own"] for entry in crashlab("workload", "list", "--json").json}
    assert found.items() >= {"credit": False, "eta": False}.items()


def test_a_missing_file_is_one_sentence(crashlab, tmp_path):
    done = crashlab("workload", "add", str(tmp_path / "no.csv"), "--target", "y", "--runtime", "embedded")
    assert done.code != 0
    assert "Traceback" not in done.err
    assert "no.csv" in done.err
