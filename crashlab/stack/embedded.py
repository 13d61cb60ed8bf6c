"""The embedded runtime: the services of the table as local processes, each in its own environment. No Docker.

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
from crashlab.stack.base import Finished, Release, Report, ServiceState, Usage, silent
from crashlab.stack.envs import Environments, installed, python_version
from crashlab.stack.processes import Started
from crashlab.stack.services import SERVICES, Service, command, environment, find, launch, requirements_folder
from crashlab.stack.slots import Prepared, Slot, SlotFile, Slots, with_port
from crashlab.workspace import GitWorkspace

UP = 120.0
"""Seconds within which a service must become healthy."""
DEPLOY = 60.0
"""Seconds within which a new version must become ready."""


@dataclass
class EmbeddedStack:
    """A stack in the folder `home`; code and histories come from `root`, environments are kept in `state`."""

    home: Path
    root: Path
    state: Path
    workload: str
    runtime: RuntimeName = field(default="embedded", init=False)

    def __post_init__(self) -> None:
        self.mark = hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:16]
        self.envs = Environments(self.state)
        self.slots = SlotFile(self.home)

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
        chosen = {find(name).name for name in services} or set(SERVICES)
        slots = self.slots.read()
        wanted = [name for name in SERVICES if name in chosen and slots.get(name, Slot()).running is None]
        for folder in ("data", "mlflow", "logs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        prepared = self._prepare_all(wanted, report)
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
            if "serving" in wanted and "serving" not in early:
                self._start("serving", prepared["serving"])
            report("waiting for the serving API")
            self._await("serving")
        if "traffic" in wanted:
            self._start("traffic", prepared["traffic"])

    def down(self) -> None:
        """End every process of this stack. Safe at any moment and any number of times."""
        processes.end_all(self.mark)
        self.slots.forget()

    def stop(self, service: str) -> None:
        """Stop one service and leave the others alone."""
        find(service)
        processes.end(self._members(service))
        with self.slots.hold() as slots:
            if service in slots:
                slots[service] = replace(slots[service], pid=0, created=0.0)

    def discard(self, service: str) -> None:
        """Stop one service and remove what is left of it, its log included; the next `up` starts it anew."""
        self.stop(service)
        with self.slots.hold() as slots:
            slots.pop(service, None)
            used = {slot.code for slot in slots.values()}
        for log in (self.home / "logs").glob(f"{service}*.log"):
            log.unlink(missing_ok=True)
        if find(service).code == "serving":
            self._address.unlink(missing_ok=True)
            releases.prune(self.home, used, keep=0)

    def restart(self, service: str, report: Report = silent) -> None:
        """Restart one service as it was last deployed, and return when it is healthy."""
        if find(service).one_shot:
            raise UsageError(f"{service} runs once and cannot be restarted.", "Use `crashlab retrain` to train again.")
        last = self.slots.read().get(service, Slot()).prepared
        self.stop(service)
        report(f"restarting {service}")
        self._start(service, last or self._prepare(service, report))
        self._await(service)

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

    def job(self, argv: Sequence[str], stdin: str = "", timeout: float = 300.0) -> Finished:
        """Run `python -m training ARGV` once in the training environment, with the workspace's training code."""
        prepared = self._prepare("training")
        with self.slots.hold() as slots:
            variables = self._environment(find("training"), "job", prepared, self._values(slots, 0, prepared.release))
        python = str(prepared.env / "bin" / "python")
        return processes.run([python, "-m", "training", *argv], prepared.code, variables, stdin, timeout)

    def execute(self, service: str, argv: Sequence[str], stdin: str = "") -> Finished:
        """Run a command in a service's environment, its code folder as working directory."""
        prepared, variables = self._inside(service, "job")
        # The command is looked up on the service's PATH, not on this process's.
        found = shutil.which(argv[0], path=variables["PATH"]) if argv else None
        return processes.run([found or argv[0], *argv[1:]], prepared.code, variables, stdin)

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
        known = self.slots.read().get(service, Slot())
        if known.port:
            return known.url
        with self.slots.hold() as slots:
            return with_port(slots, service).url

    def logs(self, service: str, lines: int = 200) -> str:
        """Return the last lines of a service's log."""
        return processes.tail(self._log(find(service).name), lines)

    def states(self) -> list[ServiceState]:
        """Every service of the table, running or not."""
        slots = self.slots.read()
        return [self._state(service, slots.get(service.name, Slot())) for service in SERVICES.values()]

    def usage(self, service: str) -> Usage:
        """Return what a service's processes use now. Raises StackError where it does not run."""
        process = self.slots.read().get(find(service).name, Slot()).running
        if process is None:
            raise StackError(f"{service} is not running.", f"See `crashlab logs {service}`.")
        return Usage(memory_mb=round(processes.rss_mb(process), 1), threads=processes.threads(process))

    def limit(self, service: str, cpus: float | None = None, memory_mb: int | None = None) -> None:
        """Raise UsageError: local processes have no limits."""
        find(service)
        wanted = " and ".join(name for name, value in (("CPU", cpus), ("memory", memory_mb)) if value is not None)
        raise UsageError(f"The embedded runtime has no {wanted or 'resource'} limits.", "Use --runtime compose.")

    def packages(self, service: str) -> dict[str, str]:
        """Installed distributions of a service's environment, and its Python: version by lower-case name."""
        env = (self.slots.read().get(find(service).name, Slot()).prepared or self._prepare(service)).env
        return installed(env) | {"python": python_version(env)}

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

    def _start(self, name: str, prepared: Prepared) -> None:
        """Start a service on its port unless it runs."""
        service = find(name)
        with self.slots.hold() as slots:
            slot = slots.get(name, Slot())
            if slot.running:
                return
            processes.end(self._members(name))
            if service.port:
                slot = with_port(slots, name)
                if not processes.is_free(slot.port):
                    raise StackError(f"Port {slot.port} of {name} is in use.", "End the program that listens on it.")
            started = self._spawn(service, prepared, slot.port, slots, self._log(name))
            slots[name] = Slot.of(slot.port, started, prepared)
            if name == "serving":
                self._publish(slots[name])

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
            "serving_url": with_port(slots, "serving").url,
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
            # A deployment moves the API to another port; who calls it reads the address from this file.
            variables |= {"SERVING_URL": values["serving_url"], "SERVING_URL_FILE": str(self._address)}
        return variables

    def _inside(self, name: str, slot: str) -> tuple[Prepared, dict[str, str]]:
        service, known = find(name), self.slots.read().get(name, Slot())
        prepared = known.prepared or self._prepare(name)
        with self.slots.hold() as slots:
            return prepared, self._environment(
                service, slot, prepared, self._values(slots, known.port, prepared.release)
            )

    @property
    def _address(self) -> Path:
        return self.home / "data" / "serving.url"

    def _publish(self, slot: Slot) -> None:
        store.write_text(self._address, slot.url + "\n")

    def _await(self, name: str) -> None:
        service, slot = find(name), self.slots.read().get(name, Slot())
        if service.health:
            processes.await_health(name, slot.url + service.health, slot.started, UP, self._log(name), NotReady)

    def _bootstrap(self, report: Report) -> None:
        report("training the history of models")
        done = self.job(["bootstrap"], timeout=600)
        if done.code != 0:
            raise StackError("The training job failed.", done.err.strip()[-600:])
        self._bootstrapped.touch()

    def _switch(self, new: Slot, log: Path) -> None:
        """Make the candidate the service."""
        current = self._log("serving")
        with self.slots.hold() as slots:
            slots["serving"] = new
            # Processes go on writing into the file they opened, whatever its name is.
            if current.is_file():
                current.replace(self._log("serving-previous"))
            if log.is_file():
                log.replace(current)
            self._publish(new)

    def _state(self, service: Service, slot: Slot) -> ServiceState:
        if service.one_shot:
            done = self._bootstrapped.is_file()
            return ServiceState(service.name, running=False, healthy=done, url=None, detail="runs once and exits")
        process = slot.running
        url = slot.url if service.port and slot.port else None
        healthy = process is not None and (not service.health or processes.answers(f"{url}{service.health}", 3.0))
        rss = round(processes.rss_mb(process), 1) if process else None
        detail = f"process {slot.pid}, release {slot.release}" if process else "not running"
        return ServiceState(service.name, process is not None, healthy, url, rss_mb=rss, detail=detail)

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
