"""The gateway passes connections on to the address in its file, waits for a start, and for nothing else."""

import asyncio
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crashlab.errors import StackError
from crashlab.stack import gateway, processes
from crashlab.stack.entrance import NAME, Entrance
from crashlab.stack.slots import Slot, SlotFile


class Echo(socketserver.BaseRequestHandler):
    """Answers with its name, then with what it gets."""

    server: "Named"

    def handle(self):
        self.request.sendall(self.server.name)
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Named(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    name = b""


@contextmanager
def service(name: bytes, port: int = 0) -> Iterator[int]:
    with Named(("127.0.0.1", port), Echo) as server:
        server.name = name
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def entrance(tmp_path: Path) -> Entrance:
    return Entrance(tmp_path, "mark")


@pytest.fixture
def address(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A gateway in this process, which would wait for an hour."""
    monkeypatch.setattr(gateway, "PATIENCE", 3600.0)
    listening = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    task = loop.create_task(gateway.serve(listening, entrance.file))

    def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        for left in asyncio.all_tasks(loop):
            left.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield listening.getsockname()
    loop.call_soon_threadsafe(task.cancel)
    thread.join()


def all_of(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_bytes_are_passed_on_both_ways_with_their_end(entrance, address):
    sent = bytes(range(256)) * 20_000
    with service(b"one:") as port:
        entrance.lead_to(port)
        with socket.create_connection(address, timeout=30) as client:
            writer = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
            writer.start()
            assert all_of(client) == b"one:" + sent
            writer.join()


def test_new_connections_go_to_the_new_version_and_open_ones_stay(entrance, address):
    with service(b"1") as first, service(b"2") as second:
        entrance.lead_to(first)
        with socket.create_connection(address, timeout=30) as old:
            assert old.recv(1) == b"1"
            entrance.lead_to(second)
            with socket.create_connection(address, timeout=30) as new:
                assert new.recv(1) == b"2"
            old.sendall(b"still")
            assert old.recv(5) == b"still"


def test_a_service_that_is_starting_is_waited_for(entrance, address):
    port = processes.free_port()
    entrance.lead_to(port, starting=True)
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"early")
        client.shutdown(socket.SHUT_WR)
        with service(b"up:", port):
            assert all_of(client) == b"up:early"


def test_one_that_is_given_up_is_no_longer_waited_for(entrance, address):
    port = processes.free_port()
    entrance.lead_to(port, starting=True)
    with socket.create_connection(address, timeout=30) as client:
        entrance.lead_to(port)
        assert client.recv(1) == b""


@pytest.mark.parametrize("text", ["", "nonsense"])
def test_where_nothing_answers_the_connection_is_closed(entrance, address, text):
    if text:
        entrance.file.write_text(text)
    with socket.create_connection(address, timeout=30) as client:
        assert client.recv(1) == b""
    entrance.lead_to(processes.free_port())
    with socket.create_connection(address, timeout=30) as client:
        assert client.recv(1) == b""


def test_patience_ends(entrance, address, monkeypatch):
    monkeypatch.setattr(gateway, "PATIENCE", 0.1)
    entrance.lead_to(processes.free_port(), starting=True)
    with socket.create_connection(address, timeout=30) as client:
        assert client.recv(1) == b""


def test_a_service_that_ends_its_connections_ends_those_of_its_clients(entrance, address):
    class Short(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"bye")

    with socketserver.TCPServer(("127.0.0.1", 0), Short) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        entrance.lead_to(server.server_address[1])
        with socket.create_connection(address, timeout=30) as client:
            assert all_of(client) == b"bye"
        thread.join()


def test_it_is_started_once_keeps_its_port_and_is_found_by_its_mark(tmp_path):
    file, entrance = SlotFile(tmp_path), Entrance(tmp_path, f"gateway {tmp_path}")
    with service(b"x") as port:
        entrance.lead_to(port)
        try:
            with file.hold() as slots:
                entrance.open(slots)
                first = slots[NAME]
                entrance.open(slots)
                assert slots[NAME] == first
            with socket.create_connection(("127.0.0.1", first.port), timeout=30) as client:
                assert client.recv(1) == b"x"
            lost: dict[str, Slot] = {NAME: Slot(port=first.port)}
            entrance.open(lost)
            assert first.running is None
            # What has answered is past its start, and can be found.
            with socket.create_connection(("127.0.0.1", first.port), timeout=30) as client:
                assert client.recv(1) == b"x"
            assert len(processes.marked(entrance.mark, NAME)) == 1
            entrance.close(lost)
            assert lost[NAME] == Slot(port=first.port)
            assert not processes.marked(entrance.mark)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", first.port), timeout=30)
            with socket.create_server(("127.0.0.1", first.port)), pytest.raises(StackError, match="is in use"):
                entrance.open(lost)
        finally:
            processes.end(processes.marked(entrance.mark))


def test_it_needs_the_standard_library_alone():
    program = "import runpy, sys; runpy.run_path(sys.argv[1]); print('crashlab' in sys.modules)"
    argv = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run([*argv, gateway.__file__], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
