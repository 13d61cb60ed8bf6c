"""The tutorial is played as its reader would, and every output is held to what it shows.

    python -m tests.thorough.test_tutorial

writes what is printed now into the page. Read the prose again afterwards: it speaks of the numbers.
"""

import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT, Shell

pytestmark = pytest.mark.thorough
PAGE = ROOT / "docs" / "tutorial" / "first-incident.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HASH = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7}\b")
LONG_DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d\b")
ISO_DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)")
FORMS = (
    (r"\b[0-9a-f]{64}\b", "SEAL"),
    (r"\b[0-9a-f]{32}\b", "NONCE"),
    (r"\beta-[0-9a-f]{6}\b", "INCIDENT"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\b\d+ ms \(healthy \d+ ms\)|\b\d+ ms \(\d+ ms\)", "LATENCY"),
    (r"Date: .*", "DATE"),
    (LONG_DATE.pattern, "DATE"),
    (ISO_DATE.pattern, "DATE"),
    (r"\b\d{1,2} [A-Z][a-z]{2}\b", "DATE"),
    (r"[│╭╮╰╯─━]+", " "),
)
"""What differs from one incident of a seed to another, and how wide its table is for that."""


@dataclass
class Reader:
    """Types what the page says, in one state folder."""

    shell: Shell
    folder: Path = ROOT
    hashes: dict[str, str] = field(default_factory=dict)
    """Commits of this incident by those of the page's."""
    later: timedelta = timedelta()
    """How much later this incident is than the page's."""

    def now(self, text: str) -> str:
        """Return a text of the page with the commits and days of this incident."""
        text = HASH.sub(lambda found: self.hashes.get(found[0], found[0]), text)
        return ISO_DATE.sub(lambda found: (date.fromisoformat(found[0]) + self.later).isoformat(), text)

    def types(self, command: str, shown: str) -> str:
        """Run a command where the last one left off; returns what it printed. `shown` is what the page shows for it."""
        with tempfile.NamedTemporaryFile("r") as left:
            done = subprocess.run(
                ["bash", "-c", f'{self.now(command)}\ncode=$?; pwd >"{left.name}"; exit $code'],
                cwd=self.folder,
                env=self.shell.env | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            self.folder = Path(left.read().strip())
        printed = done.stdout.replace(str(self.shell.home), "…/.crashlab")
        was, now = LONG_DATE.search(shown), LONG_DATE.search(printed)
        if was and now and not self.later:
            self.later = day(now[0]) - day(was[0])
        known, found = HASH.findall(shown), HASH.findall(printed)
        if len(known) == len(found):
            self.hashes |= {old: new for old, new in zip(known, found, strict=True) if old not in self.hashes}
        return printed

    def writes(self, text: str) -> None:
        """Fill in the post-mortem."""
        path = self.types("crashlab open post-mortem", "").strip().replace("…/.crashlab", str(self.shell.home))
        Path(path).write_text(self.now(text), encoding="utf-8")


def day(said: str) -> date:
    """The day of a date like 5 September 2026."""
    return datetime.strptime(said, "%d %B %Y").date()  # noqa: DTZ007 a day has no time zone


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block, each with the output that follows it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def form(text: str) -> list[tuple[str, list[float]]]:
    """Lines of an output without what differs from one incident to another, each with the numbers in it.

    Traffic trickles on while somebody reads, so that numbers are near the page's, and rows of a table may change places.
    """
    for pattern, name in FORMS:
        text = re.sub(pattern, name, text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return sorted((NUMBER.sub("N", line), [float(found) for found in NUMBER.findall(line)]) for line in lines if line)


def same(one: str, other: str) -> bool:
    """Whether two outputs say the same."""
    left, right = form(one), form(other)
    near = (
        math.isclose(a, b, rel_tol=0.15, abs_tol=0.05)
        for (_, mine), (_, yours) in zip(left, right, strict=False)
        for a, b in zip(mine, yours, strict=False)
    )
    return [line for line, _ in left] == [line for line, _ in right] and all(near)


def play(page: str, reader: Reader) -> Iterator[tuple[str, str, str]]:
    """Follow the page from top to bottom; yields each command, what the page shows for it, and what it printed."""
    for language, block in BLOCK.findall(page):
        if language == "markdown":
            reader.writes(block)
        for command, shown in steps(block):
            yield command, shown, reader.types(command, shown)


def test_every_output_of_the_tutorial_is_printed(crashlab: Shell) -> None:
    reader = Reader(crashlab)
    for command, shown, printed in play(PAGE.read_text(encoding="utf-8"), reader):
        assert same(printed, reader.now(shown)), f"$ {command}\n{printed}"


def main() -> None:
    """Write what is printed now into the page."""
    page = PAGE.read_text(encoding="utf-8")
    reader = Reader(Shell(Path(os.environ["CRASHLAB_HOME"]).resolve()))
    played = list(play(page, reader))
    new = reader.now(page)
    for command, shown, printed in played:
        line = f"$ {reader.now(command)}\n"
        kept = "".join(f"{each.rstrip()}\n" for each in printed.splitlines())
        new = new.replace(line + reader.now(shown), line + kept, 1)
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
