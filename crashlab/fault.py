"""What a scenario's `fault.py` provides, and the fixes its `answers/fixes.py` tries.

A fault is two functions: `plan(rng) -> Truth`, which is pure, and `inject(stack, truth)`, which changes the system
the way real incidents do: a commit, a moved alias, a model version trained wrongly, changed traffic, changed limits.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crashlab.model import Ground, Truth
from crashlab.stack.base import Stack


class Fault(Protocol):
    """The module `scenarios/<name>/fault.py`."""

    def plan(self, rng: random.Random) -> Truth:
        """Draw target, numbers and onset. Pure: the same generator state gives the same truth."""
        ...

    def inject(self, stack: Stack, truth: Truth) -> None:
        """Put the fault into the stack's workspace, registry, traffic or limits. Deploys nothing.

        Nothing runs for certain yet: what needs the registry or a job calls `stack.up(["mlflow"])` first.
        """
        ...


class OwnTableFault(Protocol):
    """The module `scenarios/<name>/own_table.py`: the same fault on a workload of a person's own table."""

    REFERENCE: "Fix"
    DECOYS: "tuple[Fix, ...]"

    def plan_on(self, rng: random.Random, ground: Ground) -> Truth:
        """Draw among the changes that are felt on this table. Pure. Raises UsageError where there is none.

        The truth's `own_alerts` are the rules that fire.
        """
        ...

    def inject(self, stack: Stack, truth: Truth) -> None:
        """Put the fault into the stack, as `Fault.inject` does."""
        ...


@dataclass(frozen=True)
class Fix:
    """A remedy that `crashlab verify` tries: `apply` changes the system, which is then deployed if `deploys`.

    `why` says, for a learner, why a wrong remedy is wrong or why the right one is right.
    """

    name: str
    why: str
    apply: Callable[[Stack, Truth], None]
    deploys: bool = True
