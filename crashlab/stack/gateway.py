"""The gateway before the serving API: one address for clients, whichever version answers behind it.

A program that needs the standard library alone: `python -I -S gateway.py FILE`. Its standard input is the socket that it
listens on. FILE holds the address behind it, `HOST PORT`, with the word `starting` where a service that was just started
is waited for; it is replaced as a whole when another version is to answer, and read for every connection. Connections
are passed on byte for byte, so that those that are open stay with the version that they began with.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path

PATIENCE = 5.0
"""Seconds that a client is kept waiting for a service that is starting."""
PAUSE = 0.02
"""Seconds between two attempts."""
BACKLOG = 512
"""Connections that may wait to be taken up."""


class Behind(asyncio.Protocol):
    """The end of a connection that leads to the service. What it receives goes to the client."""

    def __init__(self, client: "Client") -> None:
        self.client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass on what the client has sent meanwhile."""
        self.transport = no_delay(transport)
        self.client.joined(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        self.client.transport.write(data)

    def pause_writing(self) -> None:
        """Take no more from the client than the service takes."""
        self.client.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.client.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 the protocol's parameter
        """Close the client's end when all was passed on."""
        self.client.transport.close()


class Client(asyncio.Protocol):
    """The end of a connection that leads to a client. What it receives goes to the service."""

    def __init__(self, arrived: "Callable[[Client], None]") -> None:
        self.arrived = arrived
        self.behind: Behind | None = None
        self.early = b""
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the service."""
        self.transport = no_delay(transport)
        self.arrived(self)

    def joined(self, behind: Behind) -> None:
        """Take up the connection to the service."""
        self.behind = behind
        if self.transport.is_closing():
            behind.transport.close()
            return
        behind.transport.write(self.early)
        self.early = b""
        if self.ended:
            behind.transport.write_eof()
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass it on, or keep it until there is somebody to pass it on to."""
        if self.behind is None:
            self.early += data
            self.transport.pause_reading()
        else:
            self.behind.transport.write(data)

    def eof_received(self) -> bool:
        """Pass on that the client has said all, and stay open for the answer."""
        self.ended = True
        if self.behind is not None and not self.behind.transport.is_closing():
            self.behind.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """Take no more from the service than the client takes."""
        if self.behind is not None:
            self.behind.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self.behind is not None:
            self.behind.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 the protocol's parameter
        """Close the service's end when all was passed on."""
        if self.behind is not None:
            self.behind.transport.close()


def no_delay(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """Let small answers leave at once."""
    if not isinstance(transport, asyncio.Transport):
        raise TypeError(transport)
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return transport


def read(file: Path) -> tuple[str, int, bool]:
    """Return host and port of the address in a file, and whether it is starting. Port 0 where there is no file."""
    try:
        host, port, *words = file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return "127.0.0.1", 0, False
    return host, int(port), words == ["starting"]


async def lead(client: Client, file: Path) -> None:
    """Connect a client with the service, or close its connection where there is none."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while not client.transport.is_closing():
        host, port, starting = found = read(file)
        try:
            await loop.create_connection(lambda: Behind(client), host, port)
        except OSError:
            # A service that has ended looks as one without a gateway does; one that was exchanged meanwhile does not.
            again = starting or read(file) != found
            if not again or loop.time() > deadline:
                client.transport.close()
            else:
                await asyncio.sleep(PAUSE)
        else:
            return


async def serve(listening: socket.socket, file: Path) -> None:
    """Take up connections until the process is ended."""
    under_way: set[asyncio.Task[None]] = set()

    def arrived(client: Client) -> None:
        task = asyncio.create_task(lead(client, file))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(arrived), sock=listening, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=0), Path(sys.argv[1])))
