"""One state folder for the whole session, so that environments and the trained history are made once."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CRASHLAB = (sys.executable, "-m", "crashlab.cli")


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs `crashlab` as a person would, in one state folder."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        """Environment of the commands. Bytecode is kept, as on a learner's machine."""
        return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
            "CRASHLAB_HOME": str(self.home)
        }

    def __call__(self, *argv: str, timeout: float = 600) -> Ran:
        """Run one command to its end."""
        done = subprocess.run(
            [*CRASHLAB, *argv], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def begin(self, *argv: str) -> subprocess.Popen[str]:
        """Start one command and leave it running."""
        return subprocess.Popen(
            [*CRASHLAB, *argv], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State folder of the session. `CRASHLAB_TEST_HOME` keeps its environments and histories between runs."""
    kept = os.environ.get("CRASHLAB_TEST_HOME")
    made = Path(kept).resolve() if kept else tmp_path_factory.mktemp("crashlab", numbered=False)
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture(scope="session")
def crashlab(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The command line on a state folder of its own, as every incident in it may be stopped.

    Environments and trained histories are the session's.
    """
    own = tmp_path_factory.mktemp("state")
    for name in ("envs", "wheels", "snapshots"):
        (home / name).mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to(home / name)
    return Shell(own)
