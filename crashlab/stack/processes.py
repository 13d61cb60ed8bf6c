"""Local processes that outlive the command that started them, and can be found again whatever happened to it.

Every process of a stack carries two environment variables that its children inherit: the stack's mark and the slot it
was started for. So none is lost when the engine is killed between starting a process and writing that down.
"""

import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from crashlab.errors import StackError
from crashlab.stack.base import Finished

MARK = "CRASHLAB_STACK"
SLOT = "CRASHLAB_SLOT"
PATIENCE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
PORTS = range(20000, 30000)
"""Where free ports are looked for: below the ranges from which systems give ports to outgoing connections."""
REFUSED = 5.0
"""Seconds of answers that it is not ready after which a service is given up: a start is over before it answers."""
ERROR_LINES = 15
"""Log lines that an error shows."""
FORWARDED = ("HOME", "USER", "LOGNAME", "TMPDIR", "TERM", "SHELL")
"""What services see of the caller's environment. Anything else could make two machines behave differently."""


@dataclass(frozen=True)
class Started:
    """A process by id and start in seconds since the machine's, which together never mean another process."""

    pid: int
    created: float


class Patience:
    """How long a starting service is waited for: `seconds` in all, and less where it says that it is not ready."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.refusing: float | None = None

    def over(self, answered: int) -> str:
        """Take the status of one more answer, 0 for none. Returns what is wrong with a service to be given up."""
        now = time.monotonic()
        if answered != http.client.SERVICE_UNAVAILABLE:
            self.refusing = None
        elif self.refusing is None:
            self.refusing = now
        if self.refusing is not None and now - self.refusing > REFUSED:
            return "answers that it is not ready"
        return f"was not ready within {self.seconds:.0f} seconds" if now > self.deadline else ""


def base_environment(binaries: Path | None, mark: str, slot: str) -> dict[str, str]:
    """Return the environment every process of a stack starts with; `binaries` comes first on PATH."""
    path = os.environ.get("PATH", os.defpath)
    return {
        **{name: os.environ[name] for name in FORWARDED if name in os.environ},
        "PATH": f"{binaries}{os.pathsep}{path}" if binaries else path,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        MARK: mark,
        SLOT: slot,
    }


def is_free(port: int) -> bool:
    """Say whether a port of the loopback interface can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken: Iterable[int] = ()) -> int:
    """Choose a free port. Raises StackError where there is none."""
    avoid = set(taken)
    for port in random.SystemRandom().sample(PORTS, 200):
        if port not in avoid and is_free(port):
            return port
    raise StackError("No port is free.", f"Stop what listens on {PORTS.start} to {PORTS.stop - 1}.")


def spawn(
    argv: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, stdin: int = subprocess.DEVNULL
) -> Started:
    """Start a process in a session of its own, its output appended to `log`. Raises StackError where it cannot.

    `stdin` is a file descriptor for its standard input, which is empty otherwise.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                argv,
                cwd=folder,
                env=dict(environment),
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise StackError(f"{Path(argv[0]).name} could not be started.", str(error)) from error
    # The process outlives this command on purpose; Popen would warn of that when it is collected.
    child.returncode = 0
    try:
        created = since_boot(psutil.Process(child.pid))
    except psutil.Error:
        created = 0.0
    return Started(child.pid, created)


def since_boot(process: psutil.Process) -> float:
    """Seconds from the start of the machine to that of a process. A clock that is set meanwhile does not change it."""
    return process.create_time() - psutil.boot_time()


def find(started: Started) -> psutil.Process | None:
    """Return the running process, or None where it has ended."""
    try:
        process = psutil.Process(started.pid)
        if abs(since_boot(process) - started.created) > 1:
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(started.pid, os.WNOHANG)
            return None
    except psutil.Error:
        return None
    return process


def rss_mb(process: psutil.Process) -> float:
    """Resident memory of a process and its descendants, in megabytes."""
    total = 0
    for member in (process, *_children(process)):
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total / 1e6


def threads(process: psutil.Process) -> int:
    """Count the threads of a process and its descendants."""
    total = 0
    for member in (process, *_children(process)):
        with contextlib.suppress(psutil.Error):
            total += member.num_threads()
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def marked(mark: str, slot: str | None = None) -> list[psutil.Process]:
    """Find every process with a stack's mark, and slot if one is given; never this process or its ancestors."""
    me = psutil.Process()
    spared = {me.pid}
    # An ancestor may end while it is looked at.
    with contextlib.suppress(psutil.Error):
        spared |= {parent.pid for parent in me.parents()}
    found = []
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if environment.get(MARK) == mark and slot in (None, environment.get(SLOT)):
                found.append(process)
    return found


def marks(environments: str) -> dict[str, int]:
    """Count the processes of every stack whose environments are below a folder, by mark."""
    found: dict[str, int] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if MARK in environment and environment.get("VIRTUAL_ENV", "").startswith(environments + os.sep):
                found[environment[MARK]] = found.get(environment[MARK], 0) + 1
    return found


def session(process: psutil.Process) -> int:
    """Process id of the leader of a process's session; 0 where the process has ended."""
    try:
        return os.getsid(process.pid)
    except OSError:
        return 0


def end(processes: Iterable[psutil.Process], patience: float = PATIENCE) -> None:
    """End processes and their descendants: SIGTERM, and SIGKILL after `patience` seconds. Returns when all are gone."""
    everyone = {process.pid: process for parent in processes for process in (parent, *_children(parent))}
    for process in everyone.values():
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(list(everyone.values()), timeout=patience)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def end_all(mark: str) -> None:
    """End every process of a stack, however it was started. Raises StackError where one does not end."""
    for _ in range(3):
        found = marked(mark)
        if not found:
            return
        end(found)
    left = marked(mark)
    if left:
        numbers = ", ".join(str(process.pid) for process in left)
        raise StackError(f"{len(left)} processes do not end.", f"End them by hand: {numbers}.")


def run(
    argv: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: str = "", timeout: float | None = None
) -> Finished:
    """Run a command to its end, in a session of its own so that nothing of it is left however the call ends.

    Returns code 127 where there is no such command. Raises StackError after `timeout` seconds.
    """
    try:
        child = subprocess.Popen(
            argv,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        return Finished(127, "", f"{argv[0]}: not found\n")
    except OSError as error:
        return Finished(126, "", f"{argv[0]}: {error.strerror}\n")
    with child:
        try:
            out, err = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            _kill_session(child)
            shown = " ".join(argv[1:4])
            raise StackError(f"`{shown}` did not end within {timeout:.0f} seconds.", "Run it again.") from error
        except BaseException:
            _kill_session(child)
            raise
    return Finished(child.returncode, out, err)


def interact(start: Path, folder: Path, environment: Mapping[str, str]) -> int:
    """Give the terminal to bash with the start-up file `start`, or to the user's shell; returns its exit code."""
    bash = shutil.which("bash")
    argv = [bash, "--rcfile", str(start), "-i"] if bash else [os.environ.get("SHELL") or "/bin/sh"]
    main = threading.current_thread() is threading.main_thread()
    # Ctrl-C is for what runs in the shell. A handler, unlike SIG_IGN, is not inherited by it.
    old = signal.signal(signal.SIGINT, lambda *_: None) if main else None
    try:
        return subprocess.run(argv, cwd=folder, env=dict(environment), check=False).returncode
    finally:
        if old is not None:
            signal.signal(signal.SIGINT, old)


def _kill_session(child: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def answers(url: str, timeout: float = 5.0) -> bool:
    """Say whether GET `url` is answered with status 200."""
    return status(url, timeout) == http.client.OK


def status(url: str, timeout: float = 5.0) -> int:
    """Return the status that GET `url` is answered with; 0 where there is no answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def await_health(
    name: str,
    url: str,
    process: Started | None,
    seconds: float,
    log: Path,
    failure: type[StackError] = StackError,
) -> None:
    """Wait until `url` answers 200. Raises `failure` with the end of the log where the process ends or time is up.

    A service that goes on answering 503 has ended its start without being able to work, and is not waited for.
    """
    patience, reason = Patience(seconds), ""
    while not reason and (answered := status(url)) != http.client.OK:
        if process is not None and find(process) is None:
            reason = "ended before it was ready"
        else:
            reason = patience.over(answered)
        time.sleep(0.1)
    if reason:
        raise failure(f"{name} {reason}.", tail(log, ERROR_LINES) or "Its log is empty.")


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a text file, reading no more of it than they need. Empty where there is no file."""
    if lines <= 0 or not path.is_file():
        return ""
    size, block = path.stat().st_size, 65536
    with path.open("rb") as handle:
        data = b""
        while size > 0 and data.count(b"\n") <= lines:
            step = min(block, size)
            size -= step
            handle.seek(size)
            data = handle.read(step) + data
    return "\n".join(data.decode("utf-8", "replace").splitlines()[-lines:])
