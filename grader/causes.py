"""The public taxonomy: causes, the components they sit in, their families, and how far apart two causes are."""

import tomllib
from functools import cache, cached_property

from crashlab.model import Frozen, Identifier
from grader import resources


class Component(Frozen):
    """A part of the system. `names` are words by which prose refers to it."""

    id: Identifier
    title: str
    names: tuple[str, ...]


class Family(Frozen):
    """A group of causes that are one hop from each other."""

    id: Identifier
    title: str


class Cause(Frozen):
    """One cause. `also` are other ids accepted for it; `phrases` name it in prose; `precise` is its term, `imprecise` those often used in its place."""

    id: Identifier
    also: tuple[str, ...] = ()
    family: Identifier
    title: str
    definition: str
    components: tuple[Identifier, ...]
    neighbours: tuple[Identifier, ...]
    phrases: tuple[str, ...]
    precise: str
    imprecise: tuple[str, ...]
    sources: tuple[str, ...]


class Confusion(Frozen):
    """Causes that look alike, and the one test that decides between them."""

    causes: tuple[Identifier, ...]
    test: str


class Everyday(Frozen):
    """Words that people use for an id, and the causes that they may mean."""

    names: tuple[Identifier, ...]
    causes: tuple[Identifier, ...]


class Taxonomy(Frozen):
    """The closed list that a post-mortem chooses its cause and component from."""

    components: tuple[Component, ...]
    families: tuple[Family, ...]
    causes: tuple[Cause, ...]
    confusions: tuple[Confusion, ...] = ()
    everyday: tuple[Everyday, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Cause]:
        """Causes by id."""
        return {cause.id: cause for cause in self.causes}

    @cached_property
    def accepted(self) -> dict[str, str]:
        """Every accepted id with the id that it stands for."""
        return {name: cause.id for cause in self.causes for name in (cause.id, *cause.also)}

    @cached_property
    def component_ids(self) -> frozenset[str]:
        """Ids of all components."""
        return frozenset(component.id for component in self.components)

    def deciding_test(self, cause: str) -> str:
        """Return the test that tells a cause from those that it is often confused with; empty where none is known."""
        return next((each.test for each in self.confusions if cause in each.causes), "")

    def hops(self, left: str, right: str) -> int:
        """Distance of two causes: 0 the same, 1 neighbours (in either direction) or one family, 2 otherwise."""
        left, right = self.accepted.get(left, left), self.accepted.get(right, right)
        if left == right:
            return 0
        one, other = self.by_id.get(left), self.by_id.get(right)
        if one is None or other is None:
            return 2
        near = one.family == other.family or other.id in one.neighbours or one.id in other.neighbours
        return 1 if near else 2


@cache
def load() -> Taxonomy:
    """Read the taxonomy that ships with the grader."""
    text = resources.read("taxonomy.toml")
    return Taxonomy.model_validate(tomllib.loads(text))
