"""Reading a post-mortem: its size, its front matter and its body, with every complaint in one sentence."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from grader import ids
from grader.ids import offered, slug

SIZE_LIMIT = 1_000_000
"""Bytes of UTF-8; a thorough post-mortem has some 20,000."""
DEPTH_LIMIT = 4
"""Levels of nesting in the front matter, which needs two."""
NODE_LIMIT = 300
"""YAML nodes in the front matter: every cause once in both lists, and room."""
HEAD_LIMIT = 30_000
"""Characters of the front matter; every cause in both lists has some 3,000."""
VALUE_LIMIT = 300
"""Characters of one value in the front matter."""
_SHOWN = 6
EMPTY = frozenset(("", "null", "~", "tbd", "todo", "?", "-"))
"""What stands for nothing in the front matter."""


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

    @field_validator("cause", "component", "object", mode="before")
    @classmethod
    def _single(cls, value: Any) -> Any:
        # `cause: [unit-mismatch]` names one cause.
        return value[0] if isinstance(value, list) and len(value) == 1 else value

    @field_validator("contributing", "ruled_out", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        if value is None or value == "":
            return ()
        return (value,) if isinstance(value, str) else value

    @field_validator("object")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > VALUE_LIMIT:
            raise ValueError(f"is longer than {VALUE_LIMIT} characters")
        return value.strip()


class Postmortem(BaseModel):
    """A post-mortem as read: the claim with ids of the taxonomy, the body as written, and what was made of the front matter.

    `questions` are ids that may mean several things or nothing, each in a sentence with what may be meant; the claim has none
    in their place. `notes` are what was passed over.
    """

    model_config = ConfigDict(frozen=True)

    claim: Claim
    body: str
    questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _understood(claim: Claim) -> tuple[Claim, list[str], list[str]]:
    """Put the taxonomy's ids in place of what was written. Returns what has to be asked, and what is only noted."""
    questions: list[str] = []
    notes: list[str] = []

    def known(written: str, kind: str) -> str:
        found = ids.cause(written) if kind == "cause" else ids.component(written)
        if not found.id and slug(written) not in EMPTY:
            hint = f"; did you mean {offered(found)}?" if found.near else ""
            questions.append(f"{written.strip()[:60]!r} is not a {kind} of the taxonomy{hint or '.'}")
        return found.id

    ruled_out: list[str] = []
    cause = known(claim.cause, "cause")
    for written in claim.ruled_out:
        found = ids.cause(written)
        if found.several and not found.id:
            notes.append(f"{written.strip()[:60]!r} under ruled_out was read as {offered(found)}.")
            ruled_out += [each for each in found.near if each != cause]
        elif not found.id and slug(written) not in EMPTY:
            notes.append(f"{written.strip()[:60]!r} under ruled_out is not a cause of the taxonomy; it costs nothing.")
        ruled_out += [found.id] if found.id else []
    contributing = [known(each, "cause") for each in claim.contributing]
    understood = Claim(
        cause=cause,
        contributing=tuple(dict.fromkeys(each for each in contributing if each)),
        component=known(claim.component, "component"),
        object="" if slug(claim.object) in EMPTY else claim.object,
        ruled_out=tuple(dict.fromkeys(each for each in ruled_out if each)),
    )
    return understood, questions, notes


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
    more = [str(key) for key in data if key not in Claim.model_fields]
    try:
        claim = Claim.model_validate({key: value for key, value in data.items() if key in Claim.model_fields})
    except ValidationError as error:
        raise Malformed(f"The front matter is not valid: {_complaints(error)}.") from error
    understood, questions, notes = _understood(claim)
    if more:
        shown = ", ".join(key[:40] for key in more[:_SHOWN])
        notes.append(f"Keys of the front matter that say nothing here: {shown}.")
    return Postmortem(claim=understood, body=body, questions=tuple(questions), notes=tuple(notes))


def _complaints(error: ValidationError) -> str:
    said: list[str] = []
    for each in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in each["loc"][:2])[:60]
        said.append(f"{where}: {each['msg'].removeprefix('Value error, ').rstrip('.')}")
    more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def load_yaml(head: str) -> object:
    """Load YAML without anchors, aliases, tags and deep nesting. Raises Malformed.

    The events are checked before anything is built, so that an expanding document never expands.
    """
    import yaml

    if len(head) > HEAD_LIMIT:
        raise Malformed(f"The front matter has {len(head):,} characters, and the limit is {HEAD_LIMIT:,}.")
    depth = nodes = 0
    try:
        for event in yaml.parse(head, Loader=yaml.BaseLoader):
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
        # Every value stays the text that was written, until somebody needs it as something else: `1:30` is no number of base
        # 60, `yes` no truth value, and a number may have any length.
        return yaml.load(head, Loader=_unique_keys(yaml.BaseLoader))  # noqa: S506 - BaseLoader makes text alone
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        problem = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
        raise Malformed(f"The front matter is not valid YAML{where}: {problem[:200]}.") from error
    except (RecursionError, ValueError, OverflowError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed("The front matter holds a value that cannot be read.") from error


def _unique_keys(base: type) -> type:
    import yaml

    def mapping(loader: yaml.BaseLoader, node: yaml.Node) -> dict[str, Any]:
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
