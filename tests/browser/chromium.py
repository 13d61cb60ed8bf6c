"""Drives a headless Chromium over its debugging pipe: DevTools messages as JSON, each ended by a zero byte.

Nothing is downloaded and no port is opened. See "Chrome DevTools Protocol" and the switch `--remote-debugging-pipe`.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 30.0
"""Seconds that an answer may take on a busy machine."""


def find() -> str | None:
    """Path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Page:
    """One tab: what it asked for, what it said, and what can be asked of it."""

    browser: "Chromium"
    session: str
    context: str
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, parameters, self.session)

    def open(self, url: str) -> None:
        """Load a page and wait until it has loaded and asked for what it asks for."""
        self.browser.loaded.discard(self.session)
        self.call("Page.navigate", url=url)
        self.browser.until(lambda: self.session in self.browser.loaded)
        self.browser.rest(0.3)

    def value(self, script: str) -> Any:
        """Value of an expression, waited for if it is a promise. Works where the page itself may run no script."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(script):
            assert time.monotonic() < deadline, script
            time.sleep(0.1)

    def size(self, width: int, height: int = 900) -> None:
        """Give the page another window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def offline(self) -> None:
        """Cut the network off."""
        self.call(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def close(self) -> None:
        """Close the tab with everything that it keeps."""
        self.browser.pages.pop(self.session)
        self.browser.call("Target.disposeBrowserContext", {"browserContextId": self.context})

    def picture(self, path: Path) -> None:
        """Write the whole page as PNG."""
        done = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(done["data"]))


def move(descriptor: int) -> int:
    """Give an open descriptor a number of at least 10."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return moved


class Chromium:
    """One browser process. Close it in the end."""

    def __init__(self, binary: str, profile: Path) -> None:
        self.read_end, child_writes = os.pipe()
        child_reads, self.write_end = os.pipe()
        # The browser reads from descriptor 3 and writes to 4, which must be free of the ends themselves.
        child_reads, child_writes = (move(end) for end in (child_reads, child_writes))
        shell = f'exec "$0" "$@" 3<&{child_reads} 4>&{child_writes}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, binary, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(child_reads, child_writes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(child_reads)
        os.close(child_writes)
        self.buffer = b""
        self.number = 0
        self.answers: dict[int, dict[str, Any]] = {}
        self.pages: dict[str, Page] = {}
        self.loaded: set[str] = set()

    def page(self) -> Page:
        """A new tab that is watched."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self.pages[session] = page = Page(self, session, context)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        return page

    def call(self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None) -> dict[str, Any]:
        number = self.send(method, parameters, session)
        self.until(lambda: number in self.answers)
        answer = self.answers.pop(number)
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def send(self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None) -> int:
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        return self.number

    def until(self, done: Any) -> None:
        """Read messages until a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, "the browser did not answer"
            self.pump(0.2)

    def rest(self, seconds: float) -> None:
        """Read messages for some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump(0.05)

    def pump(self, seconds: float) -> None:
        if not select.select([self.read_end], [], [], seconds)[0]:
            return
        got = os.read(self.read_end, 1 << 20)
        assert got, "the browser is gone"
        *messages, self.buffer = (self.buffer + got).split(b"\0")
        for message in messages:
            self.take(json.loads(message))

    def take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self.answers[message["id"]] = message
            return
        page = self.pages.get(message.get("sessionId", ""))
        if page is None:
            return
        told = message["params"]
        match message["method"]:
            case "Network.requestWillBeSent":
                page.requests.append(told["request"]["url"])
            case "Page.javascriptDialogOpening":
                page.dialogs.append(told["message"])
                self.send("Page.handleJavaScriptDialog", {"accept": True}, page.session)
            case "Runtime.exceptionThrown":
                page.errors.append(told["exceptionDetails"]["text"])
            case "Page.loadEventFired":
                self.loaded.add(page.session)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        os.close(self.read_end)
        os.close(self.write_end)
