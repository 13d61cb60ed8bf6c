"""What an id in the front matter means: one of the taxonomy, another name for it, an everyday word for several, or a slip.

People who know what is wrong do not know our ids by heart. What can mean one thing only is taken for it, and what can mean several is
answered with them before anything is done with the submission.
"""

from dataclasses import dataclass
from functools import lru_cache

from grader.causes import load

NEAR = 70.0
"""Least similarity, of 100, at which an id is taken for what somebody may have meant."""
SURE = 90.0
"""Similarity from which on a longer id is a misspelling."""
LONG = 8
SHOWN = 3
"""Ids that are offered at most."""
LONGEST = 80
"""Letters of a word that is compared; the longest id has half as many."""


@dataclass(frozen=True)
class Meant:
    """What a written id stands for: `id`, empty where it may be several or none; and `near`, what may be meant.

    `several` says that it is a word for all of those, and no slip for one of them.
    """

    id: str
    near: tuple[str, ...] = ()
    several: bool = False


def slug(text: str) -> str:
    """Write an id the way the taxonomy does: lower case, words joined by hyphens."""
    return "-".join(text.strip().lower().replace("_", " ").replace("-", " ").replace("/", " ").split())


@lru_cache(maxsize=4096)
def cause(written: str) -> Meant:
    """Say which cause an id means."""
    known = load()
    wanted = slug(written)[:LONGEST]
    if not wanted:
        return Meant("")
    if wanted in known.accepted:
        return Meant(known.accepted[wanted])
    for word in known.everyday:
        if wanted in word.names:
            return Meant(word.causes[0] if len(word.causes) == 1 else "", word.causes, several=True)
    named = {slug(name): each.id for each in known.causes for name in (each.title, each.precise)}
    if wanted in named:
        return Meant(named[wanted])
    family = next((each.id for each in known.families if wanted in (each.id, slug(each.title))), "")
    if family:
        return Meant("", tuple(each.id for each in known.causes if each.family == family), several=True)
    return _near(wanted, known.accepted | named | {n: word.causes[0] for word in known.everyday for n in word.names})


@lru_cache(maxsize=1024)
def component(written: str) -> Meant:
    """Say which component an id means."""
    known = load()
    wanted = slug(written)[:LONGEST]
    if not wanted or wanted in known.component_ids:
        return Meant(wanted)
    # A name that several components have, such as `serving`, means none of them for sure.
    named = [each.id for each in known.components if wanted in (slug(each.title), *map(slug, each.names))]
    if named:
        return Meant(named[0] if len(named) == 1 else "", tuple(named), several=True)
    return _near(wanted, {name: name for name in known.component_ids})


def _near(wanted: str, names: dict[str, str]) -> Meant:
    from rapidfuzz import fuzz, process

    found = process.extract(wanted, sorted(names), scorer=fuzz.WRatio, score_cutoff=NEAR, limit=4 * SHOWN)
    near = tuple(dict.fromkeys(names[name] for name, _, _ in found))[:SHOWN]
    slips = {names[name] for name, _, _ in found if len(wanted) >= LONG and fuzz.ratio(wanted, name) >= SURE}
    return Meant(slips.pop() if len(slips) == 1 else "", near)


def offered(meant: Meant) -> str:
    """Say what may be meant, for the end of a sentence; empty where nothing is near."""
    if not meant.near:
        return ""
    shown = ", ".join(meant.near[:SHOWN])
    return f"{shown} or {len(meant.near) - SHOWN} more" if len(meant.near) > SHOWN else shown
