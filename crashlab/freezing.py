"""The process that a start leaves behind for some seconds: it freezes the evidence while the brief is being read.

    python -m crashlab.freezing STATE_FOLDER DATA_SEED INCIDENT

It prints nothing. Whatever keeps it from finishing, the first command that needs the evidence freezes it instead.
"""

import os
import subprocess
import sys
from pathlib import Path

from crashlab.errors import CrashlabError
from crashlab.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def leave_behind(settings: Settings, identifier: str) -> None:
    """Start the process, detached from this one."""
    argv = [sys.executable, "-m", "crashlab.freezing", str(settings.home), str(settings.data_seed), identifier]
    subprocess.Popen(
        argv,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main() -> int:
    """Freeze one incident's evidence; returns 1 where that is left to a later command."""
    from crashlab.incident import Incident

    home, seed, identifier = sys.argv[1:]
    try:
        Incident(Settings(root=ROOT, home=Path(home), data_seed=int(seed)), identifier).frozen()
    except CrashlabError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
