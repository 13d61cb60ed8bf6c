"""What this machine has, checked one by one."""

import shutil
import socket
import sys

from crashlab.model import Frozen
from crashlab.settings import Settings

FREE_GB = 5.0
"""Disk that environments, images and a few incidents take."""
MEMORY_GB = 1.5
"""Memory of one stack with room for reports."""
PYTHON = (3, 11)


class Check(Frozen):
    """One finding. Without a `required` one Crashlab does not run; without the others it does less."""

    name: str
    ok: bool
    required: bool
    found: str
    advice: str = ""


def run(settings: Settings) -> list[Check]:
    """Check Python, git, uv, disk, memory, Docker and Compose, and what is left of systems that are gone."""
    import psutil

    version = sys.version_info
    checks = [
        Check(
            name="Python", ok=version >= PYTHON, required=True, found=".".join(map(str, version[:3])),
            advice="Install Python 3.11 or newer.",
        ),
        _command("git", required=True, advice="Install git; the workspace is a repository."),
        _uv(),
    ]  # fmt: skip
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 1e9
    checks.append(
        Check(
            name="disk", ok=free >= FREE_GB, required=False, found=f"{free:.0f} GB free", advice=f"Have {FREE_GB:g} GB."
        )
    )
    memory = psutil.virtual_memory().available / 1e9
    checks.append(
        Check(
            name="memory",
            ok=memory >= MEMORY_GB,
            required=False,
            found=f"{memory:.1f} GB available",
            advice=f"Have {MEMORY_GB:g} GB.",
        )
    )
    checks.append(_ports())
    checks += _docker()
    checks.append(_leftovers(settings))
    return checks


def _leftovers(settings: Settings) -> Check:
    from crashlab import leftovers

    found = [f"{item.name} ({item.what})" for item in leftovers.find(settings)]
    return Check(
        name="leftovers",
        ok=not found,
        required=False,
        found="; ".join(found) or "nothing of systems that are gone",
        advice="`crashlab doctor --sweep` removes them.",
    )


def _command(name: str, *, required: bool, advice: str) -> Check:
    path = shutil.which(name)
    return Check(name=name, ok=path is not None, required=required, found=path or "missing", advice=advice)


def _uv() -> Check:
    from crashlab.errors import CrashlabError
    from crashlab.stack.envs import uv

    try:
        return Check(name="uv", ok=True, required=True, found=str(uv()))
    except CrashlabError as error:
        return Check(name="uv", ok=False, required=True, found="missing", advice=error.hint)


def _ports() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check(name="ports", ok=False, required=True, found=str(error), advice="Allow listening on 127.0.0.1.")
    return Check(name="ports", ok=True, required=True, found="127.0.0.1 can be listened on")


def _docker() -> list[Check]:
    from crashlab.stack import engine

    version = engine.version()
    advice = "Start Docker for the compose runtime; --runtime embedded needs none."
    found = [
        Check(name="Docker Engine", ok=version is not None, required=False, found=version or "no answer", advice=advice)
    ]
    if version is not None:
        import subprocess

        # An engine may answer where the command line is not installed.
        known = ""
        if shutil.which("docker"):
            argv = ["docker", "compose", "version", "--short"]
            known = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
        found.append(
            Check(
                name="Docker Compose", ok=bool(known), required=False, found=known or "missing",
                advice="Install the docker command with its Compose v2 plugin.",
            )
        )  # fmt: skip
    return found
