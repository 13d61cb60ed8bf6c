"""What a sentence does with something it mentions: assert it, rule it out, suppose it, give it up or prevent it.

The method is that of NegEx (Chapman et al., 2001, doi:10.1006/jbin.2001.1029) and ConText (Harkema et al., 2009,
doi:10.1016/j.jbi.2009.05.002): a lexicon of cues, each with the direction in which it works and a scope that ends where a
clause ends, and pseudo-cues such as `not only`, which are passed over. Three things are added:

- Cues before a mention are composed from the nearest to the farthest, so that a denial of a denial is none, and one that
  cannot be excluded is a supposition. A negated verb of doing or noticing presupposes what it speaks of
  (`we did not notice the leak`; on such verbs Kiparsky and Kiparsky, 1970), and so does a definite article.
- What stands behind a mention is read fragment by fragment. A predicate denies it if it denies a cause, a fact or an
  explanation (`is not the cause`, `does not fit`), and says what went wrong otherwise (`is not documented`).
- Answers in later fragments, which have a pronoun for their subject or none at all (`…, but it was not`, `…: no`), go before
  what the clause itself says.
"""

import re

from grader.clauses import Fragment, clause, fragments
from grader.phrases import Span
from grader.predicates import (
    ANSWER,
    ANYTHING,
    APPOSED,
    BAD,
    BARELY_BAD,
    COMMITTING,
    CONFIRMED,
    CONTRASTED,
    CUT_OFF,
    DEFINITE,
    DENYING,
    FAULTS,
    FRONTED,
    HEDGE,
    LEAD_OUT,
    LONGEST_MODIFIER,
    LONGEST_TOPIC,
    MATCHED,
    MODAL,
    MODALS,
    MODIFIER,
    NEAR,
    NEUTRAL_BAD,
    NEUTRAL_GOOD,
    OPEN,
    OTHER,
    OTHERS,
    OUTRIGHT,
    PART,
    PARTICLE,
    PAST_DENIED,
    PERSON,
    PLACE,
    PREDICATING,
    PRESUPPOSING,
    PREVENTIVE,
    PSEUDO,
    RAISING,
    RIGHT,
    RIGHTLY,
    RUMOUR,
    SOUND,
    SUBJECT,
    SUPPOSED,
    THEY_DO,
    TIED,
    TOPIC,
    TOPIC_DENIED,
    TYING,
    UNSEEN,
    UNVERBAL,
    VERDICT,
    WHY,
    WOULD,
    WRONGED,
    Status,
)
from grader.reader import Sentence
from grader.refuted import refuted, supposed
from grader.scene import Scene, has_verb, scene_of
from grader.scope import asked, framed, governed
from grader.support import is_verb

__all__ = ["Status", "clause", "hedges", "status"]


def status(sentence: Sentence, span: Span, *, named: bool = True) -> Status:
    """Say what a sentence does with the mention at `span`.

    `named` tells whether the mention is the name of a cause, which can be brought up without being asserted. Where it is
    some words of an account, what the account says of them otherwise is part of it.
    """
    lead = " ".join(sentence.lead.lower().split())
    if sentence.section == "ruled out" or (lead and LEAD_OUT.search(lead.rstrip(" :*_"))):
        return "ruled out"
    if refuted(sentence, span):
        return "ruled out"
    brought_up = supposed(sentence, span)
    if brought_up is not None:
        return brought_up
    scene = scene_of(sentence, span, named=named)
    own, by = _own(scene)
    answer = _answer(scene, own, by)
    if answer is not None:
        return answer
    if own == "asserted" and (sentence.section == "prevention" or PREVENTIVE.search(" ".join(scene.left))):
        return "preventive"
    return own


def _answer(scene: Scene, own: Status, by: str) -> Status | None:  # noqa: PLR0912, C901 one reason after the other
    """Return what later fragments, or the next sentence where this one says nothing itself, answer about the mention.

    A clause with a verb of its own that asserts the mention is contradicted by outright words only.
    """
    found: Status | None = None
    if not scene.named:
        return found
    if scene.earlier[-1:] == ["because"] or WHY.match(" ".join(scene.earlier)):
        return None
    bare = (
        own == "asserted"
        and not scene.clausal
        and (not has_verb([*scene.left, *scene.after[0].text.split()]) or scene.left[:1] == ["that"])
    )
    plural = scene.name.endswith("s") and not scene.name.endswith("ss")
    believed = by in ("thought", "perhaps", "say", "idea")
    replies = fragments(scene.following)[:2] if scene.following and (bare or own != "asserted") else []
    label = ""
    everything = [*scene.after[1:], *replies]
    for at, fragment in enumerate(everything):
        joints = fragment.joint.rpartition(",")[2].split() or fragment.joint.split()
        if any(joint in CUT_OFF for joint in joints):
            if own != "asserted" and WRONGED.search(fragment.text):
                found = "asserted" if own == "ruled out" else found
            continue
        text, of = fragment.text, label
        label = text
        if text.startswith("same ") and at + 1 < len(everything) and OTHER.match(everything[at + 1].text):
            continue  # `same values, other codes`
        following = everything[at + 1] if at + 1 < len(everything) else None
        if following is not None and following.joint.endswith(":") and following.text and not VERDICT.search(text):
            continue  # the label of something else
        if (
            joints[-1:] == [":"]
            and of
            and not (
                VERDICT.search(of) or text.startswith(("it ", "this ", "that ", "both ", "all ", "none", "neither"))
            )
        ):
            continue  # `features: no change` answers for the features.
        text = re.sub(scene.echo, "", text)
        said = SUBJECT.match(text)
        rest = text[said.end() :] if said else text
        if bare and APPOSED.match(text):
            own, believed, bare, found = "superseded", True, False, "superseded"
        elif own == "ruled out" and RIGHTLY.match(text):
            continue
        elif own == "ruled out" and not {"but", "yet", "however", "--", ":"} & set(joints):
            continue  # `the case against it is simple, the counter proves it`
        elif (
            (own != "asserted" or found == "ruled out")
            and not _limited(following)
            and (
                CONFIRMED.match(text)
                or (plural and THEY_DO.match(text))
                or (believed and not scene.neutral and RIGHT.match(text))
            )
        ):
            found = "asserted"
        elif (
            (OUTRIGHT.match(text) and not _limited(following))
            or (
                bare
                and not (scene.neutral and text == "wrong")
                and not _limited(following)
                and (ANSWER.match(text) or ANSWER.match(rest) or text.startswith(f"no {scene.name}"))
            )
            or (
                bare
                and not text.startswith("not ")
                and not _limited(following)
                and _denied(rest, scene)
                and not OTHERS.match(text)
            )
            or (bare and text == "not" and {"so", "hence", "therefore", "thus", "ergo"} & set(fragment.joint.split()))
            or (
                bare
                and joints[-1:] == [":"]
                and text.startswith(("no change", "no difference"))
                and at == len(everything) - 1
            )
            or (bare and joints[-1:] == [":"] and at == len(everything) - 1 and SOUND.match(text))
        ):
            found = "ruled out"
        elif bare and (SUPPOSED.match(text) or text.startswith("would ")) and found is None:
            found = "superseded"
    return found


def _limited(following: Fragment | None) -> bool:
    """Whether a denial holds for another time or place only, as in `this was not so before the change`."""
    return following is not None and following.joint.split()[-1:] in (["before"], ["until"], ["when"], ["after"])


def _denied(predicate: str, scene: Scene) -> bool:  # noqa: PLR0911 one reason after the other
    if scene.definite and re.match(r"(?:is|was|are|were) not to (?:be )?(?:see|seen|find|found) in\b", predicate):
        return False
    if scene.neutral and NEUTRAL_GOOD.match(predicate):
        return True
    if scene.neutral and NEUTRAL_BAD.match(predicate):
        return False
    if scene.left[-1:] in (["a"], ["an"], ["any"]) and PLACE.match(predicate):
        return True
    if scene.neutral and MATCHED.match(predicate):
        return True
    if BARELY_BAD.match(predicate) and not has_verb(scene.left):
        return True
    return any(each.match(predicate) for each in (DENYING, MODAL, BAD, PART))


def _own(scene: Scene) -> tuple[Status, str]:  # noqa: PLR0911, PLR0912, C901 one reason after the other
    """Return what the clause of a mention says about it, and by which kind of cue."""
    first = scene.after[0].text
    outer = framed(scene.earlier)
    if outer is not None:
        return outer, "frame"
    if not scene.named:
        return governed(scene)
    if asked(scene):
        return "hypothetical", "perhaps"
    if WHY.match(" ".join(scene.earlier)):
        return "asserted", ""
    if _exempted(scene):
        return "asserted", ""
    before, by = governed(scene)
    if before == "ruled out":
        return before, by
    supposed = by == "perhaps" and scene.definite and "if" in scene.left
    if PARTICLE.search(" ".join(scene.left)) and re.match(
        r"(?:\w+ )?(?:out|off|aside|up|down|away|from (?:the|our|my) \w*list)\b", first
    ):
        return "ruled out", "exclude"
    if before == "asserted" and scene.definite and scene.left[0] == "without":
        return before, by  # `without the leak the memory would be flat`
    topic = len(scene.left) > 0 and scene.left[0] in TOPIC and len(scene.left) <= LONGEST_TOPIC
    for predicate in _predicates(first):
        if CONFIRMED.match(predicate) and not scene.neutral:
            return "asserted", ""
        if OPEN.match(predicate):
            return "hypothetical", "perhaps"
        if RIGHT.match(predicate) and not scene.neutral and scene.name in FAULTS:
            return "asserted", ""
        if predicate == "no":
            return "ruled out", "predicate"
        if re.match(r"(?:is|was|are|were) not$", predicate) and CONTRASTED.search(
            " ".join([*scene.earlier, *scene.left]).partition(" finding ")[0]
        ):
            return "asserted", ""
        if TIED.search(predicate) and scene.after[1:2] and scene.after[1].joint in TYING:
            continue  # `did not exist before the release`
        if _denied(predicate, scene) or FRONTED.match(predicate) or (topic and TOPIC_DENIED.match(predicate)):
            # `if the mismatch had not happened` presupposes that it did.
            return ("asserted", "") if supposed else ("ruled out", "predicate")
        if SUPPOSED.match(predicate):
            return (before, by) if before != "asserted" else ("superseded", "idea" if "idea" in predicate else "look")
        if WOULD.match(predicate) and not scene.definite:
            return (before, by) if before != "asserted" else ("hypothetical", "perhaps")
    if (
        scene.left
        and re.match(r"(?:as for|as to|regarding|concerning)(?: an?| the)?$", " ".join(scene.left))
        and scene.after[1:2]
        and scene.after[1].joint == ","
    ):
        return "hypothetical", "idea"  # a topic, of which something is said
    if scene.left[:1] == ["that"] and RUMOUR.search(first):
        return "superseded", "idea"
    if first.startswith("to ") and scene.left[:1] == ["for"]:
        return "hypothetical", "perhaps"
    if (
        not scene.definite
        and scene.left
        and "about" in scene.left[-2:]
        and not {"is", "was", "be"} & set(scene.left[-4:])
    ):
        return "hypothetical", "perhaps"
    if scene.neutral and re.match(r"(?:verified|compared)\b", first):
        return "superseded", "look"
    if not scene.definite and not scene.neutral and before == "asserted":
        denied = PAST_DENIED.match(first)
        if denied and denied[1] not in PRESUPPOSING and denied[1] not in UNSEEN:
            return "ruled out", "predicate"
    if " held up" in first:
        return "asserted", ""
    if before == "asserted" and (scene.suspicion or (by != "presupposed" and not _committed(scene))):
        return "hypothetical", "idea"
    return before, by


def _committed(scene: Scene) -> bool:
    """Whether a mention that no cue touches is asserted: as a subject, in a note, or behind a verb that commits to its object."""
    masked = PSEUDO.sub("~", " ".join(scene.left)).split()
    verbs = [
        word
        for word in masked
        if word in COMMITTING or word in RAISING or (is_verb(word) and word not in UNVERBAL and word not in MODALS)
    ]
    # Behind a comma a name stands beside another one; before a verb it is the subject.
    beside = [at for at in range(len(masked)) if masked[at] == "," and len(masked) - at <= NEAR]
    if not verbs or beside or scene.subject:
        return True
    if verbs[-1] in RAISING:
        return False
    return scene.definite or verbs[-1] in COMMITTING or not PERSON.search(" ".join(masked))


def _predicates(text: str) -> list[str]:
    """Return what may be the predicate of a mention: what stands directly behind it, or behind `… in serving`."""
    found = [text]
    if MODIFIER.match(text):
        words = text.split()
        found += [
            " ".join(words[at:]) for at in range(2, min(len(words), LONGEST_MODIFIER)) if words[at] in PREDICATING
        ]
    return found


def _exempted(scene: Scene) -> bool:
    """Whether all but the mention is excluded, as in `everything but a leak was excluded`."""
    before = " ".join(scene.earlier)
    return (
        bool(re.search(r"\b(?:everything|all|nothing|none|anything)\b[^,;:]*\b(?:but|except|besides)$", before))
        and not ANYTHING.search(before)
        and all(word in DEFINITE or word in ("a", "an", "for", "by") for word in scene.left)
    )


def hedges(sentence: Sentence) -> int:
    """Count the hedges of a sentence, such as `probably`."""
    return len(HEDGE.findall(" ".join(sentence.words)))
