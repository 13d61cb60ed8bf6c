"""What a person's shell sets for other programs changes nothing here."""

import http.server
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from crashlab.cli import surroundings
from crashlab.stack.images import readable

ROOT = Path(__file__).parents[2]


def test_modules_of_a_foreign_folder_are_not_imported(tmp_path: Path) -> None:
    for name in ("numpy", "typer", "pydantic", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('foreign')\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    argv = [sys.executable, "-m", "crashlab.cli", "taxonomy", "--json"]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_projects_own_folder_stays_on_the_path() -> None:
    environment = {"PYTHONPATH": os.pathsep.join((str(ROOT), "/elsewhere"))}
    path = [str(ROOT), "/elsewhere", "/usr/lib"]
    before = os.umask(0o077)
    try:
        surroundings.settle(environment, path)
        assert os.umask(before) == surroundings.UMASK
    finally:
        os.umask(before)
    assert environment["PYTHONPATH"] == str(ROOT)
    assert path == [str(ROOT), "/usr/lib"]


def test_nothing_on_this_machine_is_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intranet")
    try:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
        environment = dict(os.environ)
        before = os.umask(0)
        surroundings.settle(environment, [])
        os.umask(before)
        for name in ("NO_PROXY", "no_proxy"):
            assert environment[name].startswith("intranet,")
            monkeypatch.setenv(name, environment[name])
        assert httpx.get(url).status_code == 204
    finally:
        server.shutdown()
        server.server_close()


def test_whatever_goes_into_an_image_can_be_read_there(tmp_path: Path) -> None:
    folder = tmp_path / "context" / "serving"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("")
    (folder / "run").write_text("")
    (folder / "link").symlink_to("nowhere")
    (folder / "app.py").chmod(0o600)
    (folder / "run").chmod(0o700)
    folder.chmod(0o700)
    readable(tmp_path / "context")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "app.py", folder / "run")}
    assert modes == {"serving": 0o755, "app.py": 0o644, "run": 0o755}
