"""What the images of an incident hold: byte code, nothing that builds, and no word of what was done to the system."""

import json
import re
import subprocess

import pytest

import grader
from crashlab.scenario import names
from crashlab.stack.engine import PROJECT
from tests.conftest import ROOT
from tests.docker.conftest import stack_of
from tests.kit import Live

OURS = ("mlflow", "training", "serving")
CAUSES = [cause.id for cause in grader.taxonomy().causes if "-" in cause.id]
WORDS = re.compile(
    rf"(?<![\w-])(?:faults?|injected|learner|decoys?|scenarios?|sabotage|{'|'.join([*CAUSES, *names(ROOT / 'scenarios')])})(?![\w-])",
    re.IGNORECASE,
)
"""The field's words for what may be wrong, and ours for putting it there. `no-fault` is among the causes."""
READ = r"""
import pathlib, sys
for root in sys.argv[1:]:
    for path in sorted(pathlib.Path(root).rglob("*")):
        print(path)
        if path.is_file() and path.suffix != ".pyc":
            print(path.read_text(errors="replace"))
"""
FOLDERS = r"""
import importlib.util, pathlib
found = importlib.util.find_spec("featurelib")
print("/app", pathlib.Path(found.origin).parent if found else "")
"""
COMPILED = r"""
import importlib.util, pathlib, sys
for name in sys.argv[1:]:
    folder = pathlib.Path(importlib.util.find_spec(name).origin).parent
    sources = [path for path in folder.rglob("*.py")]
    missing = [str(path) for path in sources if not pathlib.Path(importlib.util.cache_from_source(str(path))).is_file()]
    print(name, len(sources), len(missing), *missing[:3])
"""


def said(*argv: str) -> str:
    return subprocess.run(["docker", *argv], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def images(contained: Live) -> dict[str, str]:
    """Name of an image that each service of the incident was made from."""
    project = stack_of(contained.shell, contained.id).engine
    return {name: project.images(name)[0] for name in OURS}


@pytest.mark.parametrize("name", OURS)
def test_no_image_has_a_word_of_what_was_done(images: dict[str, str], name: str) -> None:
    image = images[name]
    config = json.loads(said("image", "inspect", image))[0]["Config"]
    labels = {key: value for key, value in config["Labels"].items() if key != PROJECT}
    run = ["run", "--rm", "--network", "none", "--entrypoint", "python", image]
    folders = said(*run, "-c", FOLDERS).split()
    read = {
        "history": said("history", "--no-trunc", "--format", "{{json .}}", image),
        "labels and variables": json.dumps([labels, config["Env"], config["Cmd"], config["Entrypoint"]]),
        "files": said(*run, "-c", READ, *folders),
    }
    assert len(read["files"]) > 1000 or name == "mlflow"
    found = {where: sorted(set(WORDS.findall(text))) for where, text in read.items()}
    assert not any(found.values()), found


def test_a_word_would_be_found() -> None:
    assert WORDS.search("RUN true # the fault goes here")
    assert WORDS.search("LABEL scenario=unit-mismatch")
    assert not WORDS.search("a default scheduler, faulthandler")


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("mlflow", ("mlflow",)),
        ("training", ("training", "featurelib")),
        ("serving", ("serving", "featurelib", "sklearn")),
    ],
)
def test_what_an_image_imports_is_compiled(images: dict[str, str], name: str, packages: tuple[str, ...]) -> None:
    printed = said(
        "run", "--rm", "--network", "none", "--entrypoint", "python", images[name], "-c", COMPILED, *packages
    )
    for line in printed.splitlines():
        package, sources, missing, *examples = line.split()
        assert int(sources) > 0, package
        assert int(missing) == 0, (package, examples)


@pytest.mark.parametrize("name", OURS)
def test_an_image_has_no_build_tools_and_no_rights(images: dict[str, str], name: str) -> None:
    config = json.loads(said("image", "inspect", images[name]))[0]["Config"]
    assert config["User"] == "10001:10001"
    looked = (
        "import importlib.util as u, shutil; "
        "print([n for n in ('hatchling', 'build', 'setuptools_scm') if u.find_spec(n)] + "
        "[n for n in ('gcc', 'cc', 'make', 'git', 'uv') if shutil.which(n)])"
    )
    assert said("run", "--rm", "--network", "none", "--entrypoint", "python", images[name], "-c", looked) == "[]\n"
