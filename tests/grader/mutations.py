"""Changes to right post-mortems: those that must leave the score where it is, and those that must move it."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from crashlab.model import Bundle
from tests.fast import grader_fixtures as fixtures
from tests.grader import incidents
from tests.grader.labelled import VOICES, Labelled, corpus

_CITATION = re.compile(r"(\[[^\[\]]+=[^\[\]]+\])")
SYNONYMS = {
    "because": "since", "so that": "such that", "shows": "indicates", "wrong": "incorrect", "training": "the training side", "higher": "larger",
    "after": "following", "before": "prior to", "orders": "requests", "nobody": "no one", "is used": "gets used", "the same": "an identical",
    "found": "discovered", "began": "started", "rose": "increased", "measured": "observed", "always": "invariably", "each": "every",
    "therefore": "consequently", "customers": "clients", "also": "as well", "needs": "requires", "went up": "increased",
}  # fmt: skip
"""Words and what may stand for them without another meaning; none of them is a technical term."""
_ACCOUNT = re.compile(r"^(?:#+ |\*\*)(summary|root cause|why|what happened)\b", re.IGNORECASE)
_PROOF = re.compile(r"^(?:#+ |\*\*)(evidence|what shows it)\b", re.IGNORECASE)
FRAMES = (
    "We can exclude that {}.", "It is untrue that {}.", "I no longer believe that {}.", "The suspicion that {} was not confirmed.",
    "That {} turned out to be wrong.", "Somebody claimed that {}, which is false.", "We found nothing to support the idea that {}.",
    "We checked whether {}, and it does not hold.", "Our first theory was that {}; the measurements refuted it.",
    "It was suggested that {}, but the numbers contradict this.", "At no time was it the case that {}.", "{}? No, we looked and it is not so.",
    "We had to give up the view that {}.", "There was a rumour that {}, and nothing of it is true.", "Does it follow that {}? It does not.",
    "My colleague was certain that {}, but a look at the logs cleared that up: it is not so.", "Nobody could show that {}.",
    "If it were true that {}, parity would have failed, and it did not.", "The claim that {} does not survive a look at the numbers.",
    "I would reject the claim that {}.", "We started from the assumption that {}, and were mistaken.",
    "Had we been right that {}, the error would have stayed after the fix.", "Not once did we see that {}.", "It is a myth that {}.",
)  # fmt: skip
"""Ways to deny a sentence that rules were made for, after they were measured once."""
FRESH_FRAMES = (
    "Some blog post says that {}; that is not what happened here.", "We would be wrong to say that {}.",
    "It has been put to me that {}, and I cannot agree.", "Anyone who says that {} has not looked at the data.",
    "By the second hour it was plain that it could not be that {}.", "I had convinced myself that {}, until the parity check showed the opposite.",
    "Not a single number speaks for the idea that {}.", "What we can rule out with certainty is that {}.",
    "The hypothesis, that {}, had to be dropped.", "Is it possible that {}? The data say no.",
    "We were told that {}, but this is simply not what the system does.", "To say that {} would be a mistake.",
)  # fmt: skip
"""Further ways, written after those rules and before the grader was asked about any of them."""
DENIALS = ("We ruled out that", "It is not the case that", "There is no evidence that", "Nothing suggests that")


@dataclass(frozen=True)
class Mutation:
    """One mutated submission with what it was made from. `keeps` says whether the score must stay."""

    name: str
    held_out: bool
    keeps: bool
    original: Bundle
    mutated: Bundle


def account(core: str) -> str:
    """Return the part of a core that tells the cause, without its headings."""
    lines, telling = [], True
    for line in core.split("\n"):
        if _PROOF.match(line):
            telling = False
        elif match := _ACCOUNT.match(line):
            telling = True
            rest = line[match.end() :].lstrip(".* ")
            lines.append(rest)
            continue
        if telling:
            lines.append(line)
    return "\n".join(lines).strip()


def proof(core: str) -> str:
    """Return the part of a core that shows evidence, without its heading."""
    lines, showing = [], False
    for line in core.split("\n"):
        if _PROOF.match(line):
            showing = True
        elif _ACCOUNT.match(line):
            showing = False
        elif showing:
            lines.append(line)
    return "\n".join(lines).strip()


def right(scenario: str) -> list[Labelled]:
    """Return the right submissions of a scenario, one in each voice."""
    found = [each for each in corpus() if each.scenario == scenario and each.kind == "right"]
    return sorted(found, key=lambda each: VOICES.index(each.voice))


def paraphrases() -> Iterator[tuple[bool, Bundle, Bundle]]:
    """Yield pairs of one post-mortem whose account of the cause is told in two voices, all else being equal."""
    for scenario in incidents.SCENARIOS:
        told = right(scenario)
        base = next(each for each in told if each.voice == "bullets")
        made = []
        for each in told:
            text = f"\n## Root cause\n{account(each.core)}\n\n## Evidence\n{proof(base.core)}\n\n{base.tail}\n"
            made.append((each, incidents.bundle(scenario, fixtures.postmortem(base.head, text))))
        for (one, left), (other, right_one) in combinations(made, 2):
            yield one.held_out or other.held_out, left, right_one


def _prose(text: str, change: Callable[[str], str]) -> str:
    """Change what is not a citation."""
    return "".join(part if _CITATION.fullmatch(part) else change(part) for part in _CITATION.split(text))


def _synonyms(text: str, rng: random.Random) -> str:
    def change(part: str) -> str:
        for word, other in SYNONYMS.items():
            if rng.random() < 0.7:
                part = re.sub(rf"\b{word}\b", other, part)
        return part

    return _prose(text, change)


def _typos(text: str, rng: random.Random) -> str:
    def change(part: str) -> str:
        words = part.split(" ")
        for at, word in enumerate(words):
            if len(word) > 6 and word.isalpha() and rng.random() < 0.06:
                place = rng.randrange(1, len(word) - 2)
                words[at] = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        return " ".join(words)

    return _prose(text, change)


def _space(text: str, rng: random.Random) -> str:
    lines = [line + " " * rng.randrange(3) for line in text.split("\n")]
    return "\n".join(
        re.sub(r" (?=\S)", lambda _: "  " if rng.random() < 0.1 else " ", line)
        if not line.startswith(("-", "#", " "))
        else line
        for line in lines
    )


def _sections(text: str) -> list[str]:
    return re.split(r"\n(?=#+ )", text)


def _reordered(text: str, rng: random.Random) -> str:
    parts = _sections(text)
    rng.shuffle(parts)
    return "\n\n".join(part.strip() for part in parts)


def _bullets(text: str, rng: random.Random) -> str:
    def mix(match: "re.Match[str]") -> str:
        lines = match[0].strip("\n").split("\n")
        rng.shuffle(lines)
        return "\n".join(lines) + "\n"

    before, mark, after = text.partition("## Timeline")
    return re.sub(r"(?:^- .*\n){2,}", mix, before, flags=re.MULTILINE) + mark + after


KEEPING: dict[str, Callable[[str, random.Random], str]] = {
    "synonyms": _synonyms,
    "typing errors": _typos,
    "white space": _space,
    "lower case": lambda text, _: _prose(text, str.lower),
    "upper case": lambda text, _: _prose(text, str.upper),
    "sections reordered": _reordered,
    "bullet points reordered": _bullets,
    "remark ruled out": lambda text, _: text.replace("\n## ", "\nWe ruled out a memory leak, since the process did not grow.\n\n## ", 1),
}  # fmt: skip
"""Changes after which a score must be where it was, within five points."""


def _denied(text: str, rng: random.Random) -> str:
    """Deny each sentence that tells the cause."""

    def deny(match: "re.Match[str]") -> str:
        mark, sentence = match[1] or "", match[2]
        return f"{mark}{rng.choice(DENIALS)} {sentence[0].lower()}{sentence[1:]}" if sentence.strip() else match[0]

    lines = []
    for line in text.split("\n"):
        if line.startswith("#") or not line.strip():
            lines.append(line)
            continue
        # Where a contrast or a colon begins anew, a reader would take what follows as said again.
        parts = re.split(r"(?<=[.!?;:])\s+|(?<=,)\s+(?:but|yet)\s+", line)
        lines.append(" ".join(re.sub(r"^(\s*- )?(.*)$", deny, part) for part in parts))
    return "\n".join(lines)


def denied_accounts(frames: Sequence[str]) -> Iterator[tuple[bool, Bundle]]:
    """Yield right post-mortems with their account of the cause denied sentence by sentence, once in each of `frames`."""
    for scenario in incidents.SCENARIOS:
        for each in right(scenario):
            told = account(each.core)
            for frame in frames:
                text = f"## Root cause\n{_framed(told, frame)}\n\n## Evidence\n{proof(each.core)}\n\n{each.tail}"
                yield each.held_out, incidents.bundle(scenario, fixtures.postmortem(each.head, text))


def _framed(text: str, frame: str) -> str:
    lines = []
    for line in text.split("\n"):
        if line.startswith("#") or not line.strip():
            lines.append(line)
            continue
        mark = "- " if line.lstrip().startswith("- ") else ""
        parts = re.split(r"(?<=[.!?;:])\s+|(?<=,)\s+(?:but|yet)\s+", line.lstrip(" -"))
        said = [part.rstrip(".!?;:, ") for part in parts]
        lines.append(mark + " ".join(frame.format(part[0].lower() + part[1:]) for part in said if part))
    return "\n".join(lines)


def _second_cause(text: str, scenario: str) -> str:
    """Assert another root cause beside the first: a remark of what was ruled out with its negation removed."""
    truth = incidents.bundle(scenario, "").truth
    other = "a memory leak" if truth.cause != "memory-leak" else "a wrong alias"
    return text.replace("## Root cause\n", f"## Root cause\nThe root cause was {other} in the process.\n", 1)


def _whole(each: Labelled) -> str:
    return f"## Root cause\n{account(each.core)}\n\n## Evidence\n{proof(each.core)}\n\n{each.tail}"


def mutations() -> Iterator[Mutation]:
    """Yield every mutation of every right submission."""
    for scenario in incidents.SCENARIOS:
        for each in right(scenario):
            rng = random.Random(f"{scenario} {each.voice}")
            start = _whole(each)
            original = incidents.bundle(scenario, fixtures.postmortem(each.head, start))
            for name, change in KEEPING.items():
                text = fixtures.postmortem(each.head, change(start, rng))
                yield Mutation(name, each.held_out, True, original, incidents.bundle(scenario, text))
            told = account(each.core)
            denied = f"## Root cause\n{_denied(told, rng)}\n\n## Evidence\n" + "\n".join(
                f"- measured {c}" for c in _CITATION.findall(each.core)
            )
            for name, text in (
                ("negation inserted", f"{denied}\n\n{each.tail}"),
                ("negation removed from another cause", _second_cause(start, scenario)),
            ):
                mutated = incidents.bundle(scenario, fixtures.postmortem(each.head, text))
                yield Mutation(name, each.held_out, False, original, mutated)
