"""The taxonomy and the glossary: closed, complete, consistent, and cheap to import."""

import subprocess
import sys
from pathlib import Path

import pytest

from grader import glossary, hops, taxonomy
from grader.reader import tokens
from grader.terms import find

ROOT = Path(__file__).parents[2]


def test_ids_are_unique_and_refer_to_each_other() -> None:
    tree = taxonomy()
    ids = [cause.id for cause in tree.causes]
    assert len(ids) == len(set(ids)) >= 55
    families = {family.id for family in tree.families}
    accepted = [name for cause in tree.causes for name in (cause.id, *cause.also)]
    assert len(accepted) == len(set(accepted))
    for cause in tree.causes:
        assert cause.family in families
        assert set(cause.components) <= tree.component_ids
        assert set(cause.neighbours) <= set(ids) - {cause.id}
        assert cause.phrases
        assert cause.sources
        assert cause.definition.endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "unit-mismatch",
        "feature-library-version-mismatch",
        "dependency-version-mismatch",
        "wrong-alias",
        "imputation-mismatch",
        "event-loop-blocking",
        "no-fault",
        "per-request-model-load",
        "scaler-refit",
        "category-encoding-order",
        "target-leakage",
        "concept-drift",
        "covariate-shift",
        "label-shift",
    ],
)
def test_causes_that_scenarios_rely_on(name: str) -> None:
    assert name in taxonomy().by_id


def test_components_are_the_agreed_ones() -> None:
    assert taxonomy().component_ids == {
        "serving-code", "serving-environment", "model-registry", "training-pipeline", "feature-store", "upstream-data",
        "serving-runtime", "infrastructure", "monitoring", "none",
    }  # fmt: skip


def test_distances() -> None:
    assert hops("unit-mismatch", "unit-mismatch") == 0
    assert hops("unit-mismatch", "imputation-mismatch") == 1
    assert hops("wrong-alias", "stale-model-cache") == 1
    assert hops("code-by-reference", "stale-model-cache") == hops("stale-model-cache", "code-by-reference") == 1
    assert hops("unit-mismatch", "memory-leak") == 2
    assert hops("no-fault", "unit-mismatch") == 2
    assert hops("covariate-drift", "covariate-shift") == 0
    assert hops("nonsense", "unit-mismatch") == 2
    ids = list(taxonomy().by_id)
    assert all(hops(a, b) == hops(b, a) for a in ids for b in ids)


def test_the_glossary_is_complete_and_sourced() -> None:
    entries = glossary()
    assert len(entries) >= 68
    names = [name.lower() for entry in entries for name in (entry.term, *entry.synonyms)]
    assert len(names) == len(set(names))
    for entry in entries:
        assert entry.source
        assert len(tokens(entry.definition)) >= 6
        assert entry.definition.endswith(".")
    assert [entry.term.lower() for entry in entries] == sorted(entry.term.lower() for entry in entries)


def test_terms_are_found_by_synonym_and_case() -> None:
    entry = find("Training-Serving Skew")
    assert entry is not None
    assert entry.term == "train/serve skew"
    assert "data drift" in entry.confused_with
    assert find("flux capacitor") is None


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, grader\n"
        "heavy = {'pydantic', 'yaml', 'markdown_it', 'rapidfuzz', 'jinja2', 'snowballstemmer', 'pandas', 'numpy', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_grading_needs_no_data_science() -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.fast import grader_fixtures as f\n"
        "import grader\n"
        "assert grader.grade(f.bundle('wrong-alias', f.right_answer('wrong-alias'))).passed\n"
        "print(sorted({'pandas', 'numpy', 'sklearn', 'scipy', 'mlflow', 'httpx', 'docker'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
