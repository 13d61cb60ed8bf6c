"""Look-alikes as they run: no file's name, no line of a log and no line of the brief belongs to one of them alone."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crashlab.settings import Settings
from crashlab.stack.base import silent
from crashlab.stand import Stand, open_stand
from crashlab.starting import start
from tests.fast.test_distractors import ALIKE, SEEDS
from tests.fast.test_scenarios import drawn

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
KINDS = {"commit", "drift"}
"""What all of them draw, so that nothing else differs but the fault."""


@pytest.fixture(scope="module")
def stand(home: Path) -> Iterator[Stand]:
    with open_stand(Settings(root=ROOT, home=home), "embedded", "eta", silent) as made:
        yield made


def normal(text: str) -> str:
    """Return a text without what differs from one start to the next: hashes, names of incidents and numbers."""
    text = re.sub(r"\beta-[0-9a-f]{6}\b", "INCIDENT", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b", "HASH", text)
    return re.sub(r"\d+", "N", text)


def public(stand: Stand, name: str) -> dict[str, Any]:
    """Start a look-alike and return what a learner meets before measuring anything."""
    seed = next(seed for seed in SEEDS if {item.kind for item in drawn(name, seed).distractors} == KINDS)
    one = start(stand.settings, name, blind=True, seed=seed, runtime="embedded", system=stand.system, weeks=stand.weeks)
    try:
        roots = (one.paths.root, stand.system)
        files = {
            normal(str(path.relative_to(root)))
            for root in roots
            for path in root.rglob("*")
            if ".git" not in path.parts and "__pycache__" not in path.parts
        }
        logs = {
            service: {normal(line) for line in stand.stack.logs(service, 4000).splitlines()}
            for service in ("serving", "mlflow")
        }
        brief = one.brief
        return {
            "title": brief.title,
            "alerts": {alert.rule for alert in brief.alerts} - {"latency"},
            "changes": Counter(change.kind for change in brief.timeline),
            "files": files,
            **logs,
        }
    finally:
        shutil.rmtree(one.paths.root)
        shutil.rmtree(one.paths.sealed)
        stand.reset(silent)


def test_nothing_that_is_there_without_measuring_tells_look_alikes_apart(stand: Stand) -> None:
    seen = {name: public(stand, name) for name in ALIKE}
    first = seen[ALIKE[0]]
    for name, shown in seen.items():
        for what, value in shown.items():
            more, less = set(value) - set(first[what]), set(first[what]) - set(value)
            assert value == first[what], (name, what, sorted(more)[:5], sorted(less)[:5])
