"""The template is a whole scenario: what `crashlab new` makes is proved as it is."""

import json
import shutil
from pathlib import Path

import pytest

from tests.fast.test_authoring import IGNORED, ROOT, run

pytestmark = pytest.mark.thorough


def test_a_new_scenario_verifies_as_it_is(tmp_path: Path, home: Path):
    checkout = tmp_path / "project"
    shutil.copytree(ROOT, checkout, ignore=IGNORED, symlinks=True)
    assert run(checkout, "-m", "crashlab.cli", "new", "my-own-one").returncode == 0
    done = run(checkout, "-m", "crashlab.cli", "verify", "my-own-one", "--runtime", "embedded", "--json", home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    (matrix,) = json.loads(done.stdout)
    assert matrix["scenario"] == "my-own-one"
    assert all(step["passed"] for step in matrix["steps"])
