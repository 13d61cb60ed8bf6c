"""Post-mortems by people who knew neither the grader's rules nor the taxonomy's phrases, with the labels of others.

A batch is a text file: every account behind a line `=== scenario | kind | voice`, and beside it `<batch>.labels.jsonl`, a label
for each account in order. Batches whose name begins with `tuning` were looked at while the grader was made and say nothing of how
good it is; every other batch was measured once, before anybody opened it, and is then kept as it was found. `incidents` has what
each scenario showed, so that the texts are held to real facts; the system counts as repaired, so that the text alone decides.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crashlab import embedding
from crashlab.model import Bundle, Evidence, Shown
from grader import template
from tests.fast import grader_fixtures as fixtures

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Label:
    """What a reader who knew the incident gives, and whether it passes with a working fix."""

    asserts: bool
    passes: bool
    points: float
    why: str = ""


@dataclass(frozen=True)
class Account:
    """One post-mortem, with its label where it has one."""

    batch: str
    number: int
    scenario: str
    kind: str
    voice: str
    text: str
    label: Label | None

    @property
    def name(self) -> str:
        """Name for a list of what was missed."""
        return f"{self.batch} {self.number}: {self.scenario}, {self.kind}, {self.voice}"

    def bundle(self, *, second_reader: bool = True) -> Bundle:
        """Return the frozen bundle of a repaired system with this text."""
        return bundle(self.scenario, self.text, second_reader=second_reader)


@cache
def shown(scenario: str) -> Shown:
    """Return what a scenario showed."""
    return Shown.model_validate_json((FOLDER / "incidents" / f"{scenario}.json").read_text(encoding="utf-8"))


@cache
def _vectors(text: str) -> dict[str, str]:
    return embedding.of(text)


def bundle(scenario: str, text: str, *, second_reader: bool = True) -> Bundle:
    """Return the frozen bundle of a repaired system of a scenario with a text."""
    found = shown(scenario)
    onset = found.truth.onset
    healthy = Evidence(phase="healthy", taken_at=onset, facts=found.healthy)
    broken = Evidence(phase="broken", taken_at=onset, facts=found.broken)
    after = (healthy if found.truth.needs_change else broken).model_copy(update={"phase": "after"})
    made = fixtures.bundle("false-alarm", text)
    return made.model_copy(
        update={
            "truth": found.truth, "brief": found.brief, "template": template(found.brief), "healthy": healthy, "broken": broken,
            "after": after, "probe": fixtures.probe(), "vectors": _vectors(text) if second_reader else {},
        }
    )  # fmt: skip


def batches() -> list[str]:
    """Return the names of all batches."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def load(batch: str) -> list[Account]:
    """Return the accounts of a batch, in order."""
    text = (FOLDER / f"{batch}.txt").read_text(encoding="utf-8")
    path = FOLDER / f"{batch}.labels.jsonl"
    labels: list[Label | None] = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            labels.append(Label(said["asserts"], said["passes"], said["points"], said.get("why", "")))
    parts = text.split("\n=== ") if not text.startswith("=== ") else ("\n" + text).split("\n=== ")
    found = []
    for number, part in enumerate(parts[1:]):
        head, _, body = part.partition("\n")
        scenario, kind, voice = (word.strip() for word in head.split("|"))
        label = labels[number] if number < len(labels) else None
        found.append(Account(batch, number + 1, scenario, kind, voice, body.strip() + "\n", label))
    return found


def kappa(pairs: Sequence[tuple[float, float]]) -> float:
    """Quadratic weighted kappa of two scores in bands of ten points (Cohen, 1968)."""
    from tests.grader.bench import band
    from tests.grader.bench import kappa as weighted

    return weighted([band(one) for one, _ in pairs], [band(other) for _, other in pairs])
