"""The harmless changes that surround a fault, and the public timeline of everything that changed lately.

Real incidents come amid ordinary work. Every incident gets some commits of a pool that change no behaviour, before
and after the fault's own, and the same routine lines about releases, whatever the fault is.
"""

import random
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crashlab.model import Change, Truth
from crashlab.stack.base import Commit, Edit, Stack
from crashlab.workspace import GitWorkspace

LOOK_BACK = timedelta(days=10)


def pool(root: Path, workload: str) -> list[Commit]:
    """Harmless commits of a workload; their dates are set when they are used."""
    path = root / "training" / workload / "distractors.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8")).get("commit", [])
    return [
        Commit(
            message=entry["message"],
            author=entry["author"],
            when="",
            edits=tuple(Edit(e["path"], e["before"], e["after"]) for e in entry["edit"]),
        )
        for entry in found
    ]


def surround(commits: list[Commit], truth: Truth) -> tuple[list[Commit], list[Commit]]:
    """Draw harmless commits for before and after the fault's own, dated around the onset."""
    rng = random.Random(f"distractors:{truth.seed}")
    chosen = rng.sample(commits, min(4, len(commits)))
    before, after = chosen[:2], chosen[2:]
    dated_before = [
        _dated(c, truth.onset - timedelta(minutes=rng.randint(90 * (2 - i), 120 * (2 - i))))
        for i, c in enumerate(before)
    ]
    dated_after = [
        _dated(c, truth.onset - timedelta(minutes=rng.randint(3 + 5 * (1 - i), 6 + 6 * (1 - i))))
        for i, c in enumerate(after)
    ]
    return dated_before, dated_after


def _dated(change: Commit, when: datetime) -> Commit:
    return Commit(change.message, change.edits, change.author, when.astimezone(UTC).isoformat(), change.relock)


def public(stack: Stack, truth: Truth, routine: str) -> tuple[Change, ...]:
    """Commits of the last days, the routine release and the workload's routine line, oldest first."""
    changes = []
    if isinstance(stack.workspace, GitWorkspace):
        for entry in stack.workspace.log(30):
            at = datetime.fromisoformat(entry.when).astimezone(UTC)
            if at >= truth.onset - LOOK_BACK:
                changes.append(Change(at=at, kind="commit", summary=entry.subject, reference=entry.sha[:7]))
    onset = truth.onset
    changes.append(Change(at=onset, kind="alias", summary="Release job asserted the registry aliases."))
    changes.append(
        Change(at=onset + timedelta(minutes=1), kind="deploy", summary="Release job deployed the serving API.")
    )
    changes.append(Change(at=onset + timedelta(hours=1), kind="traffic", summary=routine))
    return tuple(sorted(changes, key=lambda change: change.at))
