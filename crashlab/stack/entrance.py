"""Where the serving API is reached under the embedded runtime: its gateway, and what that leads to.

A deployment starts another process on another port. The gateway listens on a port of its own, which stays the same, and
leads to the process that a file names. It runs as long as the service is meant to.
"""

import socket
import sys
from dataclasses import replace
from pathlib import Path

from crashlab import store
from crashlab.errors import StackError
from crashlab.stack import gateway, processes
from crashlab.stack.slots import Slot, Slots, with_port

NAME = "gateway"
"""The gateway's slot, and its processes' mark."""


def door(service: str) -> str:
    """Return the slot whose port clients of a service know."""
    return NAME if service == "serving" else service


class Entrance:
    """The gateway of the stack in `home`. Slots are the caller's, who holds their file."""

    def __init__(self, home: Path, mark: str) -> None:
        self.home = home
        self.mark = mark
        self.file = home / "serving.address"
        self.log = home / "logs" / "serving-gateway.log"

    def open(self, slots: Slots) -> None:
        """Start the gateway unless it runs. Raises StackError where something else listens on its port."""
        slot = with_port(slots, NAME)
        if slot.running:
            return
        processes.end(processes.marked(self.mark, NAME))
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", slot.port))
                # Clients are let in from here on, while the gateway itself is still starting.
                listening.listen(gateway.BACKLOG)
            except OSError as error:
                message = f"Port {slot.port} of serving is in use."
                raise StackError(message, "End the program that listens on it.") from error
            argv = [sys.executable, "-I", "-S", gateway.__file__, str(self.file)]
            variables = processes.base_environment(None, self.mark, NAME)
            started = processes.spawn(argv, self.home, variables, self.log, stdin=listening.fileno())
        slots[NAME] = replace(slot, pid=started.pid, created=started.created)

    def close(self, slots: Slots) -> None:
        """End the gateway, so that clients are refused. It keeps its port."""
        slot = slots.get(NAME, Slot())
        processes.end([*processes.marked(self.mark, NAME), *([slot.running] if slot.running else [])])
        if NAME in slots:
            slots[NAME] = replace(slot, pid=0, created=0.0)
        self.file.unlink(missing_ok=True)

    def lead_to(self, port: int, *, starting: bool = False) -> None:
        """Let the gateway lead to a port; clients are kept waiting for a moment where that one is `starting`."""
        text = f"127.0.0.1 {port}{' starting' if starting else ''}\n"
        if not self.file.is_file() or self.file.read_text(encoding="utf-8") != text:
            store.write_text(self.file, text)
