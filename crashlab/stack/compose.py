"""The Compose runtime, the reference: docker-compose.yml under a project name of the incident's own.

Up and down go through the Compose command line; everything is found by Compose's project label through the SDK.
"""

import hashlib
import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from crashlab import store
from crashlab import workload as workloads
from crashlab.errors import BuildFailed, NotReady, StackError, UsageError
from crashlab.model import RuntimeName
from crashlab.registry import RegistryClient
from crashlab.stack import processes
from crashlab.stack.base import Finished, Release, Report, ServiceState, job, silent, some_command
from crashlab.stack.engine import PROJECT_OPTION, Engine, ending, late
from crashlab.stack.images import Images
from crashlab.stack.refusals import explain
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
OUT_OF_MEMORY = "its memory, SERVING_MEMORY of the manifest, was used up"
SHELL = "command -v bash >/dev/null && exec bash; exec sh"


PROJECT = re.compile(r"crashlab-[a-z0-9-]*-[0-9a-f]{8}")
"""What the Compose project of a stack is called."""


def project_name(home: Path) -> str:
    """Name of the Compose project of the stack in a folder."""
    home = home.resolve()
    readable = re.sub(r"[^a-z0-9]+", "-", home.parent.name.lower()).strip("-")[:32]
    return f"crashlab-{readable}-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


@dataclass
class ComposeStack:
    """A stack in the folder `home`; docker-compose.yml is taken from `root`. `shared` is not needed by this runtime."""

    home: Path
    root: Path
    shared: Path
    workload: str
    runtime: RuntimeName = field(default="compose", init=False)

    def __post_init__(self) -> None:
        self.project = project_name(self.home)
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
        """Start the services (all by default), and return when each is healthy. What already runs is left alone.

        A service that was stopped comes back as it was last deployed.
        """
        chosen = [name for name in SERVICES if name in {find(s).name for s in services} or not services]
        wanted = [name for name in chosen if not self._running(name)]
        self._own()
        anew = [name for name in wanted if self.engine.container(name) is None]
        if anew:
            self.images.build(anew, report)
        untrained = "training" in wanted and not self._bootstrapped.is_file()
        early = [name for name in wanted if name == "mlflow" or (name == "serving" and not untrained)]
        self._start(early)
        if "mlflow" in chosen:
            report("waiting for the model registry")
            self._await("mlflow")
        if untrained:
            report("training the history of models")
            done = job(self, ["bootstrap"], timeout=600)
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

    def down(self, services: Sequence[str] = (), *, forget: bool = False) -> None:
        """Remove all containers, networks, volumes and images of it. Safe at any moment and any number of times.

        With names, stop these services in their order and leave the others alone; `forget` also removes their
        containers, and with them their log.
        """
        names = [find(name).name for name in services]
        if not names:
            self.engine.end_clients()
            self._compose("down", "--volumes", "--remove-orphans", "--timeout", str(PATIENCE))
            self.engine.sweep(self.root)
        for name in names:
            containers = self.engine.containers(name)
            for container in containers:
                container.stop(timeout=PATIENCE)
            if forget:
                self.engine.remove(containers)
            if name == "serving":
                self.engine.remove(self._candidates())

    def deploy(self, report: Report = silent) -> Release:
        """Try a container of the workspace's last commit beside the running one, and replace that one when it is ready.

        The one that is tried publishes no port: a port has one owner, and the address stays the same. Raises
        BuildFailed, with the old version still serving, where the build fails or the new version never becomes ready.
        """
        begun = time.monotonic()
        commit, service = self.workspace.head(), find("serving")
        report("building the image")
        log = self.images.serving()
        # Killed deployments leave one.
        self.engine.remove(self._candidates())
        report("starting the new version")
        try:
            tried = self._candidate()
            self._await_ready("The new version", tried, DEPLOY, lambda: self.engine.answered(tried, service))
            report("stopping the old version")
            self.engine.join(tried, service.name)
            self._replace()
        except BaseException:
            self.engine.remove(self._candidates())
            raise
        self.engine.remove([tried], patience=PATIENCE)
        outdated = [name for name in self.engine.images("serving") if not name.endswith(f":{commit[:7]}")]
        self.engine.remove_images(self.root, outdated)
        return Release(commit=commit, seconds=time.monotonic() - begun, log=log)

    def run(self, service: str, argv: Sequence[str], stdin: str = "", timeout: float | None = None) -> Finished:
        """Run a command in a service's environment, its code folder as working directory."""
        some_command(argv)
        if find(service).one_shot:
            self._own()
            self.images.training()
            return self._once(argv, stdin, timeout)
        found = self.engine.container(service)
        if found is None or found.status == "running":
            return self.engine.exec(self.engine.running(service), argv, stdin, timeout)
        return self.engine.exec_again(found, argv, stdin, timeout)

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

    def state(self, service: str, *, health: bool = True) -> ServiceState:
        """What a service is doing and uses. Without `health` nothing is asked of the service itself."""
        row = find(service)
        if row.one_shot:
            done = self._bootstrapped.is_file()
            return ServiceState(service, running=False, healthy=done, url=None, detail="runs once and exits")
        found = self.engine.container(service)
        if found is None:
            return ServiceState(service, running=False, healthy=False, url=None, detail="no container")
        host = found.attrs.get("HostConfig", {})
        running = found.status == "running"
        url = self.engine.url(found, row.port) if running and row.port else None
        memory, cpus = int(host.get("Memory") or 0), int(host.get("NanoCpus") or 0)
        return ServiceState(
            name=service,
            running=running,
            healthy=running and health and (url is None or processes.answers(url + row.health, 3.0)),
            url=url,
            memory_mb=memory // 2**20 or None,
            cpus=cpus / 1e9 or None,
            usage=self.engine.usage(found) if running else None,
            detail=f"container {found.name}, {ending(found)}",
            exit_code=None if running else int(found.attrs.get("State", {}).get("ExitCode", 0)),
        )

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
                for parent, folders, files in os.walk(folder):
                    for path in (Path(parent), *(Path(parent) / each for each in (*folders, *files))):
                        # A database at work makes and removes files beside itself at any moment.
                        with suppress(FileNotFoundError):
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
            # Taking a stack down must neither make a workspace nor need one that is whole.
            "SERVING_PORT": str(self._port) if argv[0] != "down" else "0",
            "RELEASE": self._release if there and argv[0] != "down" else "local",
            "WORKLOAD": self.workload,
            "LAUNCH_DAY": launch(self.home),
            "SERVING_ENV": file,
            "SERVING_MEMORY": f"{said.memory_mb}m",
            "SERVING_CPUS": f"{said.cpus:g}",
            "MODEL_NAME": self.model,
        }
        project = ["--file", str(self.root / "docker-compose.yml"), "--project-directory", str(self.root)]
        command = ["compose", PROJECT_OPTION, self.project, *project, "--progress", "plain", *argv]
        return self.engine.docker(command, self.root, variables, stdin, timeout)

    def _start(self, names: Sequence[str]) -> None:
        """Start the containers of services, those that are there again as they are."""
        kept = {name: found for name in names if (found := self.engine.container(name)) is not None}
        for name, container in kept.items():
            self.engine.start(name, container)
        anew = [name for name in names if name not in kept]
        if not anew:
            return
        with self._network(fresh=True):
            done = self._compose("up", "--detach", "--no-deps", "--no-build", "--no-recreate", *anew)
        if done.code != 0:
            raise explain(" and ".join(anew), done.err)

    def _candidates(self) -> "list[Container]":
        """Find the containers that are tried as the next version."""
        found = self.engine.containers("serving", one_off=True)
        return [container for container in found if str(container.name).startswith(f"{self.project}-next-")]

    def _candidate(self) -> "Container":
        """Start a container of the next version, which publishes no port. Raises BuildFailed where it does not start."""
        name = f"{self.project}-next-{secrets.token_hex(4)}"
        with self._network():
            done = self._compose("run", "--detach", "--no-deps", "--no-TTY", "--name", name, "serving")
        found = self._candidates()
        if done.code != 0 or not found:
            error = explain("The new version", done.err)
            raise BuildFailed(error.message, error.hint)
        return found[0]

    def _replace(self) -> None:
        """Put the next version, which was tried, in the place of the old one. Raises BuildFailed where it fails now."""
        done = self._compose(
            "up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout", str(PATIENCE), "serving"
        )
        found = self.engine.container("serving")
        if done.code != 0 or found is None:
            error = explain("The new version", done.err)
            raise BuildFailed(error.message, error.hint)
        self._await_ready("The new version", found, DEPLOY)

    @property
    def _port(self) -> int:
        """Port of this host on which the serving API is published, chosen when it is first asked for."""
        path = self.home / "serving.port"
        self.home.mkdir(parents=True, exist_ok=True)
        with FileLock(self.home / ".port.lock"):
            if not path.is_file():
                store.write_text(path, f"{processes.free_port()}\n")
            return int(path.read_text(encoding="utf-8"))

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
            if timeout is not None and isinstance(error, subprocess.TimeoutExpired):
                raise late(argv, timeout) from error
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

    def _await_ready(
        self, title: str, container: "Container", seconds: float, ask: Callable[[], int] | None = None
    ) -> None:
        """Wait until a container answers on its health path. Raises BuildFailed where it ends or time is up.

        `ask` returns the status that it answers with; it is asked on its published port otherwise.
        """
        service = find(str(container.labels.get("com.docker.compose.service")))
        patience, reason = processes.Patience(seconds), ""
        while not reason:
            container.reload()
            answered = 0
            if container.status in ("exited", "dead", "restarting") or container.attrs.get("RestartCount", 0):
                used_up = container.attrs.get("State", {}).get("OOMKilled")
                reason = f"ended before it was ready: {OUT_OF_MEMORY}" if used_up else "ended before it was ready"
                break
            if container.status == "running" and service.port:
                if ask is not None:
                    answered = ask()
                else:
                    answered = processes.status(self.engine.url(container, service.port) + service.health, 3.0)
                if answered == HTTPStatus.OK:
                    return
                time.sleep(0.1)
            reason = patience.over(answered)
        lines = container.logs(tail=processes.ERROR_LINES).decode("utf-8", "replace")
        raise BuildFailed(f"{title} {reason}.", lines or "Its log is empty.")
