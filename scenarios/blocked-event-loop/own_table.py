"""The same on a person's own table: the handler is one for all workloads."""

import importlib
import random

from crashlab.fault import Fix
from crashlab.model import Ground, Truth
from crashlab.stack.base import Stack
from scenarios import kit, kit_table

fault = importlib.import_module("scenarios.blocked-event-loop.fault")
fixes = importlib.import_module("scenarios.blocked-event-loop.answers.fixes")


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw what is waited for, as for any workload; a table's night has no requests, and its days few."""
    found: Truth = fault.plan(rng)
    return found.model_copy(
        update={
            "workload": ground.workload,
            "onset": kit_table.onset(rng),
            "supporting": tuple(name.replace("quality mae", f"quality {ground.metric}") for name in found.supporting),
            "own_alerts": ("latency",),
        }
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the handler."""
    chosen = fault.chosen(truth)
    message = {"flush": chosen.message, "pause": "API: be kind to the disk"}[str(truth.parameters["kind"])]
    stack.workspace.commit(kit.change(truth, message, *chosen.edits))


REFERENCE: Fix = fixes.REFERENCE
DECOYS: tuple[Fix, ...] = fixes.DECOYS
