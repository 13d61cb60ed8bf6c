"""The public timeline of an incident: everything that changed lately, harmless or not."""

from datetime import UTC, datetime, timedelta

from crashlab import distractors
from crashlab.model import Change, Truth
from crashlab.stack.base import Stack
from crashlab.workspace import GitWorkspace

LOOK_BACK = timedelta(days=10)


def public(stack: Stack, truth: Truth, routine: str, notice: str = "") -> tuple[Change, ...]:
    """Commits of the last days, the releases, and the lines that every incident of the workload has, oldest first."""
    changes = []
    if isinstance(stack.workspace, GitWorkspace):
        for entry in stack.workspace.log(30):
            at = datetime.fromisoformat(entry.when).astimezone(UTC)
            if at >= truth.onset - LOOK_BACK:
                changes.append(Change(at=at, kind="commit", summary=entry.subject, reference=entry.sha[:7]))
    for at in (truth.onset, *(at for at, _ in distractors.releases(truth))):
        changes.append(Change(at=at, kind="alias", summary="Release job asserted the registry aliases."))
        deployed = "Release job deployed the serving API."
        changes.append(Change(at=at + timedelta(minutes=1), kind="deploy", summary=deployed))
    changes.append(Change(at=truth.onset + timedelta(hours=1), kind="traffic", summary=routine))
    if notice:
        changes.append(Change(at=truth.onset + timedelta(minutes=5), kind="config", summary=notice))
    return tuple(sorted(changes, key=lambda change: change.at))
