"""What a person's shell sets for other programs, kept away from this one and from whatever it starts.

A proxy for the internet is none for services on this machine. A folder on PYTHONPATH may hold a `numpy.py` that is not NumPy. Under a
strict umask the files of a system, and of images that are built from them, could not be read by the users who run it; what is
secret is given its own mode where it is written.
"""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
UMASK = 0o022
ROOT = Path(__file__).resolve().parents[2]


def settle(environment: MutableMapping[str, str], path: list[str]) -> None:
    """Take such settings out of an environment and a module search path, and set the umask of this process."""
    os.umask(UMASK)
    for name in ("NO_PROXY", "no_proxy"):
        there = [each for each in environment.get(name, "").split(",") if each]
        environment[name] = ",".join(dict.fromkeys((*there, *LOOPBACK)))
    foreign = {each for each in environment.get("PYTHONPATH", "").split(os.pathsep) if Path(each).resolve() != ROOT}
    path[:] = [each for each in path if each not in foreign]
    kept = [each for each in environment.pop("PYTHONPATH", "").split(os.pathsep) if each and each not in foreign]
    if kept:
        environment["PYTHONPATH"] = os.pathsep.join(kept)


settle(os.environ, sys.path)
