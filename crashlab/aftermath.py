"""What comes after a repair: the next promotion, and the next run of the training job.

A repair that is right today can be undone by what happens every week. An incident's truth says what its repair has to
outlast; here that happens once, on the learner's own stack, which is then put back.
"""

import json
from collections.abc import Sequence
from typing import Any

from crashlab import hidden
from crashlab.errors import StackError
from crashlab.hidden import HiddenRow, HiddenSet
from crashlab.model import Probe
from crashlab.quality import METRICS
from crashlab.stack.base import Report, Stack, restart, silent
from crashlab.workload import Workload
from grader.repair import good, same

ONCE_SERVED = ("approved", "superseded")
"""What the tag `promotion` says of versions that were in production."""


def outlasted(
    stack: Stack, workload: Workload, chosen: HiddenSet, found: Probe, outlasts: Sequence[str], report: Report = silent
) -> Probe:
    """Return the probe with what came of each of `outlasts`, see `Truth`.

    Nothing is tried on a system that fails already: an answer was wrong, or what serves is not what was promoted and
    approved, or it is worse than a healthy one.
    """
    approved = found.served_version == found.alias_version and found.alias_version in found.approved_versions
    if found.failure or not approved or not all(map(same, found.rows)) or not good(found, found.mae):
        return found
    changes: dict[str, Any] = {}
    if "promotion" in outlasts:
        report("promoting another version, and back")
        with hidden.unlogged(stack, workload, chosen):
            changes["follows_promotion"] = follows_promotion(stack, workload, chosen.rows[: hidden.SOME], found)
    if "training" in outlasts:
        report("rehearsing the next training")
        changes |= rehearsed(stack, workload, chosen.rows)
    return found.model_copy(update=changes)


def follows_promotion(stack: Stack, workload: Workload, rows: Sequence[HiddenRow], found: Probe) -> bool | None:
    """Promote another version, start the service anew and see whether that version answers; then put everything back.

    The other version is one that was in production, where there is one. None where no version answers otherwise.
    """
    registry, today = stack.registry, {row.key: row.expected for row in found.rows}
    versions = registry.versions()
    once = {version: tags.get("promotion") in ONCE_SERVED for version, tags in versions.items()}
    for version in sorted(set(versions) - {found.served_version}, key=lambda v: (once[v], v), reverse=True):
        want = hidden.score_with(stack, version, rows)
        alike = sum(hidden.agrees(today.get(str(row.order[workload.entity])), row.prediction) for row in want)
        if alike < len(want) / 2:
            break
    else:
        return None
    try:
        registry.move_alias("champion", version)
        restart(stack, "serving")
        answers = hidden.predict_batch(stack, workload, want)
        return all(hidden.as_expected(answer, row) for answer, row in zip(answers, want, strict=True))
    except StackError:
        return False
    finally:
        if found.alias_version is not None:
            registry.move_alias("champion", found.alias_version)
        restart(stack, "serving")


def rehearsed(stack: Stack, workload: Workload, rows: Sequence[HiddenRow]) -> dict[str, Any]:
    """Let the workspace's training job make a version that nobody registers, and hold it to the hidden requests."""
    text = "".join(json.dumps(row.order) + "\n" for row in rows)
    try:
        answers = [float(line) for line in hidden.told(stack, ["rehearse"], text).splitlines() if line.strip()]
    except StackError:
        return {"rehearsal_failed": True}
    pairs = [(answer, row.actual) for answer, row in zip(answers, rows, strict=True)]
    return {"rehearsal_mae": METRICS[workload.quality.metric](pairs)}
