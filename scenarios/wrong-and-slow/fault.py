"""Two faults that arrive with one release: a feature has another unit, and the handler blocks the event loop."""

import random

from crashlab.model import Truth
from crashlab.stack.base import Stack
from scenarios import kit

PARTS = ("unit-mismatch", "blocked-event-loop")


def plan(rng: random.Random) -> Truth:
    """Draw both faults and their onset."""
    truth = kit.compose("wrong-and-slow", rng, PARTS, 32, 38)
    # One cause behind both symptoms is the look-alike that this incident is about.
    alike = dict.fromkeys(("feature-library-version-mismatch", *truth.look_alikes))
    return truth.model_copy(update={"look_alikes": tuple(alike)})


def inject(stack: Stack, truth: Truth) -> None:
    """Commit both changes."""
    kit.inject_both(stack, truth, PARTS)
