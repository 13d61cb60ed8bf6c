"""From a post-mortem's body to sentences: Markdown blocks, sections, sentences, words and citations.

Block quotes and code are kept apart, since they show evidence and assert nothing.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from grader import text as cleaning
from grader import visible
from grader.visible import Kind

LONG_WORD = 6
"""Letters from which on an ending such as `-ise` is a suffix."""
LONGEST = 90
"""Words at which a sentence is cut; the longest of a careful writer have some sixty."""
MOST, MOST_WORDS = 600, 6000
"""Sentences and words that are read; a long report has some 300 and 3,500."""
REPLY = 24
"""Words of the next sentences that are kept with a sentence, since they may answer it."""
CITED = "§"
"""Stands in a sentence's words for a citation."""
_SECTIONS = (
    ("ruled out", ("ruled out", "rule out", "not the cause", "alternative", "excluded", "hypotheses", "red herring")),
    (
        "prevention",
        ("prevent", "action", "follow-up", "follow up", "next step", "future", "lesson", "remediation items"),
    ),
    ("root cause", ("root cause", "cause", "mechanism", "diagnosis", "what went wrong", "why")),
    (
        "evidence",
        ("evidence", "proof", "measure", "investigation", "findings", "analysis", "what shows", "how we know"),
    ),
    ("impact", ("impact", "effect", "affected", "consequence")),
    ("timeline", ("timeline", "chronolog", "sequence of events")),
    ("detection", ("detect", "noticed", "discovery")),
    ("resolution", ("resolution", "fix", "mitigation", "recovery", "remediation", "remedy")),
    ("summary", ("summary", "overview", "abstract", "tl;dr", "tldr", "what happened")),
)
_CITATION = re.compile(r"\[((?:[^\[\]\n]|\n(?!\n)){1,200}?)=((?:[^\[\]=\n]){1,80})\]")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|vs|approx|etc|no|fig|cf|resp|ca|incl|dr|mr)\.$", re.IGNORECASE)
_END = re.compile(r"(?<![.!?])[.!?]+(?:\*\*|__)?[\"')\]]{0,8}(?:\*\*|__)?\s+(?=\S)")
_RUN_IN = re.compile(r"(?:\*\*|__)([A-Za-z][A-Za-z ,/-]{2,30}?)[.:]?(?:\*\*|__)[.:]?(?:\s+|$)")
_WORD = re.compile(r"§|\d+(?:[.,:]\d+)*|[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*|%|[?;:]|--|\u2014|->|\u2192|,|\(|\)")
_DASH = re.compile(r"(?<=\S) - (?=\S)")
_CONTRACTION = (
    ("can't", "can not"),
    ("cannot", "can not"),
    ("won't", "will not"),
    ("n't", " not"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'ll", " will"),
    ("it's", "it is"),
    ("that's", "that is"),
    ("there's", "there is"),
    ("what's", "what is"),
    ("who's", "who is"),
    ("=>", "->"),
    ("i'm", "i am"),
)


@dataclass(frozen=True)
class Citation:
    """`[selector=value]` as written: the text between the brackets, left and right of the last `=`."""

    selector: str
    value: str
    raw: str


@dataclass
class Sentence:
    """One sentence. `words` are lower-case words, numbers and the marks that separate clauses."""

    text: str
    words: list[str]
    section: str
    kind: Kind
    citations: tuple[Citation, ...] = ()
    lead: str = ""
    """The introducing sentence of a list, for instance `We ruled out:`."""
    borrowed: bool = False
    """Whether the sentence is the template's, the brief's or the taxonomy's and not the learner's."""
    numbers: tuple[float, ...] = ()
    whole: list[str] | None = None
    """Words of the sentence that this is a piece of, where it was cut."""
    opening: list[str] = field(default_factory=list)
    """Words with which that sentence begins, before this piece."""
    following: list[str] = field(default_factory=list)
    """Words of the next sentence of the same paragraph, which may be the answer to this one: `A memory leak? No.`"""
    leans: bool = False
    """Whether it stands in an account that is tied to the stack elsewhere."""
    full: bool = False
    """Whether it has the form of a sentence and is no mere note; see `support.mark`."""
    carries: bool = False
    """Whether the sentence can carry a claim; see `support.mark`."""


@dataclass
class Document:
    """A body as read: its sentences in order, and what was disguised in it."""

    sentences: list[Sentence]
    disguised: int = 0
    cut: bool = False

    @property
    def prose(self) -> list[Sentence]:
        """Sentences of the learner's own that can assert something."""
        return [s for s in self.sentences if s.kind in ("prose", "item", "cell") and not s.borrowed]

    @property
    def citations(self) -> list[tuple[Citation, Sentence]]:
        """Every citation with the sentence it stands in; quotes and code included."""
        return [(citation, sentence) for sentence in self.sentences for citation in sentence.citations]


def tokens(text: str) -> list[str]:
    """Split a text into lower-case words, numbers and separating marks; identifiers stay whole."""
    text = text.lower()
    for short, long in _CONTRACTION:
        text = text.replace(short, long)
    text = re.sub(r"\bv(?=\d)", "", text)
    text = text.replace("n+1", "n plus one")
    return _WORD.findall(text)


@lru_cache(maxsize=1)
def _stemmer() -> "Stemmer":
    import snowballstemmer

    return Stemmer(snowballstemmer.stemmer("english"))


class Stemmer:
    """The Snowball stemmer for English, with a cache, British spellings and identifiers left as they are."""

    def __init__(self, inner: object) -> None:
        self._inner = inner
        self._known: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        """Return a word's stem."""
        if word not in self._known:
            if not word.isalpha():
                self._known[word] = word
            else:
                # Short words such as `rise` only look British.
                american = word.replace("isation", "ization").replace("ise", "ize") if len(word) > LONG_WORD else word
                american = {
                    "metres": "meters",
                    "kilometres": "kilometers",
                    "metre": "meter",
                    "kilometre": "kilometer",
                }.get(american, american).replace("behaviour", "behavior")
                self._known[word] = str(self._inner.stemWord(american))  # type: ignore[attr-defined]
        return self._known[word]


def stem(word: str) -> str:
    """Return the stem of one lower-case word."""
    return _stemmer()(word)


def stems(words: list[str]) -> list[str]:
    """Return the stems of words."""
    stemmer = _stemmer()
    return [stemmer(word) for word in words]


def number(word: str) -> float | None:
    """Read a number as written in prose, thousands separators included; None where it is none."""
    if not word[:1].isdigit() or ":" in word:
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", word):
        return float(word.replace(",", ""))
    if re.fullmatch(r"\d+,\d+", word):
        return float(word.replace(",", "."))
    if re.fullmatch(r"\d{1,300}(\.\d+)?", word):
        return float(word)
    return None


def read(body: str) -> Document:
    """Read a body. Never raises; text beyond `text.READ_LIMIT` characters is not read."""
    cleaned, disguised = cleaning.clean(body)
    sentences: list[Sentence] = []
    cut = len(cleaning.cut(body)) < len(body)
    words = 0
    for block, kind, section, lead in _blocks(cleaned):
        if len(sentences) > MOST or words > MOST_WORDS:
            cut = True
            break
        first = len(sentences)
        for part in _sentences(block):
            pieces = _pieces(part)
            read_pieces = [_sentence(piece, section, kind, lead) for piece in pieces]
            if len(read_pieces) > 1:
                whole = [word for piece in read_pieces for word in piece.words]
                for at, piece in enumerate(read_pieces):
                    piece.whole = whole
                    # What frames a sentence stands at its beginning; more than that need not be kept.
                    piece.opening = [word for earlier in read_pieces[: min(at, 2)] for word in earlier.words]
            sentences.extend(read_pieces)
            words += sum(len(piece.words) for piece in read_pieces)
            if len(sentences) > MOST or words > MOST_WORDS:
                cut = True
                break
        for at in range(first, len(sentences)):
            one, *rest = sentences[at : at + 3]
            one.following = [word for each in rest for word in (*each.words, ";")][:REPLY]
    return Document(sentences, disguised, cut=cut)


def _sentence(part: str, section: str, kind: Kind, lead: str) -> Sentence:
    found = tuple(
        Citation(" ".join(match[1].split()), match[2].strip(), match[0]) for match in _CITATION.finditer(part)
    )
    words = tokens(_DASH.sub(" -- ", _plain(_CITATION.sub(f" {CITED} ", part))))
    numbers = tuple(value for value in map(number, words) if value is not None)
    return Sentence(cleaning.one_line(part), words, section, kind, found, lead, numbers=numbers)


def _plain(text: str) -> str:
    return re.sub(r"[*`~]|(?<![a-zA-Z0-9])_+(?=[a-zA-Z])|(?<=[a-zA-Z])_+(?![a-zA-Z0-9])", "", text)


def _sentences(block: str) -> list[str]:
    flat = " ".join(block.split())
    parts: list[str] = []
    start = 0
    for match in _END.finditer(flat):
        # The longest abbreviation has six letters; a longer look back would make a heap of them slow.
        if _ABBREVIATION.search(flat[max(start, match.start() - 8) : match.end()].rstrip()):
            continue
        parts.append(flat[start : match.end()].strip())
        start = match.end()
    rest = flat[start:].strip()
    return [part for part in [*parts, rest] if part]


def _pieces(sentence: str) -> list[str]:
    """Cut what is too long for a sentence, behind a comma or semicolon where one is near.

    People who ramble join sentences by commas, and attackers write a megabyte without a full stop.
    """
    words = sentence.split(" ")
    pieces: list[str] = []
    while len(words) > LONGEST:
        marks = [at for at in range(LONGEST // 2, LONGEST) if words[at].endswith((",", ";", ":", "]"))]
        cut = marks[-1] + 1 if marks else LONGEST
        pieces.append(" ".join(words[:cut]))
        words = words[cut:]
    return [*pieces, " ".join(words)]


def section_of(heading: str, current: str = "") -> str:
    """Return the section a heading opens, or the current one where the heading says nothing."""
    lower = heading.lower()
    for name, marks in _SECTIONS:
        if any(mark in lower for mark in marks):
            return name
    return current


def _run_in(paragraph: str) -> tuple[str, str]:
    """Split `**Root cause.** …`, which opens a section just as a heading does, into its heading and its text."""
    match = _RUN_IN.match(paragraph)
    if match is None or not section_of(match[1]):
        return "", paragraph
    return match[1], paragraph[match.end() :]


def _blocks(text: str) -> list[tuple[str, Kind, str, str]]:
    """Return the visible blocks with the section each stands in and the sentence that introduces its list."""
    found: list[tuple[str, Kind, str, str]] = []
    section = "summary"
    lead = last = ""
    for block in visible.blocks(text):
        if block.kind == "code":
            found.append((block.text, "code", section, ""))
        elif block.kind == "heading":
            section, lead = section_of(block.text, section), ""
            found.append((block.text, "heading", section, ""))
        elif block.kind == "item":
            if block.level == 1 and last.rstrip(" *_").endswith(":"):
                lead = last
            found.append((block.text, "item", section, lead))
        else:
            heading, content = _run_in(block.text) if block.kind == "prose" else ("", block.text)
            lead = ""
            if heading:
                section = section_of(heading)
                found.append((heading, "heading", section, ""))
            found.append((content, block.kind, section, ""))
        last = block.text.strip().split("\n")[-1] if block.kind != "item" else ""
    return found
