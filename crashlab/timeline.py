"""The public timeline of an incident: everything that changed lately, harmless or not."""

from datetime import UTC, datetime, timedelta

from crashlab.model import Change, Truth
from crashlab.stack.base import Stack
from crashlab.workspace import GitWorkspace

LOOK_BACK = timedelta(days=10)


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
