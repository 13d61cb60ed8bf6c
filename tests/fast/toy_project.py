"""A project that starts in a tenth of a second: the real runtime with services that are a few lines each.

Run as a program (`python -m tests.fast.toy_project HOME ROOT STATE COMMAND`), it does one thing to a stack, so that a
test can kill it in the middle.
"""

import dataclasses
import shutil
import sys
from pathlib import Path
from typing import Any

from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]

SERVING = '''"""Answers everything with what it is."""
import json
import os
import sys
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = 1


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"version": VERSION, "env": dict(os.environ), "path": sys.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


print("version", VERSION, "starts", flush=True)
ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
'''

TRAINING = '''"""Bootstrap counts its runs; echo repeats its input; anything else sleeps."""
import os
import sys
import time
from pathlib import Path

if sys.argv[1] == "bootstrap":
    with (Path(os.environ["DATA_DIR"]) / "bootstraps").open("a") as handle:
        handle.write("x")
elif sys.argv[1] == "echo":
    print(sys.stdin.read(), end="")
elif sys.argv[1] == "fail":
    sys.exit("it failed")
else:
    print("traffic to", os.environ["SERVING_URL"], flush=True)
    time.sleep(3600)
'''

LIBRARY = """[build-system]
requires = ["flit_core>=3.9,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "featurelib"
version = "{version}"
description = "A toy."
"""


def write(root: Path) -> Path:
    """Make the project in an empty folder."""
    files = {
        "serving/__init__.py": "",
        "serving/__main__.py": SERVING,
        "serving/requirements.txt": "",
        "serving/internal.txt": "featurelib==1.0.0\n",
        "training/__init__.py": "",
        "training/__main__.py": TRAINING,
        "training/requirements.txt": "",
        "training/internal.txt": "featurelib==1.1.0\n",
        "training/registry/requirements.txt": "",
    }
    for version in ("1.0.0", "1.1.0"):
        files[f"featurelib/releases/{version}/pyproject.toml"] = LIBRARY.format(version=version)
        files[f"featurelib/releases/{version}/src/featurelib/__init__.py"] = f'"""A toy."""\n\nRELEASE = "{version}"\n'
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "training" / "eta").mkdir(exist_ok=True)
    shutil.copy(ROOT / "training" / "eta" / "workload.toml", root / "training" / "eta" / "workload.toml")
    return root


def registry() -> Any:
    """The row of the table for a registry that is a file server."""
    command = ("python", "-m", "http.server", "{port}", "--bind", "{host}")
    return dataclasses.replace(SERVICES["mlflow"], command=command, health="/")


def main() -> None:
    """Do one thing to a stack."""
    home, root, state, command = sys.argv[1:]
    SERVICES["mlflow"] = registry()  # type: ignore[index]
    stack = EmbeddedStack(Path(home), Path(root), Path(state), "eta")
    getattr(stack, command)()


if __name__ == "__main__":
    main()
