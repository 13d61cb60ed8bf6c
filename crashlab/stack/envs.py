"""Environments of the services, made by uv from the same requirements files as their images.

An environment's folder is named by a hash of all it is made of, so it is made once and shared by every incident with
the same pins. `.complete` inside it says what was installed; without that file it is made again, and where it is no
longer true another one is made beside it, so that an edit of installed packages does not outlive a deployment.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from crashlab.errors import BuildFailed, MissingPrerequisite
from crashlab.stack.base import Report, silent

COMPLETE = ".complete"
LAYOUT = "1"
"""Changes when environments are made in another way, so that older ones are not taken for new."""
COMPILE = (
    "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
    "--quiet",
)  # fmt: skip
TAIL = 1500
"""Characters of uv's message that an error carries."""
COPIED = ("serving", "training")
"""Services whose packages are copied and checked. Files of the others are links into uv's cache, which is faster and
smaller; but whoever edits an installed package there edits the cache, and with it every other environment."""
FLIT = """
import sys
from pathlib import Path
from flit_core.wheel import make_wheel_in
for folder in sys.argv[2:]:
    make_wheel_in(Path(folder) / "pyproject.toml", Path(sys.argv[1]))
"""


def uv() -> str:
    """Path of uv. Raises MissingPrerequisite where there is none."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise MissingPrerequisite("uv is not installed.", "Run `make setup`, which installs it into .venv.")
    return found


def _run(argv: Sequence[str], folder: Path, failure: str) -> None:
    # A virtual environment or a Python path of the caller's must not leak into the one that is made.
    hidden = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildFailed(failure, str(error)) from error
    if done.returncode != 0:
        raise BuildFailed(failure, (done.stderr or done.stdout).strip()[-TAIL:])


def compile_requirements(folder: Path) -> None:
    """Compile `requirements.in` of a folder into its `requirements.txt`, from uv's cache if that is enough.

    Pins that still fit are kept. Raises BuildFailed where they cannot be resolved.
    """
    argv = [uv(), *COMPILE, "requirements.in", "--output-file", "requirements.txt"]
    failure = f"The requirements of {folder.name} cannot be resolved."
    try:
        _run([*argv, "--offline"], folder, failure)
    except BuildFailed:
        _run(argv, folder, failure)


def canonical(name: str) -> str:
    """Return a distribution's name in its normal form: lower case, with single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def site_packages(environment: Path) -> Path:
    """Return the folder of installed packages of an environment."""
    return next((environment / "lib").glob("python3*")) / "site-packages"


def _listing(environment: Path) -> list[str]:
    return sorted(path.name for path in site_packages(environment).glob("*.dist-info"))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def folder_hash(folder: Path) -> str:
    """Hash of the names and contents of a folder's files, bytecode aside."""
    parts = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    return _digest(*parts)


class Environments:
    """Environments and wheels below the folder `state`."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def wheels(self, releases: Path) -> Path:
        """Build a wheel of every release in a folder, and return the folder that serves as package index.

        Raises BuildFailed where a release cannot be built.
        """
        folders = sorted(path.parent for path in releases.glob("*/pyproject.toml"))
        index = self.state / "wheels" / _digest(*(f"{p.name} {folder_hash(p)}".encode() for p in folders))
        if (index / COMPLETE).is_file():
            return index
        index.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(index.parent / f".{index.name}.lock"):
            if not (index / COMPLETE).is_file():
                index.mkdir(exist_ok=True)
                argv = [sys.executable, "-P", "-c", FLIT, str(index), *map(str, folders)]
                _run(argv, self.state, "A release of the in-house library does not build.")
                (index / COMPLETE).touch()
        return index

    def python(self, service: str, folder: Path, releases: Path | None = None, report: Report = silent) -> Path:
        """Return the environment (its top folder) for the requirements files in `folder`, making it where needed.

        `requirements.txt` is installed with its hashes, then `internal.txt`, if there is one, from the wheels of the
        in-house library whose releases are in `releases`. Raises BuildFailed where uv cannot do it.
        """
        requirements = folder / "requirements.txt"
        internal = folder / "internal.txt"
        if not requirements.is_file():
            raise BuildFailed(f"{service} has no requirements.txt.", "Restore it from the workspace's history.")
        # A comment makes no other environment.
        lines = internal.read_text(encoding="utf-8").splitlines(keepends=True) if internal.is_file() else []
        pins = "".join(line for line in lines if not line.lstrip().startswith("#")).encode()
        index = self.wheels(releases) if pins.strip() and releases is not None else None
        built = index.name.encode() if index else b""
        # Which Python it is decides which wheels are chosen and which folder they are in.
        python = f"{sys.version} {sys.base_prefix} {sys.platform}".encode()
        name = _digest(LAYOUT.encode(), requirements.read_bytes(), pins, built, python)
        stem = self.state / "envs" / f"{service}-{name}"
        exact = service in COPIED
        stem.parent.mkdir(parents=True, exist_ok=True)
        found = _first(stem, exact=exact)
        if is_intact(found, exact=exact):
            return found
        with FileLock(stem.parent / f".{stem.name}.lock"):
            found = _first(stem, exact=exact)
            if not is_intact(found, exact=exact):
                report(f"making the environment of {service}")
                self._make(service, found, requirements, internal if index else None, index)
        return found

    def _make(
        self, service: str, environment: Path, requirements: Path, internal: Path | None, index: Path | None
    ) -> None:
        failure = f"The environment of {service} could not be made."
        tool, python = uv(), str(environment / "bin" / "python")
        lookup = ("--quiet", "--no-deps", "--no-index", "--find-links", str(index))
        if internal is not None:
            # A release that is not there is found out before the minute that the other packages may take.
            _run([tool, "pip", "compile", "--no-header", *lookup, str(internal)], self.state, failure)
        shutil.rmtree(environment, ignore_errors=True)
        common = ["--quiet", "--python", python]
        twin = self._twin(service)
        try:
            if twin is not None:
                # Most packages are the same as in the last environment, which has their bytecode already.
                shutil.copytree(twin, environment, symlinks=True, ignore=shutil.ignore_patterns(COMPLETE))
            else:
                argv = [tool, "venv", "--quiet", "--no-project", "--relocatable", "--python", sys.executable]
                _run([*argv, str(environment)], self.state, failure)
                common.append("--compile-bytecode")
            if service in COPIED:
                common += ["--link-mode", "copy"]
            # The copy goes down to what is pinned, whatever it held: another build of a release has the same version.
            exactly = ("--require-hashes", "--allow-empty-requirements", str(requirements))
            _run([tool, "pip", "sync", *common, *exactly], self.state, failure)
            if internal is not None:
                again = ("--reinstall", "-r", str(internal))
                _run([tool, "pip", "install", *common, *lookup[1:], *again], self.state, failure)
            state = {"packages": _listing(environment), "files": _fingerprint(environment)}
            (environment / COMPLETE).write_text(json.dumps(state), encoding="utf-8")
        except BaseException:
            shutil.rmtree(environment, ignore_errors=True)
            raise

    def _twin(self, service: str) -> Path | None:
        """Return the newest environment of a service that can be copied."""
        if service not in COPIED:
            return None
        made = sorted((self.state / "envs").glob(f"{service}-*/{COMPLETE}"), key=lambda path: -path.stat().st_mtime)
        return next((path.parent for path in made if is_intact(path.parent, exact=True)), None)


def _first(stem: Path, *, exact: bool) -> Path:
    """Return the environment to use: one that was changed is left to what runs from it, and the next one is taken."""
    number, environment = 1, stem
    while (environment / COMPLETE).exists() and not is_intact(environment, exact=exact):
        number += 1
        environment = stem.with_name(f"{stem.name}-{number}")
    return environment


def is_intact(environment: Path, *, exact: bool) -> bool:
    """Say whether an environment holds the packages it was made with; `exact`, also that no file of them changed."""
    try:
        state = json.loads((environment / COMPLETE).read_text(encoding="utf-8"))
        same = state["packages"] == _listing(environment) and (environment / "bin" / "python").exists()
        return bool(same and (not exact or state["files"] == _fingerprint(environment)))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False


def _fingerprint(environment: Path) -> str:
    """Hash of the names, sizes and times of the installed files, bytecode aside."""
    found: list[str] = []

    def walk(folder: str) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        walk(entry.path)
                else:
                    state = entry.stat(follow_symlinks=False)
                    found.append(f"{entry.path[start:]} {state.st_size} {state.st_mtime_ns}")

    packages = site_packages(environment)
    start = len(str(packages))
    walk(str(packages))
    return _digest(*(line.encode() for line in sorted(found)))
