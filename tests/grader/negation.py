"""How well denials are told from assertions, on labelled sentences.

`negation.toml` holds the first lists, `denials/` the later ones, each in five voices. Of both one list is held out.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from grader.claim import mentions
from grader.reader import read, tokens

PATH = Path(__file__).with_name("negation.toml")
LATER = Path(__file__).with_name("denials")
HELD_OUT = "held_out"


@dataclass(frozen=True)
class Outcome:
    """One labelled mention: the sentence, and the statuses that the reader gives the mention; empty where it found none."""

    sentence: str
    denied: bool
    statuses: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether a denial earns nothing, and an assertion counts as one."""
        return ("asserted" in self.statuses) != self.denied


def _places(phrase: str, words: list[str]) -> list[tuple[int, int]]:
    """Return where a phrase stands in a sentence's words."""
    wanted = tokens(phrase)
    ends = [(at, at + len(wanted)) for at in range(len(words) - len(wanted) + 1)]
    return [(start, end) for start, end in ends if words[start:end] == wanted]


def read_sentence(text: str, *, denied: bool) -> list[Outcome]:
    """Read one labelled sentence; every pair of braces gives one outcome."""
    marked = re.findall(r"\{([^{}]+)\}", text)
    plain = re.sub(r"[{}]", "", text)
    document = read(f"## Root cause\n{plain}\n")
    for sentence in document.sentences:
        sentence.full = sentence.carries = True
    found = mentions(document)
    outcomes = []
    for phrase in marked:
        statuses = [
            mention.status
            for mention in found
            for start, end in _places(phrase, mention.sentence.words)
            if mention.span.start < end and start < mention.span.end
        ]
        outcomes.append(Outcome(plain, denied, tuple(statuses)))
    return outcomes


def lists() -> dict[str, dict[str, list[str]]]:
    """Return every list of sentences by name, each with those that deny (`negated`) and those that assert (`asserted`)."""
    found = dict(tomllib.loads(PATH.read_text(encoding="utf-8")))
    found["first held-out list"] = found.pop(HELD_OUT)
    for path in sorted(LATER.glob("*.toml")):
        voices = tomllib.loads(path.read_text(encoding="utf-8")).values()
        name = "last held-out list" if path.stem == HELD_OUT else f"denials/{path.stem}"
        found[name] = {key: [text for voice in voices for text in voice[key]] for key in ("negated", "asserted")}
    return found


def outcomes(*names: str) -> list[Outcome]:
    """Read every labelled sentence of the lists of these names."""
    found: list[Outcome] = []
    for name in names:
        data = lists()[name]
        found += [each for text in data["negated"] for each in read_sentence(text, denied=True)]
        found += [each for text in data["asserted"] for each in read_sentence(text, denied=False)]
    return found


def held_out() -> tuple[str, ...]:
    """Names of the lists that no rule is changed for."""
    return tuple(name for name in lists() if name.endswith("held-out list"))


def tuning() -> tuple[str, ...]:
    """Names of the lists that the rules were made for."""
    return tuple(name for name in lists() if name not in held_out())


def rates(found: list[Outcome]) -> dict[str, float]:
    """Return recall of denials, the share of assertions that are falsely denied, and how many mentions were judged."""
    seen = [each for each in found if each.statuses]
    denied = [each for each in seen if each.denied]
    asserted = [each for each in seen if not each.denied]
    return {
        "recall": sum(each.right for each in denied) / len(denied),
        "falsely_negated": sum(not each.right for each in asserted) / len(asserted),
        "judged": len(seen),
        "unseen": len(found) - len(seen),
    }
