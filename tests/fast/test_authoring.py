"""A new scenario is one folder that holds every rule for scenarios before its author has changed a line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crashlab import authoring, scenario
from crashlab.errors import UsageError

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "build", "docs", "*.egg-info")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, as an author has one."""
    shutil.copytree(ROOT, tmp_path / "project", ignore=IGNORED, symlinks=True)
    return tmp_path / "project"


def run(checkout: Path, *argv: str, home: Path | None = None) -> "subprocess.CompletedProcess[str]":
    # Nothing of this checkout may be imported by the copy.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "CRASHLAB_HOME": str(home or checkout / ".crashlab")}
    return subprocess.run(
        [sys.executable, *argv], cwd=checkout, env=environment, capture_output=True, text=True, timeout=800, check=False
    )


@pytest.mark.thorough
def test_a_new_scenario_passes_every_test_of_scenarios_and_touches_nothing_else(checkout):
    before = files(checkout)
    made = run(checkout, "-m", "crashlab.cli", "new", "my-own-one")
    assert made.returncode == 0, made.stderr
    added = {name: text for name, text in files(checkout).items() if before.get(name) != text}
    assert all(name.startswith("scenarios/my-own-one/") for name in added), sorted(added)
    assert not [name for name, text in added.items() if authoring.PLACEHOLDER.encode() in text]
    done = run(
        checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "my-own-one", "tests/fast/test_scenarios.py"
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^(\d+) passed, \d+ deselected", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) >= 8, "the new scenario was not among those that are tested"


def test_the_copy_is_in_the_catalogue_and_the_template_is_not(tmp_path):
    shutil.copytree(ROOT / "scenarios" / "_template", tmp_path / "_template", ignore=IGNORED)
    assert scenario.names(tmp_path) == []
    authoring.new(tmp_path, "clocks")
    assert [found.name for found in scenario.catalogue(tmp_path)] == ["clocks"]
    with pytest.raises(UsageError, match="there already"):
        authoring.new(tmp_path, "clocks")


def test_a_copy_that_fails_half_way_can_be_made_again(tmp_path):
    shutil.copytree(ROOT / "scenarios" / "_template", tmp_path / "_template", ignore=IGNORED)
    (tmp_path / "_clocks.draft").mkdir()
    (tmp_path / "_clocks.draft" / "half").write_text("")
    assert scenario.names(tmp_path) == []
    made = authoring.new(tmp_path, "clocks")
    assert not (made / "half").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_template", "clocks"]


@pytest.mark.parametrize("name", ["", "Clocks", "_clocks", "a/b", "..", "a--b", "clocks-", "x" * 41])
def test_what_is_no_name_makes_nothing(tmp_path, name):
    with pytest.raises(UsageError):
        authoring.new(tmp_path, name)
    assert not list(tmp_path.iterdir())
