"""Clauses and fragments of a sentence: where what is said of a mention begins and where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from grader import words as lists
from grader.phrases import Span
from grader.support import is_verb

_LISTS = lists.load()["status"]
_BREAKS, _SUBJECTS, _FINITE = (_LISTS[name] for name in ("breaks", "subjects", "finite"))
_DETERMINERS, _PARTICIPLES, _PREPOSITIONS = (_LISTS[name] for name in ("determiners", "participles", "prepositions"))
_STILL = frozenset(("still", "yet", "nevertheless", "nonetheless", "instead", "then"))
_BEING = frozenset(("is", "was", "are", "were", "be", "been"))
_PRONOUNS = frozenset(("it", "we", "they", "i", "he", "she", "this"))
MARKS = frozenset((",", ";", ":", "?", "--", "\u2014", "->", "\u2192", "(", ")"))
JOINTS = _LISTS["joints"]


@dataclass(frozen=True)
class Fragment:
    """A stretch of words between marks and conjunctions, and what stands before it."""

    joint: str
    text: str


def fragments(words: Sequence[str]) -> list[Fragment]:
    """Cut words at every mark and every conjunction."""
    found: list[Fragment] = []
    joint = ""
    held: list[str] = []
    for word in words:
        # `is therefore`, `is not so big`
        inside = bool(held) and (held[-1] in _BEING or (held[-1] == "not" and word in ("so", "as")))
        if word in MARKS or (word in JOINTS and not inside):
            if held or not found:
                found.append(Fragment(joint, " ".join(held)))
                joint, held = word, []
            else:
                joint = f"{joint} {word}"
        else:
            held.append(word)
    found.append(Fragment(joint, " ".join(held)))
    return found


def clause(words: Sequence[str], span: Span) -> tuple[int, int]:
    """Return the bounds of the clause that a mention stands in."""
    start, end = 0, len(words)
    for at in range(span.start - 1, -1, -1):
        if (words[at] in _BREAKS and not _inside(words, at)) or _comma_ends_clause(words, at):
            start = at + 1
            break
    if words and words[0] in _PREPOSITIONS:
        # `After ruling out the data we were left with …`: the main clause opens without a comma.
        for at in range(span.start - 1, max(start, 2), -1):
            if words[at] in ("we", "i", "they", "it") and _has_finite(words[at + 1 : at + 2]):
                start = at
                break
    for at in range(span.end, len(words)):
        if words[at] in ("therefore", "thus", "hence", "however") and words[at - 1] in _BEING:
            continue
        if words[at] in _BREAKS or _comma_ends_clause(words, at):
            end = at
            break
    return start, end


def _inside(words: Sequence[str], at: int) -> bool:
    """Whether a word that often opens a clause belongs to a phrase here: `go after`, `so far`."""
    return (words[at] == "after" and at > 0 and words[at - 1] in ("go", "goes", "going", "went")) or (
        words[at] == "so" and words[at + 1 : at + 2] in (["far"], ["much"], ["long"])
    )


def _comma_ends_clause(words: Sequence[str], at: int) -> bool:  # noqa: PLR0911, C901 one reason after the other
    if words[at] == "and":
        following = words[at + 1 : at + 6]
        if following[:1] and following[0] in _STILL:
            return True
        return bool(following) and following[0] in _SUBJECTS - {"that", "in", "what"} and _has_finite(following[1:])
    if words[at] not in (",", "(", ")"):
        return False
    if words[at] != ",":
        return True
    following = words[at + 1 : at + 8]
    if not following or following[0] in ("and", "or", "nor"):
        if following[:1] != ["and"] or following[1:2] == []:
            return False
        if following[1] in _STILL:
            return True
        if following[1] in _SUBJECTS and _has_finite(following[2:]):
            return True
        # `…, and a library prints a warning`: a noun of its own with a verb is a clause of its own.
        return following[1] in _DETERMINERS and any(map(is_verb, following[3:6]))
    if "," in following:
        following = following[: following.index(",")]
    if not following or (following[0] == "that" and following[1:2] not in (["is"], ["was"], ["means"])):
        return False
    if following[0] == "then":
        return True
    if following[0] in _PARTICIPLES or (following[0] in _PRONOUNS and len(following) > 1 and is_verb(following[1])):
        return True
    introduced = bool(words) and words[0] in _PREPOSITIONS
    return _has_finite(following[1:]) and (introduced or _has_finite(words[:at]))


def _has_finite(words: Sequence[str]) -> bool:
    return any(
        word in _FINITE or (word.endswith("ed") and at > 0 and words[at - 1] not in _DETERMINERS)
        for at, word in enumerate(words)
    )
