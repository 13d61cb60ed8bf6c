"""What the words before a mention make of it: cues, their scopes, and how they are composed."""

import re
from collections.abc import Sequence

from grader.predicates import (
    ABILITY,
    ANYTHING,
    AUXILIARY,
    CERTAIN,
    CLAUSAL,
    CONTRAST,
    COUNTERFACTUAL,
    DEFINITE,
    DOUBTING,
    EPISTEMIC,
    EVIDENCE,
    FACTIVE,
    FRAMES,
    IDEA,
    INVERTED,
    LEAD_MAYBE,
    LEAD_OUT,
    LEFT_OVER,
    LONGEST_HEADING,
    MODALS,
    NPI,
    OF_NAMES,
    ONLY,
    OPERATORS,
    PERCEIVED,
    PRESUPPOSING,
    PSEUDO,
    SPLIT_CUE,
    WH,
    Status,
)
from grader.scene import Scene
from grader.support import is_verb


def governed(scene: Scene) -> tuple[Status, str]:
    """Compose the cues before a mention, from the nearest to the farthest."""
    text = ABILITY.sub(lambda match: " ".join("_" * len(match[0].split())), " ".join(scene.left))
    masked = PSEUDO.sub(lambda match: " ".join("~" * len(match[0].split())), text)
    cues = sorted(
        ((match.end(), kind, match[0]) for kind, trigger in OPERATORS for match in trigger.finditer(masked)),
        reverse=True,
    )
    state, by = _introduced(scene)
    for end, kind, cue in cues:
        if (kind == "not" and scene.negative) or (not scene.named and kind in OF_NAMES):
            continue  # `no restart and no reload`
        if kind == "not" and by == "doubt":
            state, by = "asserted", "presupposed"
        elif kind == "not" and by == "look":
            state, by = "asserted", "presupposed"  # `never tested for leakage` tells what was missing.
        elif not _closed(kind, cue, masked[end:].split(), scene):
            state, by = _composed(kind, cue, state, by, scene)
        elif kind == "not" and state == "asserted":
            by = "presupposed"
    return state, by


def framed(words: Sequence[str]) -> Status | None:
    """Return what the opening of a sentence makes of all that follows, as in `we ruled out that …`."""
    text = PSEUDO.sub(lambda match: " ".join("~" * len(match[0].split())), " ".join(words))
    for frame, made in FRAMES:
        if any(not CONTRAST.search(text[match.end() :]) for match in frame.finditer(text)):
            return made
    return None


def _introduced(scene: Scene) -> tuple[Status, str]:  # noqa: PLR0911 one reason after the other
    """Return what the words before the clause make of it: a heading such as `Ruled out:`, a condition, a question."""
    before, left = " ".join(scene.earlier), " ".join(scene.left)
    if scene.earlier and scene.earlier[-1] in (":", "->", "\u2192", "--", "(") and not LEFT_OVER.search(before):
        heads = [
            head.strip() for head in re.split(r"[:;?()]|->|\u2192|--", " ".join(scene.earlier[:-1])) if head.strip()
        ]
        if heads and len(heads[-1].split()) > LONGEST_HEADING:
            heads.append(re.split(r" (?:,|so|because|but|and) (?!far\b)", heads[-1])[-1])
        if heads and LEAD_OUT.search(heads[-1]):
            return "ruled out", "lead"
        if heads and LEAD_MAYBE.search(heads[-1]) and (scene.earlier[-1] != "(" or IDEA.search(heads[-1])):
            return "superseded", "idea"
    if INVERTED.match(left) and re.search(r"\b(?:would|could|might)\b|^(?:been|to be)\b", scene.rest):
        return "hypothetical", "perhaps"
    if scene.left[:1] == ["of"] and scene.earlier[-1:] == ["instead"] and (scene.named or len(scene.earlier) == 1):
        return "ruled out", "against"
    if ANYTHING.search(before) or before == "anything but" or SPLIT_CUE.search(f"{before} | {left}"):
        return "ruled out", "against"
    if asked(scene) or (re.search(r"\bso$", before) and left.startswith("called")):
        return "hypothetical", "perhaps"
    return "asserted", ""


def asked(scene: Scene) -> bool:
    """Whether the clause is a question that can be answered with no; `why` and its like presuppose what they ask about."""
    marks = [fragment.joint for fragment in scene.after[1:] if fragment.joint]
    asked = bool(marks) and ("?" in marks[0] or (marks[-1] == "?" and not scene.after[-1].text))
    return asked and (scene.earlier or scene.left or [""])[0] not in WH


def _closed(kind: str, cue: str, between: Sequence[str], scene: Scene) -> bool:  # noqa: PLR0911, PLR0912, C901 one reason after the other
    """Whether the scope of a cue ends before the mention."""
    clausal = any(word in CLAUSAL for word in between)
    if _conjoined(between) or (kind != "look" and any(word in ("why", "how") for word in between[1:])):
        return True
    if clausal and kind != "look" and any(word in ("when", "because", "where") for word in between):
        return True
    if "," in between and (clausal or kind == "against"):
        return True
    if "," in between and kind in ("look", "thought", "idea", "perhaps", "say") and any(map(is_verb, between)):
        return True
    if any(word in ONLY for word in between):
        return kind != "look"
    if kind != "not" and any(word in CERTAIN for word in between):
        return True
    if kind == "not":
        last = len(between) - between[::-1].index(",") if "," in between else 0
        if last and not scene.listed and not {"or", "nor", "and", "no", "not"} & set(between[last:]):
            return True  # `not the load, not the network, a leak`
        if last and EVIDENCE.search(" ".join(between[last:])) and between[last] == "and":
            return True  # `no trace of drift, and a clear trace of a leak`
        if "then" in between or "during" in between[-2:]:
            return True
        if "with" in between[-2:] and MODALS & set(between):
            return True  # `no model can be right with a leak`
        if NPI & set(between):
            return False
        if between[:2] in (["the", "one"], ["the", "same"]) or between[:1] == ["as"]:
            return True  # `is not the one in memory` compares
        if cue == "no longer" and not scene.named:
            return True
        if FACTIVE.search(" ".join(between)) or (scene.definite and any(word in PERCEIVED for word in between)):
            return True
        if (
            scene.definite
            and scene.subject
            and not any(is_verb(w) or w in EPISTEMIC or w in CLAUSAL or w == "that" for w in between)
            and len(between) > 1
        ):
            return True  # `for lack of a test the leak …` goes on behind the noun
        if any(word in PRESUPPOSING or word == "~" for word in between):
            return True
        if scene.definite and cue in ("nobody", "no one", "none") and any(word in PERCEIVED for word in between):
            return True
        if cue in ("not", "never") and between and between[0] in ("really", "ever", "even", "simply", "just", "quite"):
            between = between[1:]
        acts = [
            word
            for at, word in enumerate(between)
            if (is_verb(word) or (at == 0 and cue in ("not", "never")))
            and word not in EPISTEMIC
            and word not in DEFINITE
        ]
        while between and between[0] in AUXILIARY:
            between = between[1:]
        done = (
            bool(between)
            and not between[0].endswith(("ence", "tion", "ment"))
            and is_verb(between[0])
            and between[0] not in EPISTEMIC
            and between[0] not in DOUBTING
        )
        return (bool(acts) and scene.definite) or done
    if kind == "without":
        return scene.definite or clausal or bool(COUNTERFACTUAL.search(scene.rest))
    if kind == "exclude":
        if between[:1] == [","]:
            return True  # `all others ruled out, a leak stays`
        if any(word in ("else", "rest", "everything") for word in between):
            return True
        return clausal and not any(word in ("that", "it", "this") for word in between[:2])
    if kind == "mistake":
        return clausal
    if kind == "look":
        return clausal and not any(word in ("if", "whether") for word in between)
    if kind == "say":
        return bool(between) and not clausal and len(between) > 1
    if kind == "perhaps" and "~" in between:
        return True
    if kind == "thought" and cue.endswith("for"):
        return clausal
    return False


def _conjoined(between: Sequence[str]) -> bool:
    """Whether another predicate begins behind an `and`, as in `we excluded drift and found …`."""
    for at, word in enumerate(between[:-1]):
        if word == "and":
            following = between[at + 1 : at + 5]
            if following[0] in CLAUSAL or following[0].endswith("ed"):
                return True
            if following[0] in DEFINITE and any(w in CLAUSAL or is_verb(w) for w in following[1:]):
                return True
    return False


def _composed(kind: str, cue: str, state: Status, by: str, scene: Scene) -> tuple[Status, str]:  # noqa: PLR0911 one reason after the other
    """Return what a mention becomes when a cue is put before it."""
    if kind == "not":
        if state == "asserted":
            return "ruled out", kind
        if by == "exclude":
            return "hypothetical", "perhaps"
        return ("asserted", "") if by == "doubt" else ("ruled out", by)
    if cue == "if" and state == "ruled out" and by == "not" and scene.definite:
        return "asserted", ""  # `if we had not had the mismatch`
    if kind == "thought" and by == "exclude" and any("but" in fragment.joint.split() for fragment in scene.after):
        return "asserted", "presupposed"  # `we thought we had excluded it, but …`
    if state != "asserted":
        return state, by
    made: dict[str, Status] = {
        "say": "hypothetical",
        "thought": "superseded",
        "idea": "superseded",
        "look": "superseded",
        "perhaps": "hypothetical",
    }
    return made.get(kind, "ruled out"), kind
