"""One Compose project seen through the Docker SDK, and the command lines that change it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crashlab.errors import MissingPrerequisite, StackError
from crashlab.stack import processes
from crashlab.stack.base import Finished, Usage, not_running
from crashlab.stack.refusals import NO_COMMAND, NO_DOCKER, NO_PERMISSION, explain, missing
from crashlab.stack.services import Service

if TYPE_CHECKING:
    import psutil
    from docker import DockerClient
    from docker.models.containers import Container

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
PROJECT_OPTION = "--project-name"
"""How a `docker compose` command names its project."""
ONE_OFF = "com.docker.compose.oneoff"
ASK = """
import http.client
connection = http.client.HTTPConnection("127.0.0.1", {port}, timeout=3)
connection.request("GET", "{path}")
print(connection.getresponse().status)
"""
"""Program that prints the status of a path."""
ROUNDS = 5
"""Times that commands at work for a project are looked for at most, before it is taken down."""
KILLED = 128 + signal.SIGKILL
"""Exit code of a command that was killed."""
STOPPED = 128 + signal.SIGTERM
"""Exit code of a command that ended as it was asked to."""


def answers() -> bool:
    """Say whether a Docker Engine answers."""
    return version() is not None


def version() -> str | None:
    """Version of the Docker Engine, None where none answers."""
    try:
        return str(Engine("none").client.version()["Version"])
    except MissingPrerequisite:
        return None


@dataclass
class Remains:
    """How much of a Compose project there is, and the folders of the stacks that its containers write to."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0
    images: int = 0
    folders: set[Path] = field(default_factory=set)

    def __str__(self) -> str:
        counts = {
            "containers": self.containers,
            "networks": self.networks,
            "volumes": self.volumes,
            "images": self.images,
        }
        return ", ".join(f"{number} {kind[:-1] if number == 1 else kind}" for kind, number in counts.items() if number)


def projects() -> dict[str, Remains]:
    """Return every Compose project on the engine by name. Raises MissingPrerequisite where none answers."""
    client, found = Engine("none").client, dict[str, Remains]()

    def of(labels: Mapping[str, str] | None) -> Remains:
        return found.setdefault((labels or {})[PROJECT], Remains())

    for container in client.containers.list(all=True, filters={"label": PROJECT}, ignore_removed=True):
        remains = of(container.labels)
        remains.containers += 1
        mounted = (str(mount.get("Source", "")) for mount in container.attrs.get("Mounts", []))
        remains.folders |= {Path(source).parent for source in mounted if source.endswith(("/data", "/mlflow"))}
    for network in client.networks.list(filters={"label": PROJECT}):
        of(network.attrs.get("Labels")).networks += 1
    for volume in client.volumes.list(filters={"label": PROJECT}):
        of(volume.attrs.get("Labels")).volumes += 1
    for image in client.images.list(filters={"label": PROJECT}):
        of(image.labels).images += 1
    return found


def require() -> None:
    """Raise MissingPrerequisite, with the reason, where no Docker Engine answers or its command line lacks Compose."""
    engine = Engine("none")
    _ = engine.client
    engine.docker(["compose", PROJECT_OPTION, "none", "version"], Path(os.sep))


class Engine:
    """Everything of one project. Raises MissingPrerequisite where no Docker Engine answers."""

    def __init__(self, project: str) -> None:
        self.project = project

    @cached_property
    def client(self) -> "DockerClient":
        """Client of the Docker Engine that the environment names."""
        import docker
        from docker.errors import DockerException

        try:
            _knock()
            client = docker.from_env(timeout=60)
            client.ping()
        except PermissionError as error:
            raise MissingPrerequisite(*NO_PERMISSION) from error
        except (DockerException, OSError) as error:
            raise missing(str(error)) or MissingPrerequisite(*NO_DOCKER) from error
        return client

    def containers(self, service: str | None = None, *, one_off: bool = False) -> "list[Container]":
        """Return the containers of the project or of one service, running or not, oldest first."""
        labels = [f"{PROJECT}={self.project}", *([f"{SERVICE}={service}"] if service else [])]
        found = self._ask(lambda: self.client.containers.list(all=True, filters={"label": labels}, ignore_removed=True))
        chosen = [c for c in found if one_off or c.labels.get(ONE_OFF, "False").lower() != "true"]
        return sorted(chosen, key=lambda container: str(container.attrs.get("Created", "")))

    def container(self, service: str) -> "Container | None":
        """Return the container that serves: the oldest one, while a new version is tried beside it."""
        found = self.containers(service)
        running = [container for container in found if container.status == "running"]
        return next(iter(running or found), None)

    def running(self, service: str) -> "Container":
        """Return the running container of a service. Raises StackError where there is none."""
        found = self.container(service)
        if found is None or found.status != "running":
            raise not_running(service)
        return found

    def url(self, container: "Container", port: int) -> str:
        """Address on this host of a container's port. Raises StackError where it is not published."""
        container.reload()
        published = container.attrs["NetworkSettings"]["Ports"].get(f"{port}/tcp") or []
        if not published:
            raise StackError(f"Port {port} of {container.name} is not published.", "Start the service again.")
        address = published[0]["HostIp"]
        return f"http://{'127.0.0.1' if address in ('', '0.0.0.0', '::') else address}:{published[0]['HostPort']}"  # noqa: S104 compared

    def remove(self, containers: "Sequence[Container]", *, patience: int = 0) -> None:
        """Stop containers within `patience` seconds and remove them; those that are gone are left out."""
        from docker.errors import APIError, NotFound

        for container in containers:
            try:
                if patience:
                    container.stop(timeout=patience)
                container.remove(force=True, v=True)
            except NotFound:
                continue
            except APIError as error:
                # Another command may be removing it at this moment.
                if "already in progress" not in str(error):
                    raise StackError(f"{container.name} could not be removed.", str(error)[-300:]) from error

    def clients(self) -> "list[psutil.Process]":
        """Find the `docker compose` commands that are at work for the project, whoever began them."""
        import psutil

        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                said = process.cmdline()
                if (PROJECT_OPTION, self.project) in pairwise(said) and Path(said[0]).name.startswith("docker"):
                    found.append(process)
        return found

    def end_clients(self) -> None:
        """End the commands of the project: one whose parent was killed goes on, and makes images and containers anew."""
        for _ in range(ROUNDS):
            # A command that is just being started becomes another process, which was not there a moment ago.
            found = self.clients()
            if not found:
                return
            processes.end(found)

    def sweep(self, folder: Path) -> None:
        """Remove every container, network, volume and image of the project that `docker compose down` left."""
        from docker.errors import APIError

        self.remove(self.containers(one_off=True))
        label = {"label": f"{PROJECT}={self.project}"}
        try:
            for network in self.client.networks.list(filters=label):
                network.remove()
            for volume in self.client.volumes.list(filters=label):
                volume.remove(force=True)
        except APIError as error:
            raise StackError(f"The project {self.project} could not be removed.", str(error)[-300:]) from error
        self.remove_images(folder, self.images())

    def has_network(self) -> bool:
        """Say whether the project's network is there."""
        label = {"label": f"{PROJECT}={self.project}"}
        return bool(self._ask(lambda: self.client.networks.list(filters=label)))

    def images(self, service: str | None = None) -> list[str]:
        """Names with tags of the project's own images."""
        label = [f"{PROJECT}={self.project}", *([f"{SERVICE}={service}"] if service else [])]
        found = self._ask(lambda: self.client.images.list(filters={"label": label}))
        return [name for image in found for name in (image.tags or [image.id or ""])]

    def remove_images(self, folder: Path, names: Sequence[str]) -> None:
        """Remove images by name; the builder's cache stays, so that building them again is quick."""
        if names:
            # The command line removes what it can, where the SDK stops at the first image that is still used.
            self.docker(["image", "rm", "--force", *names], folder)

    def usage(self, container: "Container") -> Usage | None:
        """Return what a container uses, None where it does not run. Works with either version of control groups."""
        found = self._ask(lambda: container.stats(stream=False, one_shot=True))
        self._ask(container.reload)
        detail = found.get("memory_stats", {}).get("stats", {})
        throttling = found.get("cpu_stats", {}).get("throttling_data", {})
        if "pids_stats" not in found or not detail:
            return None
        return Usage(
            memory_mb=round(int(detail.get("anon", detail.get("total_rss", 0))) / 1e6, 1),
            threads=int(found["pids_stats"].get("current", 0)),
            periods=throttling.get("periods"),
            throttled=throttling.get("throttled_periods"),
            restarts=int(container.attrs.get("RestartCount", 0)),
            out_of_memory=bool(container.attrs.get("State", {}).get("OOMKilled", False)),
        )

    def memory_mb(self) -> float:
        """Memory of all running containers of the project as `docker stats` counts it: without what can be read again."""
        total = 0
        for container in self.containers():
            said = self._ask(lambda one=container: one.stats(stream=False, one_shot=True)).get("memory_stats", {})
            detail = said.get("stats", {})
            total += said.get("usage", 0) - detail.get("inactive_file", detail.get("total_inactive_file", 0))
        return total / 1e6

    def size_mb(self, image: str) -> float:
        """Size of an image in megabytes, the layers of its base included."""
        return int(self._ask(lambda: self.client.images.get(image)).attrs["Size"]) / 1e6

    def start(self, service: str, container: "Container") -> None:
        """Start a container that was stopped. Raises StackError where it does not start."""
        from docker.errors import APIError

        try:
            container.start()
        except APIError as error:
            raise explain(service, str(error)) from error

    def answered(self, container: "Container", service: Service) -> int:
        """Return the status that a service's health path is answered with inside its container, 0 for no answer."""
        done = self.exec(container, ["python", "-c", ASK.format(port=service.port, path=service.health)])
        return int(done.out) if done.code == 0 else 0

    def join(self, container: "Container", alias: str) -> None:
        """Let the project's other containers reach a container by another name, besides those that have it."""
        from docker.errors import APIError

        try:
            for network in self.client.networks.list(filters={"label": f"{PROJECT}={self.project}"}):
                network.disconnect(container)
                network.connect(container, aliases=[alias])
        except APIError as error:
            raise StackError(f"{container.name} could not join the network.", str(error)[-300:]) from error

    def exec(
        self, container: "Container", argv: Sequence[str], stdin: str = "", timeout: float | None = None
    ) -> Finished:
        """Run a command in a running container. Raises StackError after `timeout` seconds."""
        return self._inside(["exec", "--interactive", str(container.id)], argv, stdin, timeout)

    def exec_again(
        self, container: "Container", argv: Sequence[str], stdin: str = "", timeout: float | None = None
    ) -> Finished:
        """Run a command in a container like one that has ended. Raises StackError after `timeout` seconds."""
        return self._inside(self.again(container), argv, stdin, timeout)

    def _inside(self, start: Sequence[str], argv: Sequence[str], stdin: str, timeout: float | None) -> Finished:
        # A command goes on in its container when the client is ended, so that its end is asked for in there.
        bound = ["timeout", "--signal=KILL", f"{timeout:g}"] if timeout is not None else []
        begun = time.monotonic()
        done = self.docker([*start, *bound, *argv], Path(os.sep), stdin=stdin)
        if timeout is not None and done.code == KILLED and time.monotonic() - begun >= timeout:
            raise late(argv, timeout)
        return done

    @staticmethod
    def again(container: "Container", *options: str) -> list[str]:
        """Return the start of a command line that runs a command in a container like one that has ended.

        What ended cannot be entered; a container of the same image, with the same variables, shared folders and
        network, shows what was in it.
        """
        said, host = container.attrs["Config"], container.attrs["HostConfig"]
        labels = [f"{PROJECT}={container.labels.get(PROJECT)}", f"{SERVICE}={container.labels.get(SERVICE)}"]
        return [
            "run", "--rm", "--interactive", *options, "--init", "--read-only", "--tmpfs", "/tmp", "--entrypoint", "",  # noqa: S108 inside
            "--volumes-from", str(container.id), "--network", str(host["NetworkMode"]), "--user", str(said["User"]),
            *(word for variable in said["Env"] for word in ("--env", variable)),
            *(word for label in (*labels, f"{ONE_OFF}=True") for word in ("--label", label)),
            str(container.attrs["Image"]),
        ]  # fmt: skip

    def docker(
        self,
        argv: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float | None = None,
    ) -> Finished:
        """Run the `docker` command line. Raises MissingPrerequisite where it is not there or Docker does not answer."""
        # What the user set for Compose projects of their own must not change this one.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
        try:
            done = subprocess.run(
                ["docker", *argv],
                cwd=folder,
                env={**kept, **(environment or {})},
                input=stdin,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError as error:
            raise MissingPrerequisite(*NO_COMMAND) from error
        if done.returncode != 0 and (reason := missing(done.stderr)):
            raise reason
        return Finished(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def _ask(question: Any) -> Any:
        from docker.errors import DockerException

        try:
            return question()
        except (DockerException, OSError) as error:
            raise StackError("Docker did not answer as expected.", str(error)[-300:]) from error


def ending(container: "Container") -> str:
    """Say how a container ended, for a person; its status where it has not."""
    state = container.attrs.get("State", {})
    if container.status != "exited":
        return str(container.status)
    if state.get("OOMKilled"):
        return "ended by the kernel, out of memory"
    code = int(state.get("ExitCode", 0))
    return {KILLED: "killed", STOPPED: "stopped"}.get(code, f"exited with code {code}")


def late(argv: Sequence[str], timeout: float) -> StackError:
    """Return the error of a command whose time was up."""
    return StackError(f"`{' '.join(argv[:4])}` did not end within {timeout:g} seconds.", "Run it again.")


def _knock() -> None:
    """Raise OSError where nothing listens on the engine's socket; the SDK leaks one when it finds that out itself."""
    from docker.context import ContextAPI

    context = ContextAPI.get_current_context()
    host = os.environ.get("DOCKER_HOST") or str(context.Host if context else "")
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(host.removeprefix("unix://"))
