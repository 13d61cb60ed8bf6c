"""The embedded runtime: the services of the table as local processes, each in its own environment. No Docker.

The serving API is reached through a gateway, so that its address stays the same when another version is deployed.

Every process carries the stack's mark in its environment, so that what a killed command left behind is found and ended
even where no file knows of it.
"""

import hashlib
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import psutil

from crashlab import store
from crashlab import workload as workloads
from crashlab.errors import BuildFailed, NotReady, StackError, UsageError
from crashlab.model import RuntimeName
from crashlab.registry import RegistryClient
from crashlab.stack import manifest, processes, releases
from crashlab.stack.base import Finished, Release, Report, ServiceState, Usage, job, silent, some_command
from crashlab.stack.entrance import Entrance, door
from crashlab.stack.envs import Environments
from crashlab.stack.processes import Started
from crashlab.stack.services import SERVICES, Service, command, environment, find, launch, requirements_folder
from crashlab.stack.slots import Prepared, Slot, SlotFile, Slots, with_port
from crashlab.workspace import GitWorkspace

UP = 120.0
"""Seconds within which a service must become healthy."""
DEPLOY = 60.0
"""Seconds within which a new version must become ready."""


def mark_of(home: Path) -> str:
    """Mark that every process of the stack in a folder carries in its environment."""
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]


@dataclass
class EmbeddedStack:
    """A stack in the folder `home`; code and histories come from `root`, environments are kept in `shared`."""

    home: Path
    root: Path
    shared: Path
    workload: str
    runtime: RuntimeName = field(default="embedded", init=False)

    def __post_init__(self) -> None:
        self.mark = mark_of(self.home)
        self.envs = Environments(self.shared)
        self.slots = SlotFile(self.home)
        self.entrance = Entrance(self.home, self.mark)

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
        chosen = {find(name).name for name in services} or set(SERVICES)
        slots = self.slots.read()
        wanted = [name for name in SERVICES if name in chosen and slots.get(name, Slot()).running is None]
        for folder in ("data", "mlflow", "logs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        prepared = {name: last for name in wanted if (last := slots.get(name, Slot()).prepared)}
        prepared |= self._prepare_all([name for name in wanted if name not in prepared], report)
        # Serving retries until the registry answers, so the two start at once unless there is nothing to serve yet.
        untrained = "training" in wanted and not self._bootstrapped.is_file()
        early = [name for name in wanted if name == "mlflow" or (name == "serving" and not untrained)]
        for name in early:
            self._start(name, prepared[name])
        if "mlflow" in chosen:
            report("waiting for the model registry")
            self._await("mlflow")
        if untrained:
            self._bootstrap(report)
        if "serving" in chosen:
            if "serving" not in early:
                self._start("serving", prepared.get("serving"))
            report("waiting for the serving API")
            self._await("serving")
        if "traffic" in wanted:
            self._start("traffic", prepared["traffic"])

    def down(self, services: Sequence[str] = (), *, forget: bool = False) -> None:
        """End every process of this stack. Safe at any moment and any number of times.

        With names, stop these services in their order and leave the others alone; `forget` also removes their log and
        the release that they ran.
        """
        names = [find(name).name for name in services]
        if not names:
            processes.end_all(self.mark)
            self.slots.forget()
            self.entrance.file.unlink(missing_ok=True)
        for name in names:
            self._stop(name)
        for name in (names or SERVICES) if forget else ():
            self._forget(name)

    def deploy(self, report: Report = silent) -> Release:
        """Start the workspace's last commit beside the running version, and switch when it is ready.

        Raises BuildFailed, with the old version still serving, where the build fails or the new version never
        becomes ready.
        """
        begun = time.monotonic()
        service, log = find("serving"), self._log("serving-next")
        report("building the release")
        shipped, prepared = self._ship(report)
        started: Started | None = None
        try:
            report("starting the new version")
            with self.slots.hold() as slots:
                if (old := slots.get("serving")) and old.running:
                    # A command that was killed may have left the gateway leading to a stray.
                    self.entrance.lead_to(old.port)
                processes.end(self._strays("serving", slots))
                log.unlink(missing_ok=True)
                port = processes.free_port(slot.port for slot in slots.values())
                started = self._spawn(service, prepared, port, slots, log)
            new = Slot.of(port, started, prepared)
            processes.await_health("The new version", new.url + service.health, started, DEPLOY, log, BuildFailed)
            self._switch(new, log)
        except BaseException:
            candidate = processes.find(started) if started else None
            processes.end([candidate] if candidate else [])
            releases.discard(shipped)
            raise
        report("stopping the old version")
        slots = self.slots.read()
        processes.end(self._strays("serving", slots))
        releases.prune(self.home, {slot.code for slot in slots.values()})
        return Release(commit=shipped.commit, seconds=time.monotonic() - begun, log=self.logs("serving", 50))

    def run(self, service: str, argv: Sequence[str], stdin: str = "", timeout: float | None = None) -> Finished:
        """Run a command in a service's environment, its code folder as working directory."""
        some_command(argv)
        prepared, variables = self._inside(service, "job")
        # The command is looked up on the service's PATH, not on this process's.
        found = shutil.which(argv[0], path=variables["PATH"])
        return processes.run([found or argv[0], *argv[1:]], prepared.code, variables, stdin, timeout)

    def shell(self, service: str) -> int:
        """Give the terminal to a shell in a service's environment; returns its exit code."""
        prepared, variables = self._inside(service, "shell")
        # The user's own start-up file may put another Python first on PATH, so PATH is set after it.
        start = self.home / "shell.rc"
        binaries = prepared.env / "bin"
        store.write_text(
            start,
            f'[ -f ~/.bashrc ] && . ~/.bashrc\nPATH="{binaries}:$PATH"\nPS1="({service}) \\w \\$ "\n',
        )
        return processes.interact(start, prepared.code, variables)

    def url(self, service: str) -> str:
        """Base address of a service on this host, without a final slash."""
        if find(service).port is None:
            raise UsageError(f"{service} has no address.", "Services with one: mlflow, serving.")
        name = door(service)
        known = self.slots.read().get(name, Slot())
        if known.port:
            return known.url
        with self.slots.hold() as slots:
            return with_port(slots, name).url

    def logs(self, service: str, lines: int = 200) -> str:
        """Return the last lines of a service's log."""
        return processes.tail(self._log(find(service).name), lines)

    def state(self, service: str, *, health: bool = True) -> ServiceState:
        """What a service is doing and uses. Without `health` nothing is asked of the service itself."""
        row = find(service)
        if row.one_shot:
            done = self._bootstrapped.is_file()
            return ServiceState(service, running=False, healthy=done, url=None, detail="runs once and exits")
        slots = self.slots.read()
        slot, known = slots.get(service, Slot()), slots.get(door(service), Slot())
        process = slot.running
        url = known.url if row.port and known.port else None
        if process is None:
            return ServiceState(service, running=False, healthy=False, url=url, detail="not running")
        return ServiceState(
            name=service,
            running=True,
            healthy=health and (not row.health or processes.answers(slot.url + row.health, 3.0)),
            url=url,
            usage=Usage(memory_mb=round(processes.rss_mb(process), 1), threads=processes.threads(process)),
            detail=f"process {slot.pid}, release {slot.release}",
        )

    # Processes

    @property
    def _bootstrapped(self) -> Path:
        return self.home / "mlflow" / ".bootstrapped"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _members(self, name: str) -> list[psutil.Process]:
        """Find every process of a service, those that no file knows of included."""
        known = self.slots.read().get(name, Slot()).running
        return [*processes.marked(self.mark, name), *([known] if known else [])]

    def _strays(self, name: str, slots: Slots) -> list[psutil.Process]:
        """Find processes of a service that do not belong to the one in its slot: killed commands leave them."""
        current = slots.get(name, Slot()).pid
        return [process for process in processes.marked(self.mark, name) if processes.session(process) != current]

    def _stop(self, name: str) -> None:
        processes.end(self._members(name))
        with self.slots.hold() as slots:
            if name in slots:
                slots[name] = replace(slots[name], pid=0, created=0.0)
            if name == "serving":
                self.entrance.close(slots)

    def _forget(self, name: str) -> None:
        """Remove what is left of a service that was stopped."""
        with self.slots.hold() as slots:
            slots.pop(name, None)
            used = {slot.code for slot in slots.values()}
        for log in (self.home / "logs").glob(f"{name}*.log"):
            log.unlink(missing_ok=True)
        if find(name).code == "serving":
            releases.prune(self.home, used, keep=0)

    def _start(self, name: str, prepared: Prepared | None) -> None:
        """Start a service on its port unless it runs, which it does where nothing was prepared."""
        service = find(name)
        with self.slots.hold() as slots:
            slot = slots.get(name, Slot())
            runs = slot.running is not None or prepared is None
            if name == "serving":
                if not runs:
                    slot = Slot(port=processes.free_port(other.port for other in slots.values()))
                    self.entrance.lead_to(slot.port, starting=True)
                self.entrance.open(slots)
            if runs or prepared is None:
                return
            processes.end(self._members(name))
            if service.port and name != "serving":
                slot = with_port(slots, name)
                if not processes.is_free(slot.port):
                    raise StackError(f"Port {slot.port} of {name} is in use.", "End the program that listens on it.")
            started = self._spawn(service, prepared, slot.port, slots, self._log(name))
            slots[name] = Slot.of(slot.port, started, prepared)

    def _spawn(self, service: Service, prepared: Prepared, port: int, slots: Slots, log: Path) -> Started:
        values = self._values(slots, port, prepared.release)
        variables = self._environment(service, service.name, prepared, values)
        argv = command(service, values)
        argv[0] = str(prepared.env / "bin" / argv[0])
        return processes.spawn(argv, prepared.code, variables, log)

    def _values(self, slots: Slots, port: int, release: str) -> dict[str, str]:
        return {
            "host": "127.0.0.1",
            "port": str(port),
            "mlflow": str(self.home / "mlflow"),
            "data": str(self.home / "data"),
            "workload": self.workload,
            "model": self.model,
            "release": release,
            "launch": launch(self.home),
            "mlflow_url": with_port(slots, "mlflow").url,
            "serving_url": with_port(slots, door("serving")).url,
        }

    def _environment(self, service: Service, slot: str, prepared: Prepared, values: dict[str, str]) -> dict[str, str]:
        base = processes.base_environment(prepared.env / "bin", self.mark, slot)
        said = manifest.read(prepared.code).variables if service.code == "serving" else {}
        variables = {
            **base,
            # What a stack's processes are found by, and their commands, is not for a manifest to say.
            **{name: value for name, value in said.items() if name not in ("PATH", processes.MARK, processes.SLOT)},
            **environment(service, values),
            # Nothing but the release is importable beside the installed packages.
            "PYTHONSAFEPATH": "1",
            "VIRTUAL_ENV": str(prepared.env),
        }
        if service.code:
            variables["PYTHONPATH"] = str(prepared.code)
        if service.code == "training":
            # Jobs of the training side that send orders are not in the table.
            variables["SERVING_URL"] = values["serving_url"]
        return variables

    def _inside(self, name: str, slot: str) -> tuple[Prepared, dict[str, str]]:
        service, known = find(name), self.slots.read().get(name, Slot())
        prepared = known.prepared or self._prepare(name)
        with self.slots.hold() as slots:
            return prepared, self._environment(
                service, slot, prepared, self._values(slots, known.port, prepared.release)
            )

    def _await(self, name: str) -> None:
        service, slot = find(name), self.slots.read().get(name, Slot())
        try:
            if service.health:
                processes.await_health(name, slot.url + service.health, slot.started, UP, self._log(name), NotReady)
        finally:
            # It is as it is: who calls one that did not become ready need not wait for that.
            with self.slots.hold() as slots:
                if name == "serving" and name in slots:
                    self.entrance.lead_to(slots[name].port)

    def _bootstrap(self, report: Report) -> None:
        report("training the history of models")
        done = job(self, ["bootstrap"], timeout=600)
        if done.code != 0:
            raise StackError("The training job failed.", done.err.strip()[-600:])
        self._bootstrapped.touch()

    def _switch(self, new: Slot, log: Path) -> None:
        """Make the candidate the service."""
        current = self._log("serving")
        with self.slots.hold() as slots:
            self.entrance.open(slots)
            slots["serving"] = new
            # Processes go on writing into the file they opened, whatever its name is.
            if current.is_file():
                current.replace(self._log("serving-previous"))
            if log.is_file():
                log.replace(current)
            self.entrance.lead_to(new.port)

    # What is run

    def _prepare_all(self, names: list[str], report: Report) -> dict[str, Prepared]:
        if not names:
            return {}
        with ThreadPoolExecutor(len(names)) as pool:
            return dict(zip(names, pool.map(lambda name: self._prepare(name, report), names), strict=True))

    def _prepare(self, name: str, report: Report = silent) -> Prepared:
        """Put the code of a service where it runs, and make its environment."""
        service, workspace = find(name), self.workspace
        if service.code == "serving":
            return self._ship(report)[1]
        if service.code:
            code = releases.export_training(self.home, workspace)
            sources = workspace.path / "featurelib" / "releases"
            env = self.envs.python(service.code, requirements_folder(code, service, self.workload), sources, report)
        else:
            code = self.home / "mlflow"
            code.mkdir(parents=True, exist_ok=True)
            env = self.envs.python(name, workspace.path / service.requirements, None, report)
        return Prepared(code, env, workspace.head()[:7])

    def _ship(self, report: Report) -> tuple[releases.Release, Prepared]:
        """Export the last commit's serving side, and make its environment. Raises BuildFailed where that fails."""
        shipped = releases.export_serving(self.home, self.workspace)
        try:
            manifest.read(shipped.code)
            folder = requirements_folder(shipped.code, find("serving"), self.workload)
            env = self.envs.python("serving", folder, shipped.sources, report)
        except BaseException:
            releases.discard(shipped)
            raise
        return shipped, Prepared(shipped.code, env, shipped.short)
