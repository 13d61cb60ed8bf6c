"""The Compose runtime, the reference: docker-compose.yml under a project name of the incident's own.

Up and down go through the Compose command line; everything is found by Compose's project label through the SDK.
"""

import hashlib
import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from crashlab import workload as workloads
from crashlab.errors import BuildFailed, NotReady, StackError, UsageError
from crashlab.model import RuntimeName
from crashlab.registry import RegistryClient
from crashlab.stack import processes
from crashlab.stack.base import Finished, Release, Report, ServiceState, Usage, silent
from crashlab.stack.engine import Engine, explain, no_command
from crashlab.stack.envs import canonical
from crashlab.stack.images import Images
from crashlab.stack.services import SERVICES, find, launch
from crashlab.workspace import GitWorkspace

if TYPE_CHECKING:
    from docker.models.containers import Container

UP = 120.0
"""Seconds within which a service must become healthy."""
DEPLOY = 60.0
"""Seconds within which a new version must become ready."""
PATIENCE = 10
"""Seconds between SIGTERM and SIGKILL."""
UNPRIVILEGED = 10001
"""User and group of the containers where the caller is root; otherwise they are the caller's, who owns the files."""
SHELL = "command -v bash >/dev/null && exec bash; exec sh"
LISTING = (
    "import importlib.metadata, json, platform\n"
    "found = {d.metadata['Name']: d.version for d in importlib.metadata.distributions()}\n"
    "print(json.dumps(found | {'python': platform.python_version()}))"
)


@dataclass
class ComposeStack:
    """A stack in the folder `home`; docker-compose.yml is taken from `root`. `state` is not needed by this runtime."""

    home: Path
    root: Path
    state: Path
    workload: str
    runtime: RuntimeName = field(default="compose", init=False)

    def __post_init__(self) -> None:
        home = self.home.resolve()
        readable = re.sub(r"[^a-z0-9]+", "-", home.parent.name.lower()).strip("-")[:32]
        self.project = f"crashlab-{readable}-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"
        self.engine = Engine(self.project)
        self.images = Images(self.home, lambda: self.workspace, self.engine, self._compose)

    @cached_property
    def model(self) -> str:
        """Name of the workload's registered model."""
        return workloads.load(self.root, self.workload).model_name

    @property
    def workspace(self) -> GitWorkspace:
        """The repository that `deploy` ships, made when it is first asked for."""
        path = self.home / "workspace"
        return GitWorkspace(path) if (path / ".git").is_dir() else GitWorkspace.create(path, self.root, self.workload)

    @cached_property
    def registry(self) -> RegistryClient:
        """The registry's client; usable while the `mlflow` service is up."""
        return RegistryClient(lambda: self.url("mlflow"), self.model)

    def up(self, services: Sequence[str] = (), report: Report = silent) -> None:
        """Start the services (all by default), and return when each is healthy. What already runs is left alone."""
        chosen = [name for name in SERVICES if name in {find(s).name for s in services} or not services]
        wanted = [name for name in chosen if not self._running(name)]
        self._own()
        if wanted:
            self.images.build(wanted, report)
        untrained = "training" in wanted and not self._bootstrapped.is_file()
        early = [name for name in wanted if name == "mlflow" or (name == "serving" and not untrained)]
        self._start(early)
        if "mlflow" in chosen:
            report("waiting for the model registry")
            self._await("mlflow")
        if untrained:
            report("training the history of models")
            done = self.job(["bootstrap"], timeout=600)
            if done.code != 0:
                raise StackError("The training job failed.", done.err.strip()[-600:])
            self._bootstrapped.touch()
        if "serving" in chosen:
            if "serving" in wanted and "serving" not in early:
                self._start(["serving"])
            report("waiting for the serving API")
            self._await("serving")
        if "traffic" in wanted:
            self._start(["traffic"])

    def down(self) -> None:
        """Remove all containers, networks, volumes and images of it. Safe at any moment and any number of times."""
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", str(PATIENCE))
        self.engine.sweep(self.root)

    def stop(self, service: str) -> None:
        """Stop one service and leave the others alone."""
        find(service)
        for container in self.engine.containers(service):
            container.stop(timeout=PATIENCE)

    def discard(self, service: str) -> None:
        """Stop one service and remove what is left of it, its log included; the next `up` starts it anew."""
        self.engine.remove(self.engine.containers(find(service).name), patience=PATIENCE)

    def restart(self, service: str, report: Report = silent) -> None:
        """Restart one service as it was last deployed, and return when it is healthy."""
        if find(service).one_shot:
            raise UsageError(f"{service} runs once and cannot be restarted.", "Use `crashlab retrain` to train again.")
        container = self.engine.container(service)
        report(f"restarting {service}")
        if container is None:
            self.images.build([service], report)
            self._start([service])
        else:
            container.restart(timeout=PATIENCE)
        self._await(service)

    def deploy(self, report: Report = silent) -> Release:
        """Start a container of the workspace's last commit beside the running one, and switch when it is ready.

        Raises BuildFailed, with the old version still serving, where the build fails or the new version never
        becomes ready.
        """
        begun = time.monotonic()
        commit = self.workspace.head()
        report("building the image")
        log = self.images.serving()
        # Killed deployments leave a second container; the oldest one is what serves.
        old = self.engine.container("serving")
        self.engine.remove([c for c in self.engine.containers("serving") if old is None or c.id != old.id])
        known = {str(old.id)} if old else set()
        served = old is not None and old.status == "running"
        report("starting the new version")
        try:
            self._await_ready("The new version", self._candidate(known), DEPLOY)
        except BaseException:
            self.engine.remove([c for c in self.engine.containers("serving") if str(c.id) not in known])
            if old is not None and not served:
                old.stop(timeout=PATIENCE)
            raise
        report("stopping the old version")
        if old is not None:
            self.engine.remove([old], patience=PATIENCE)
        outdated = [name for name in self.engine.images("serving") if not name.endswith(f":{commit[:7]}")]
        self.engine.remove_images(self.root, outdated)
        return Release(commit=commit, seconds=time.monotonic() - begun, log=log)

    def job(self, argv: Sequence[str], stdin: str = "", timeout: float = 300.0) -> Finished:
        """Run `python -m training ARGV` once in the training environment, with the workspace's training code."""
        self._own()
        self.images.training()
        return self._once(["python", "-m", "training", *argv], stdin, timeout)

    def execute(self, service: str, argv: Sequence[str], stdin: str = "") -> Finished:
        """Run a command in a service's environment, its code folder as working directory."""
        no_command(argv)
        if find(service).one_shot:
            self.images.training()
            return self._once(argv, stdin, None)
        found = self.engine.container(service)
        if found is not None and found.status != "running":
            return self.engine.docker([*self.engine.again(found), *argv], Path(os.sep), stdin=stdin)
        return self.engine.exec(self.engine.running(service), argv, stdin)

    def shell(self, service: str) -> int:
        """Give the terminal to a shell in a service's container; returns its exit code."""
        name = "traffic" if find(service).one_shot else service
        found = self.engine.container(name)
        if found is not None and found.status != "running":
            enter = self.engine.again(found, "--tty")
        else:
            enter = ["exec", "--interactive", "--tty", str(self.engine.running(name).id)]
        return subprocess.run(["docker", *enter, "sh", "-c", SHELL], check=False).returncode

    def url(self, service: str) -> str:
        """Base address of a service on this host, without a final slash."""
        port = find(service).port
        if port is None:
            raise UsageError(f"{service} has no address.", "Services with one: mlflow, serving.")
        return self.engine.url(self.engine.running(service), port)

    def logs(self, service: str, lines: int = 200) -> str:
        """Return the last lines of a service's log."""
        found = self.engine.container(find(service).name)
        return found.logs(tail=lines).decode("utf-8", "replace") if found is not None else ""

    def states(self) -> list[ServiceState]:
        """Every service of the table, running or not."""
        return [self._state(name) for name in SERVICES]

    def usage(self, service: str) -> Usage:
        """Return what a service's container uses now. Raises StackError where it does not run."""
        return self.engine.usage(self.engine.running(find(service).name))

    def limit(self, service: str, cpus: float | None = None, memory_mb: int | None = None) -> None:
        """Change the limits of a running service, until it is deployed again."""
        container = self.engine.running(find(service).name)
        options = [*(["--cpus", str(cpus)] if cpus is not None else [])]
        if memory_mb is not None:
            options += ["--memory", f"{memory_mb}m", "--memory-swap", f"{memory_mb}m"]
        if not options:
            raise UsageError("No limit was given.", "Give CPUs or megabytes of memory.")
        done = self.engine.docker(["update", *options, str(container.id)], self.root)
        if done.code != 0:
            raise StackError(f"The limits of {service} could not be changed.", done.err.strip()[-300:])

    def packages(self, service: str) -> dict[str, str]:
        """Installed distributions of a service's environment, and its Python: version by lower-case name."""
        done = self.execute(service, ["python", "-c", LISTING])
        if done.code != 0:
            raise StackError(f"The packages of {service} could not be listed.", done.err.strip()[-300:])
        return {canonical(name): version for name, version in json.loads(done.out).items() if name}

    # Running

    @contextmanager
    def _network(self, *, fresh: bool = False) -> Iterator[None]:
        """Let one command at a time make the project's network: two would make two of the same name."""
        if not fresh and self.engine.has_network():
            yield
            return
        self.home.mkdir(parents=True, exist_ok=True)
        with FileLock(self.home / ".up.lock"):
            yield

    @property
    def _bootstrapped(self) -> Path:
        return self.home / "mlflow" / ".bootstrapped"

    @property
    def _release(self) -> str:
        return self.workspace.head()[:7]

    @property
    def _owner(self) -> tuple[int, int]:
        return (os.getuid(), os.getgid()) if os.getuid() else (UNPRIVILEGED, UNPRIVILEGED)

    def _own(self) -> None:
        """Make the shared folders, writable for the containers' user; only root has to give files away for that."""
        for name in ("data", "mlflow"):
            folder = self.home / name
            folder.mkdir(parents=True, exist_ok=True)
            if os.getuid() == 0:
                for path in (folder, *folder.rglob("*")):
                    if path.lstat().st_uid != self._owner[0]:
                        os.chown(path, *self._owner, follow_symlinks=False)

    def _compose(
        self, *argv: str, context: Path | None = None, stdin: str = "", timeout: float | None = None
    ) -> Finished:
        there = (self.home / "workspace" / ".git").is_dir()
        uid, gid = self._owner
        said, file = self.images.manifest()
        variables = {
            "CRASHLAB_WORKSPACE": str(context or self.images.folder / "training"),
            "CRASHLAB_DATA": str(self.home / "data"),
            "CRASHLAB_MLFLOW": str(self.home / "mlflow"),
            "CRASHLAB_UID": str(uid),
            "CRASHLAB_GID": str(gid),
            "MLFLOW_PORT": "0",
            "SERVING_PORT": "0",
            # Taking a stack down must neither make a workspace nor need one that is whole.
            "RELEASE": self._release if there and argv[0] != "down" else "local",
            "WORKLOAD": self.workload,
            "LAUNCH_DAY": launch(self.home),
            "SERVING_ENV": file,
            "SERVING_MEMORY": f"{said.memory_mb}m",
            "SERVING_CPUS": f"{said.cpus:g}",
            "MODEL_NAME": self.model,
        }
        project = ["--file", str(self.root / "docker-compose.yml"), "--project-directory", str(self.root)]
        command = ["compose", "--project-name", self.project, *project, "--progress", "plain", *argv]
        return self.engine.docker(command, self.root, variables, stdin, timeout)

    def _start(self, names: Sequence[str]) -> None:
        if not names:
            return
        with self._network(fresh=True):
            done = self._compose("up", "--detach", "--no-deps", "--no-build", "--no-recreate", *names)
        if done.code != 0:
            raise explain(" and ".join(names), done.err)

    def _candidate(self, known: set[str]) -> "Container":
        """Start one more serving container beside the known ones. Raises BuildFailed where it does not start."""
        scale = f"serving={len(known) + 1}"
        done = self._compose("up", "--detach", "--no-deps", "--no-build", "--no-recreate", "--scale", scale, "serving")
        fresh = [c for c in self.engine.containers("serving") if str(c.id) not in known]
        if done.code != 0 or not fresh:
            error = explain("The new version", done.err)
            raise BuildFailed(error.message, error.hint)
        return fresh[0]

    def _once(self, argv: Sequence[str], stdin: str, timeout: float | None) -> Finished:
        name = f"{self.project}-job-{secrets.token_hex(4)}"
        try:
            with self._network():
                return self._compose(
                    "run",
                    "--rm",
                    "--no-deps",
                    "--no-TTY",
                    "--name",
                    name,
                    "training",
                    *argv,
                    stdin=stdin,
                    timeout=timeout,
                )
        except BaseException as error:
            self.engine.remove([c for c in self.engine.containers("training", one_off=True) if c.name == name])
            if isinstance(error, subprocess.TimeoutExpired):
                shown = " ".join(argv[:4])
                raise StackError(f"`{shown}` did not end within {timeout:.0f} seconds.", "Run it again.") from error
            raise

    def _running(self, name: str) -> bool:
        found = self.engine.container(name)
        return found is not None and found.status == "running"

    def _await(self, name: str) -> None:
        if find(name).health:
            found = self.engine.container(name)
            if found is None:
                raise StackError(f"{name} has no container.", "Run `crashlab status`.")
            try:
                self._await_ready(name, found, UP)
            except BuildFailed as error:
                raise NotReady(error.message, error.hint) from error

    def _await_ready(self, title: str, container: "Container", seconds: float) -> None:
        """Wait until a container answers on its health path. Raises BuildFailed where it ends or time is up."""
        service = find(str(container.labels.get("com.docker.compose.service")))
        patience, reason = processes.Patience(seconds), ""
        while not reason:
            container.reload()
            answered = 0
            if container.status in ("exited", "dead", "restarting") or container.attrs.get("RestartCount", 0):
                reason = "ended before it was ready"
                break
            if container.status == "running" and service.port:
                answered = processes.status(self.engine.url(container, service.port) + service.health, 3.0)
                if answered == HTTPStatus.OK:
                    return
                time.sleep(0.1)
            reason = patience.over(answered)
        lines = container.logs(tail=processes.ERROR_LINES).decode("utf-8", "replace")
        raise BuildFailed(f"{title} {reason}.", lines or "Its log is empty.")

    def _state(self, name: str) -> ServiceState:
        service = find(name)
        if service.one_shot:
            done = self._bootstrapped.is_file()
            return ServiceState(name, running=False, healthy=done, url=None, detail="runs once and exits")
        found = self.engine.container(name)
        if found is None:
            return ServiceState(name, running=False, healthy=False, url=None, detail="no container")
        host = found.attrs.get("HostConfig", {})
        running = found.status == "running"
        url = self.engine.url(found, service.port) if running and service.port else None
        memory, cpus = int(host.get("Memory") or 0), int(host.get("NanoCpus") or 0)
        return ServiceState(
            name=name,
            running=running,
            healthy=running and (url is None or processes.answers(url + service.health, 3.0)),
            url=url,
            memory_mb=memory // 2**20 or None,
            cpus=cpus / 1e9 or None,
            rss_mb=self.engine.usage_mb(found) if running else None,
            detail=f"container {found.name}, {found.status}",
            exit_code=None if running else int(found.attrs.get("State", {}).get("ExitCode", 0)),
        )
