"""Environments are named by what they are made of, are whole or made again, and hold exactly what is pinned."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distributions
from pathlib import Path

import pytest

from crashlab.errors import BuildFailed, MissingPrerequisite
from crashlab.stack import envs
from crashlab.stack.envs import Environments, canonical, is_intact, site_packages
from tests.fast import toy_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toy_project.write(tmp_path / "root")


@pytest.fixture
def made(tmp_path: Path) -> Environments:
    (tmp_path / "state").mkdir()
    return Environments(tmp_path / "state")


def serving(made: Environments, root: Path) -> Path:
    return made.python("serving", root / "serving", root / "featurelib" / "releases")


def installed(environment: Path) -> dict[str, str]:
    found = distributions(path=[str(site_packages(environment))])
    return {canonical(d.metadata["Name"]): d.version for d in found}


def release(environment: Path) -> str:
    argv = [environment / "bin" / "python", "-c", "import featurelib; print(featurelib.RELEASE)"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_the_same_pins_give_the_same_environment(made, root):
    reports: list[str] = []
    first = made.python("serving", root / "serving", root / "featurelib" / "releases", reports.append)
    assert made.python("serving", root / "serving", root / "featurelib" / "releases", reports.append) == first
    assert reports == ["making the environment of serving"]
    assert installed(first) == {"featurelib": "1.0.0"}
    assert release(first) == "1.0.0"


def test_another_pin_or_another_source_gives_another_environment(made, root):
    first = serving(made, root)
    (root / "serving" / "internal.txt").write_text("featurelib==1.1.0\n")
    second = serving(made, root)
    assert second != first
    assert (release(first), release(second)) == ("1.0.0", "1.1.0")
    source = root / "featurelib" / "releases" / "1.1.0" / "src" / "featurelib" / "__init__.py"
    source.write_text('"""Changed."""\n\nRELEASE = "mended"\n')
    third = serving(made, root)
    assert third not in (first, second)
    assert release(third) == "mended"
    assert installed(third) == {"featurelib": "1.1.0"}


def test_an_environment_that_was_not_finished_is_made_again(made, root):
    first = serving(made, root)
    (first / ".complete").unlink()
    (site_packages(first) / "featurelib" / "__init__.py").write_text("half")
    assert serving(made, root) == first
    assert release(first) == "1.0.0"


def test_an_edited_package_is_left_alone_and_does_not_reach_the_next_deployment(made, root):
    first = serving(made, root)
    edited = site_packages(first) / "featurelib" / "__init__.py"
    edited.write_text("RELEASE = 'hand-made'\n")
    second = serving(made, root)
    assert second != first
    assert (release(first), release(second)) == ("hand-made", "1.0.0")
    assert serving(made, root) == second


def test_an_added_or_removed_package_is_noticed(made, root):
    first = serving(made, root)
    (site_packages(first) / "other-1.0.dist-info").mkdir()
    assert not is_intact(first, exact=False)
    assert serving(made, root) != first


def test_bytecode_is_no_change(made, root):
    first = serving(made, root)
    release(first)
    cache = site_packages(first) / "featurelib" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "x.pyc").write_bytes(b"x")
    assert serving(made, root) == first


@pytest.mark.parametrize("text", ["featurelib==7.0.0\n", "no-such-package==1.0\n", "a line that is none\n"])
def test_a_pin_that_is_not_there_fails_and_leaves_nothing(made, root, text):
    (root / "serving" / "internal.txt").write_text(text)
    with pytest.raises(BuildFailed, match="environment of serving could not be made") as failure:
        serving(made, root)
    assert failure.value.hint
    assert not [path for path in (made.state / "envs").iterdir() if path.is_dir()]


def test_requirements_need_their_hashes(made, root):
    (root / "serving" / "requirements.txt").write_text("tzdata==2025.2\n")
    with pytest.raises(BuildFailed, match="could not be made") as failure:
        serving(made, root)
    assert "hash" in failure.value.hint
    (root / "serving" / "requirements.txt").unlink()
    with pytest.raises(BuildFailed, match="has no requirements"):
        serving(made, root)


def test_a_release_that_does_not_build_is_named(made, root):
    (root / "featurelib" / "releases" / "1.1.0" / "pyproject.toml").write_text("[project\n")
    with pytest.raises(BuildFailed, match="in-house library does not build"):
        serving(made, root)


def test_two_at_a_time_make_one(made, root):
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: serving(made, root), range(4)))
    assert len(found) == 1


def test_nothing_of_the_callers_environment_leaks_in(made, root, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PYTHONPATH", str(root))
    assert installed(serving(made, root)) == {"featurelib": "1.0.0"}
    assert "include-system-site-packages = false" in (serving(made, root) / "pyvenv.cfg").read_text()


def test_names_are_normal():
    assert [canonical(name) for name in ("PyYAML", "typing_extensions", "a.-_b")] == [
        "pyyaml",
        "typing-extensions",
        "a-b",
    ]


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPrerequisite, match="uv is not installed"):
        envs.uv()


def test_compiling_tries_the_cache_first(monkeypatch, tmp_path):
    calls: list[list[str]] = []

    def run(argv: list[str], folder: Path, failure: str) -> None:
        calls.append(argv)
        if "--offline" in argv:
            raise BuildFailed(failure, "not in the cache")

    monkeypatch.setattr(envs, "_run", run)
    envs.compile_requirements(tmp_path)
    assert ["--offline" in call for call in calls] == [True, False]
    assert all("--generate-hashes" in call and "--no-header" in call for call in calls)


def test_the_record_is_small(made, root):
    record = json.loads((serving(made, root) / ".complete").read_text())
    assert record["packages"] == ["featurelib-1.0.0.dist-info"]
    assert len(record["files"]) == 16
