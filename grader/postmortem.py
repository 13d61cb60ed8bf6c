"""Reading a post-mortem: its size, its front matter and its body, with every complaint in one sentence."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from grader.causes import load

SIZE_LIMIT = 1_000_000
"""Bytes of UTF-8; a thorough post-mortem has some 20,000."""
DEPTH_LIMIT = 4
"""Levels of nesting in the front matter, which needs two."""
NODE_LIMIT = 300
"""YAML nodes in the front matter: every cause once in both lists, and room."""
VALUE_LIMIT = 300
"""Characters of one value in the front matter."""
_SHOWN = 6


class Malformed(ValueError):
    """The post-mortem cannot be graded. The message is one sentence that says why."""


class Claim(BaseModel):
    """The structured claim of the front matter. Empty strings stand for what was left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    cause: str = ""
    contributing: tuple[str, ...] = ()
    component: str = ""
    object: str = ""
    ruled_out: tuple[str, ...] = ()

    @field_validator("cause", "component", "object", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("contributing", "ruled_out", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        if value is None or value == "":
            return ()
        return (value,) if isinstance(value, str) else value

    @field_validator("cause")
    @classmethod
    def _known_cause(cls, value: str) -> str:
        return _known(value, load().accepted, "cause")

    @field_validator("component")
    @classmethod
    def _known_component(cls, value: str) -> str:
        return _known(value, {name: name for name in load().component_ids}, "component")

    @field_validator("object")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > VALUE_LIMIT:
            raise ValueError(f"is longer than {VALUE_LIMIT} characters")
        return value.strip()

    @field_validator("contributing", "ruled_out")
    @classmethod
    def _known_causes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [_known(each, load().accepted, "cause") for each in value]
        return tuple(dict.fromkeys(each for each in known if each))


class Postmortem(BaseModel):
    """A post-mortem as read: the claim, and the body as written."""

    model_config = ConfigDict(frozen=True)

    claim: Claim
    body: str


def slug(text: str) -> str:
    """Write an id the way the taxonomy does: lower case, words joined by hyphens."""
    return "-".join(text.strip().lower().replace("_", " ").replace("-", " ").split())


def _known(value: str, known: Mapping[str, str], kind: str) -> str:
    wanted = slug(value)
    if not wanted or wanted in known:
        return known.get(wanted, "")
    from rapidfuzz import process

    near = process.extractOne(wanted[:VALUE_LIMIT], sorted(set(known.values())), score_cutoff=70)
    hint = f", did you mean {near[0]}?" if near else ""
    raise ValueError(f"{value[:60]!r} is not a {kind} of the taxonomy{hint}")


def split(text: str) -> tuple[str, str]:
    """Split a text into front matter and body. Raises Malformed where the front matter is missing or not closed."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.lstrip("\n").split("\n")
    if lines[0].rstrip() != "---":
        raise Malformed("The post-mortem does not start with front matter between two lines of three hyphens.")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    raise Malformed("The front matter is not closed by a line of three hyphens.")


def parse_text(text: str) -> Postmortem:
    """Read a post-mortem. Raises Malformed with the reason; nothing else, whatever the text."""
    size = len(text.encode("utf-8", "replace"))
    if size > SIZE_LIMIT:
        raise Malformed(f"The post-mortem has {size:,} bytes, and the limit is {SIZE_LIMIT:,}.")
    head, body = split(text)
    data = load_yaml(head)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise Malformed("The front matter is not a list of keys and values.")
    try:
        claim = Claim.model_validate({str(key): value for key, value in data.items()})
    except ValidationError as error:
        raise Malformed(f"The front matter is not valid: {_complaints(error)}.") from error
    return Postmortem(claim=claim, body=body)


def _complaints(error: ValidationError) -> str:
    said: list[str] = []
    for each in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in each["loc"][:2])[:60]
        what = "there is no such key" if each["type"] == "extra_forbidden" else each["msg"]
        said.append(f"{where}: {what.removeprefix('Value error, ').rstrip('.')}")
    more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def load_yaml(head: str) -> object:
    """Load YAML without anchors, aliases, tags and deep nesting. Raises Malformed.

    The events are checked before anything is built, so that an expanding document never expands.
    """
    import yaml

    depth = nodes = 0
    try:
        for event in yaml.parse(head, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Malformed("The front matter uses YAML anchors or aliases, which are not accepted.")
            if isinstance(event, yaml.NodeEvent):
                nodes += 1
                if getattr(event, "tag", None):
                    raise Malformed("The front matter uses YAML tags, which are not accepted.")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_LIMIT or nodes > NODE_LIMIT:
                raise Malformed("The front matter is nested too deeply or too long.")
        return yaml.load(head, Loader=_unique_keys(yaml.SafeLoader))  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        problem = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
        raise Malformed(f"The front matter is not valid YAML{where}: {problem[:200]}.") from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed("The front matter holds a value that cannot be read.") from error


def _unique_keys(base: type) -> type:
    import yaml

    def mapping(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise Malformed("The front matter has a key that is not a word.")
            if key in found:
                raise Malformed(f"The front matter has the key {key[:60]!r} twice.")
            found[key] = loader.construct_object(value_node, deep=True)
        return found

    loader = type("UniqueKeys", (base,), {})
    yaml.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping, Loader=loader)
    return loader
