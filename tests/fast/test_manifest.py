"""The deployment manifest of the serving API."""

import subprocess
import sys
from pathlib import Path

import pytest

from crashlab.errors import BuildFailed
from crashlab.stack import manifest
from crashlab.stack.services import find

ROOT = Path(__file__).resolve().parents[2]


def test_limits_and_variables_are_read():
    found = manifest.parse("# note\n\nSERVING_MEMORY=1g\nSERVING_CPUS=0.5\nTHREADS=4 # few\nLOG_LEVEL=debug\n")
    assert (found.memory_mb, found.cpus) == (1024, 0.5)
    assert found.variables["THREADS"] == "4"
    assert found.variables["LOG_LEVEL"] == "debug"


def test_what_is_left_out_is_what_the_table_says(tmp_path):
    assert manifest.parse("").memory_mb == find("serving").memory_mb
    assert manifest.read(tmp_path) == manifest.Manifest()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SERVING_MEMORY=lots", "SERVING_MEMORY is not a size"),
        ("SERVING_MEMORY=8m", "32m at least"),
        ("SERVING_CPUS=0", "SERVING_CPUS is not a number"),
        ("SERVING_CPUS=all", "SERVING_CPUS is not a number"),
        ("WORKERS=0", "WORKERS is not a whole number above 0"),
        ("THREADS=many", "THREADS is not a whole number above 0"),
        ("HOME", "line 1 is not NAME=value"),
        ("export A=1", "line 1 is not NAME=value"),
        ("\nlower=1\nSERVING_CPUS=x", "line 2 is not NAME=value; SERVING_CPUS"),
    ],
)
def test_what_cannot_be_deployed_is_named_with_its_line(text, reason):
    with pytest.raises(BuildFailed) as caught:
        manifest.parse(text)
    assert reason in caught.value.message


def test_the_embedded_runtime_gives_the_manifest_to_serving_alone(tmp_path):
    from crashlab.stack.embedded import EmbeddedStack
    from crashlab.stack.slots import Prepared

    code = tmp_path / "code"
    (code / "serving").mkdir(parents=True)
    (code / manifest.FILE).write_text("OMP_NUM_THREADS=7\nPATH=/nowhere\nCRASHLAB_STACK=other\nRELEASE=mine\n")
    stack = EmbeddedStack(home=tmp_path, root=ROOT, shared=tmp_path, workload="eta")
    prepared = Prepared(code, tmp_path / "env", "abc1234")
    values = stack._values({}, 1, "abc1234")
    serving = stack._environment(find("serving"), "serving", prepared, values)
    assert serving["OMP_NUM_THREADS"] == "7"
    assert serving["RELEASE"] == "abc1234"
    assert serving["CRASHLAB_STACK"] == stack.mark
    assert "/nowhere" not in serving["PATH"]
    assert stack._environment(find("training"), "job", prepared, values)["OMP_NUM_THREADS"] == "1"


def test_several_processes_can_be_served(tmp_path):
    """The entry point hands uvicorn a name that its children can import."""
    program = (
        "import sys, types\n"
        "called = {}\n"
        "sys.modules['uvicorn'] = types.SimpleNamespace(run=lambda app, **options: called.update(options, app=app))\n"
        "from serving.__main__ import main\n"
        "main()\n"
        "import importlib\n"
        "module, _, name = str(called['app']).partition(':')\n"
        "print(called['workers'], called['factory'], callable(getattr(importlib.import_module(module), name)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"WORKERS": "2", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["2", "True", "True"], done.stderr
