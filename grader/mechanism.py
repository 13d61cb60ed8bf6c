"""The mechanism: each concept of the truth named in a clause that asserts it, or its number given instead."""

import re
from dataclasses import dataclass, field

from crashlab.model import Bundle
from grader import causes, quantities
from grader.phrases import find_any
from grader.reader import Document, Sentence, stems
from grader.status import status

NUMBER_TOLERANCE = 0.05
PER_NUMBER = 2
"""Concepts that one matching number can stand for: a ratio of 1.609 says both miles and kilometres."""
MOST = 0.6
"""Share of the mechanism from which on its account stands for the name of the cause."""
FEWEST_CONCEPTS = 2
"""Concepts that a mechanism needs to stand for its cause: a single one is a mere word."""
_ELSEWHERE = ("prevention", "ruled out", "impact", "timeline", "detection", "resolution")
"""Sections that speak of other things than the mechanism, often in the same words."""
MOST_SPANS = 6
"""Places of one sentence at which a concept is looked at."""
ORDINARY = 10
"""Whole numbers up to this one stand in any text."""
_MEASURED = re.compile(
    r"\b(?:ratio|factor|times|multipl\w+|divid\w+|offset|off by|larger|smaller|higher|lower|longer|shorter|shift\w*|per cent|share|"
    r"scaled?|conversion|arriv\w+|instead of|becom\w+|became|turn\w+ into|too|where|half|twice|median|mean|constant|exactly|x)\b|%|§"
)


@dataclass
class Account:
    """What the prose tells of the mechanism: per concept the sentence that names it, or None."""

    named: list[Sentence | None]
    by_number: int = 0
    sentences: list[Sentence] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the concepts that are told, between 0 and 1."""
        if not self.named:
            return 0.0
        told = sum(sentence is not None for sentence in self.named)
        return min(1.0, (told + self.by_number) / len(self.named))


def concepts_of(bundle: Bundle) -> tuple[tuple[str, ...], ...]:
    """The truth's concepts; where a scenario gives none, the cause's own phrases are the one concept."""
    if bundle.truth.mechanism.concepts:
        return bundle.truth.mechanism.concepts
    cause = causes.load().by_id.get(bundle.truth.cause)
    return (cause.phrases,) if cause else ()


def same_number(said: float, meant: float) -> bool:
    """Say whether two numbers agree within 5 %, the reciprocal counting as the same finding."""
    if meant == 0 or said == 0:
        return said == meant
    direct = abs(said - meant) <= NUMBER_TOLERANCE * abs(meant)
    inverse = abs(said - 1 / meant) <= NUMBER_TOLERANCE * abs(1 / meant)
    return direct or inverse


def read_mechanism(document: Document, bundle: Bundle) -> Account:
    """Look for every concept of the mechanism in sentences that assert it."""
    groups = concepts_of(bundle)
    # Where nothing is broken, the account tells what there is not: `it has no importance`.
    accepted = ("asserted",) if bundle.truth.needs_change else ("asserted", "ruled out")
    account = Account([None] * len(groups))
    sentences = [s for s in document.prose if s.section not in _ELSEWHERE and s.carries]
    for sentence in sentences:
        words = stems(sentence.words)
        told = False
        for at, group in enumerate(groups):
            spans = find_any(group, words)[:MOST_SPANS]
            if any(status(sentence, span, named=False) in accepted for span in spans):
                account.named[at] = account.named[at] or sentence
                told = True
        if told:
            account.sentences.append(sentence)
    if bundle.truth.mechanism.concepts:
        missing = sum(sentence is None for sentence in account.named)
        account.by_number = min(missing, _by_number(sentences, account, bundle))
    return account


def _by_number(sentences: list[Sentence], account: Account, bundle: Bundle) -> int:
    found: set[str] = set()
    for sentence in sentences:
        if not _MEASURED.search(" ".join(sentence.words)):
            continue
        said = quantities.ratios(sentence)
        for name, meant in bundle.truth.mechanism.numbers.items():
            # Small whole numbers stand in any text; they pin nothing down.
            if not (meant == int(meant) and abs(meant) <= ORDINARY) and any(
                same_number(value, meant) for value in said
            ):
                found.add(name)
                if sentence not in account.sentences:
                    account.sentences.append(sentence)
    return PER_NUMBER * len(found)


def stands_for_cause(account: Account) -> list[Sentence]:
    """Sentences that tell the mechanism so fully that they assert the cause without naming it.

    A number alone does not: at least one concept has to be told in words, and without any number two.
    """
    told = sum(sentence is not None and sentence.full for sentence in account.named)
    share = (told + account.by_number) / max(1, len(account.named))
    fewest = 1 if account.by_number else FEWEST_CONCEPTS
    if share < MOST or len(account.named) < FEWEST_CONCEPTS or told < fewest:
        return []
    return [sentence for sentence in account.sentences if sentence.section in ("summary", "root cause", "evidence")]
