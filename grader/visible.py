"""What a person sees of a post-mortem: its Markdown is rendered, and the page is read as a browser would show it.

HTML inside Markdown can hide words in attributes, comments, declarations and elements that are never painted, and a pattern that
looks for one way of hiding misses the next. So the text is rendered by a Markdown library and parsed by an HTML5 parser, and
only text that would be painted is kept. Styles are read by what they may do: an element whose style sets anything
beyond a few harmless properties may be anywhere, or nowhere, on the page, and is not read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

Kind = Literal["prose", "item", "cell", "quote", "code", "heading"]

NESTING = 20
"""Levels of Markdown that are rendered; deeper ones are plain text."""
DEEPEST = 400
"""Levels of HTML that are read; nobody writes a report that deep."""
_UNPAINTED = frozenset(
    (
        "script", "style", "template", "noscript", "head", "title", "svg", "math", "iframe", "object", "embed", "select", "textarea",
        "datalist", "audio", "video", "canvas", "map", "input", "button", "meter", "progress", "frameset", "noframes", "rp", "-comment",
        "img", "picture", "link", "meta", "base", "del", "s", "strike",
    )
)  # fmt: skip
"""Elements whose content is not painted, or is painted as taken back."""
_BLOCKS = frozenset(
    (
        "p", "div", "section", "article", "main", "header", "footer", "aside", "nav", "figure", "figcaption", "address", "details", "summary",
        "dl", "dt", "dd", "ul", "ol", "li", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "blockquote", "pre", "center", "form",
        "fieldset", "legend", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "html", "body",
    )
)  # fmt: skip
_HARMLESS = frozenset(("text-align", "font-weight", "font-style", "font-family", "text-transform", "list-style-type"))
"""Style properties that can hide nothing."""
_INLINE = (
    # A citation with one word behind a colon would be the definition of a link.
    (
        re.compile(
            r"^((?:[-*+] )? {0,3}\[[^\[\]\n]{1,200}=[^\[\]\n]{1,100}\]):(?=[ \t]*[^\s\"'(<]{1,60}[ \t]*$)", re.MULTILINE
        ),
        r"\1 :",
    ),
    (re.compile(r"!\[[^\[\]\n]{0,300}\]\([^()\n]{0,300}\)"), " "),
    (re.compile(r"(?<!~)~~[^~\n]{1,600}~~(?!~)"), " "),
    (re.compile(r"\[((?![^\[\]\n]{1,300}=)[^\[\]\n]{1,300})\]\([^()\n]{0,300}\)"), r"\1"),
    (re.compile(r"(\[[^\[\]\n]{1,200}=[^\[\]\n]{1,100}\])\([^()\n]{0,300}\)"), r"\1"),
)
"""Pictures, of which nothing is read, text that is struck out, and links, of which the text is; a linked citation stays one."""
_CITED = re.compile(r"[a-z]+ [^\[\]]{1,200}=[^\[\]=]{1,80}")


@dataclass(frozen=True)
class Block:
    """A run of visible text that stands by itself, `lines` as its author broke them, `level` for headings and lists."""

    text: str
    kind: Kind
    level: int = 0


def blocks(text: str) -> list[Block]:
    """Return the visible blocks of a Markdown text in order. Never raises, and is linear in the text."""
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(_rendered(text)).body
    return list(_Walk().blocks(body)) if body is not None else []


def _rendered(text: str) -> str:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": NESTING}).enable("table")
    # Emphasis and links are taken out below: as the library reads them, a heap of brackets or stars takes time that grows with
    # its square.
    parser.disable(["emphasis", "link", "image"])
    for pattern, instead in _INLINE:
        text = pattern.sub(instead, text)
    return str(parser.render(text))


def _hidden(node: "LexborNode") -> bool:
    given = node.attributes
    if "hidden" in given or (given.get("aria-hidden") or "").strip().lower() == "true":
        return True
    if node.tag == "dialog" and "open" not in given:
        return True
    for name, value in given.items():
        if name == "style" and any(
            rule.partition(":")[0].strip().lower() not in _HARMLESS for rule in (value or "").split(";") if rule.strip()
        ):
            return True
    return False


class _Walk:
    """Walks a page in reading order without recursion, since a page may be nested as deeply as its author likes."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.kind: Kind = "prose"
        self.level = 0

    def blocks(self, body: "LexborNode") -> Iterator[Block]:
        steps: list[tuple[LexborNode | None, tuple[str, ...]]] = [(body, ())]
        while steps:
            node, inside = steps.pop()
            if node is None:
                yield from self._flush()
                continue
            tag = node.tag or ""
            if tag == "-text":
                self._say(node.text_content or "", inside)
                continue
            if tag.startswith(("-", "!")) or tag in _UNPAINTED or len(inside) > DEEPEST or _hidden(node):
                continue
            if tag == "br":
                self.words.append("\n")
                continue
            within = (*inside, tag)[-DEEPEST - 1 :]
            if tag in _BLOCKS:
                yield from self._flush()
                self.kind, self.level = _kind(within)
                # What follows a block belongs to what is around it.
                steps.append((None, inside))
            children: list[tuple[LexborNode | None, tuple[str, ...]]] = []
            child = node.child
            while child is not None:
                children.append((child, within))
                child = child.next
            steps.extend(reversed(children))
        yield from self._flush()

    def _say(self, text: str, inside: tuple[str, ...]) -> None:
        if not self.words:
            self.kind, self.level = _kind(inside)
        if "a" in inside[-3:] and _CITED.fullmatch(text.strip()):
            text = f"[{text.strip()}]"
        self.words.append(text)

    def _flush(self) -> Iterator[Block]:
        text = "".join(self.words)
        self.words = []
        if text.strip():
            yield Block(text if self.kind == "code" else text.strip(), self.kind, self.level)


def _kind(inside: tuple[str, ...]) -> tuple[Kind, int]:
    """Say what a text is by the elements it stands in, and how deep its list or heading is."""
    around = set(inside)
    lists = sum(tag in ("ul", "ol") for tag in inside)
    if "pre" in around:
        return "code", 0
    heading = next((tag for tag in reversed(inside) if tag in ("h1", "h2", "h3", "h4", "h5", "h6")), "")
    if heading:
        return "heading", int(heading[1])
    if "blockquote" in around:
        return "quote", 0
    if "td" in around or "th" in around:
        return "cell", 0
    if lists or "dd" in around or "dt" in around:
        return "item", lists
    return "prose", 0
