"""What a start draws: a scenario where none was named, and a seed. In blind play, nothing that was just played.

Whoever has just had an incident would know it again, so a blind start without a seed draws another truth than the
learner's previous incident had, and another cause where one fits.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from crashlab import scenario, store
from crashlab.errors import CrashlabError
from crashlab.model import Ground, Truth
from crashlab.records import Paths, Record, Sealed
from crashlab.scenario import Scenario
from crashlab.settings import Settings

TRIES = 64
"""Seeds that are tried for another truth; a scenario with two truths repeats one in so many draws once in 2**64."""


class Played(NamedTuple):
    """An incident's truth, and how many weeks after the canonical calendar it lies."""

    truth: Truth
    weeks: int


def previous(settings: Settings) -> Played | None:
    """Return what the learner's latest incident was, open or over; None where there is none that can be read.

    One that is still starting is nobody's yet, and one on a borrowed stack belongs to a proof.
    """
    latest: tuple[Record, Paths] | None = None
    for path in settings.incidents.glob("*/incident.json"):
        with suppress(CrashlabError):
            record, paths = store.read(path, Record), Paths(settings.home, path.parent.name)
            played = record.phase != "starting" and not paths.system.is_symlink() and paths.truth.is_file()
            if played and (latest is None or record.created_at > latest[0].created_at):
                latest = record, paths
    if latest is None:
        return None
    with suppress(CrashlabError):
        return Played(store.read(latest[1].truth, Sealed).truth, latest[0].weeks)
    return None


def draw(
    found: Sequence[Scenario],
    choose: Callable[[Sequence[Scenario], int], Scenario],
    rng: random.Random,
    last: Played | None,
    ground: Ground | None = None,
) -> tuple[Scenario, int]:
    """Draw a seed, and one of the scenarios by `choose`, which is given those that may be drawn and the seed.

    Where `last` is given its truth is not drawn again, however its onset differs, and its cause is not where another one
    is there to choose. A scenario that has no other truth is drawn as it is.
    """
    for _ in range(TRIES):
        seed = rng.randrange(2**31)
        fresh = [item for item in found if last and scenario.plan(item.name, seed, ground).cause != last.truth.cause]
        chosen = choose(fresh or found, seed)
        if last is None or not repeats(scenario.plan(chosen.name, seed, ground), last):
            break
    return chosen, seed


def repeats(truth: Truth, last: Played) -> bool:
    """Whether a truth of the canonical calendar is the one that was played, seed, onset and calendar apart."""
    return truth.moved(last.weeks).essence == last.truth.essence
