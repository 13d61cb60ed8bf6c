"""Reports that are taken back at the end of a sentence, however long they are.

`Our first theory was that …; the measurements refuted it` opens with a report and closes with a verdict on it. What stands
between the two may have clauses of its own, so no scope that ends with a clause reaches it: opening and close are looked
for at the two ends of the sentence instead, as the correlative cues of ConText are
(Harkema et al., 2009, doi:10.1016/j.jbi.2009.05.002).
"""

import re
from typing import Literal

from grader.phrases import Span
from grader.reader import Sentence

_IDEA = r"(?:theory|theories|idea|hypothesis|suspicion|hunch|guess|assumption|notion|suggestion|thought|belief|claim|explanation|possibility|impression|view|rumou?r|opinion|worry|fear|myth|conviction)"
_SAID = (
    r"(?:thought|believed|assumed|suspected|guessed|supposed|feared|claimed|said|argued|suggested|proposed|reported|wrote|told (?:us|me)|insisted|"
    r"checked|tested|asked|wondered|verified|examined|looked|considered)"
)
_WHO = r"(?:we|i|they|he|she|people|some(?:body|one| of us)?|every(?:body|one)|one of us|(?:a|the|my|our|another|one) (?:\w+ )?\w+)"
_NOMINAL = re.compile(rf"(?:(?:but|and|so|also|first) )*(?:that|(?:the|our|my|any|a|an) (?:\w+ ){{0,2}}{_IDEA} that)\b")
"""A sentence whose subject is what it reports: its predicate comes last."""
_REPORTING = re.compile(
    rf"(?:(?:but|and|so|also|first|at first|initially|then|,) )*(?:{_WHO} (?:\w+ ){{0,3}}?{_SAID}(?: (?:that|whether|if|first))?|"
    rf"(?:the|our|my|a|an|one) (?:\w+ ){{0,2}}{_IDEA} (?:is|was|had been)(?: that)?|it (?:is|was|has been|had been) (?:\w+ )?{_SAID} that|"
    rf"{_WHO} (?:\w+ ){{1,4}}?(?:the|a|an|our|my|this) (?:\w+ ){{0,2}}{_IDEA} that|there (?:is|was|were|has been) (?:\w+ ){{0,2}}{_IDEA} that|{_WHO} (?:is|was|were|am|are) (?:\w+ )?(?:sure|certain|convinced|persuaded|confident) that)\b"
)
"""A sentence that says who reports something, and then what."""
_OUGHT = r"(?:(?:now|safely|also|clearly|therefore|thus|simply|plainly|just|really|definitely|at least) )*"
_DENYING = re.compile(
    rf"(?:(?:but|and|so|also|first|therefore|now|,) )*(?:"
    rf"(?:we|i|they|one|you) (?:(?:can|could|have|had|may|were able to) )?{_OUGHT}(?:exclude|excluded|rule out|ruled out|rejected|reject|dismissed|dismiss)"
    rf"|it (?:is|was|would be) {_OUGHT}(?:untrue|false|wrong|incorrect|impossible|unlikely|inconceivable|not (?:true|so|the case|possible)|no longer (?:true|the case))"
    rf"|at no (?:time|point|moment) (?:was it (?:the case|true|so)|did (?:we|i) (?:find|believe|think))"
    rf"|(?:we|i|nobody) (?:no longer|do not|did not|does not|never) {_OUGHT}(?:believe|believed|think|thought|accept|hold)"
    rf"|(?:we|i|there) (?:found|have|had|saw|see|is|was|are|were) (?:nothing|no \w+|not a single \w+)(?: \w+){{0,2}}? (?:support|supports|supported|supporting|suggest|suggests|suggesting|show|shows|showing|for|of|in favour of)"
    rf"|(?:nothing|no \w+)(?: (?:we|i) (?:saw|found|measured))? (?:supports?|supported|suggests?|suggested|shows?|showed|indicates?)"
    rf")(?: (?:the|any|that|this) {_IDEA}| the \w+ {_IDEA})? that\b"
)
"""An opening that denies everything in its complement, however many clauses that has."""
_TURNS = re.compile(
    r"(?:, (?:but|yet|instead|rather|because)|[;:]|\b(?:anybody|anyone) (?:could|would) have\b|\b(?:however|in fact|in reality)\b)"
)
_BAD = r"(?:false|wrong|untrue|incorrect|mistaken|unfounded|baseless|a mistake|an error|a dead end|a red herring)"
_UNDONE = rf"(?:(?:turned|turns) out(?: to be)? {_BAD}|proved(?: to be)? {_BAD}|(?:is|was|has been|could)(?: be)? (?:not|never) (?:be )?(?:confirmed|so|true|the case|supported|borne out|reproduced)|(?:is|was|has been|could be) (?:refuted|disproved|ruled out|excluded|contradicted|rejected)|(?:does|did) not (?:hold|hold up|survive|stand up))"
_JUDGED = rf"(?:(?:none|nothing|not a word) of (?:it|this|that) (?:is|was) (?:true|so|right|correct)|(?:it|this|that|which|none of it|nothing of it)(?: all)? (?:{_UNDONE}|(?:is|was) (?:simply |plainly |just )?(?:{_BAD}|not (?:so|true|the case|right|correct)))|(?:it|this|that|which) (?:the )?\w* ?(?:refutes?d?|contradicts?|contradicted))"
_BY_FACTS = r"(?:(?:the|our|all|all the|these|those|both) )?(?:\w+ ){0,2}\w+ (?:refuted?|refutes|contradict(?:s|ed)?|disproved?|disproves|exclude[sd]?|ruled? out|rules out|den(?:y|ies|ied)|spoke against|speaks? against) (?:it|this|that|them)"
_AT_ALL = re.compile(rf"{_UNDONE}(?: (?:by|in|on|to|with|a|the)(?: \w+){{1,6}})?$")
_VERDICT = re.compile(
    rf"(?:^|(?:[,;:?] |\b(?:and|but|yet|though|however) )+)(?:{_JUDGED}|{_BY_FACTS}|(?:(?:we|i|they|he|she) )?(?:were|was) (?:mistaken|wrong)|(?:it|this|that) (?:does|did|is|was) not)$"
)


_NOT_SAID = re.compile(
    r"\b(?:theory|theories|idea|hypothesis|suspicion|hunch|guess|assumption|notion|suggestion|thought|belief|claim|claims|possibility|impression|view|rumou?r|myth|accusation|talk|"
    r"speculation|opinion|fear|worry|legend|tale|objection|proposal|supposition|conviction|feeling|allegation|assertion|denial|"
    r"reject|rejected|exclude|excluded|den(?:y|ies|ied)|doubt|doubts|doubted|disputed?|pretend(?:ed)?|imagined?|hoped?|feared|claimed|argued|suggested|proposed|insisted|speculated|"
    r"false|wrong|untrue|possible|impossible|unlikely|conceivable|inconceivable|plausible|implausible|improbable)$"
)
"""What stands before `that` where the complement is brought up and not said."""
_UNREAL = re.compile(
    r"\b(?:if|unless|suppose|supposing|had (?:we|i|it|they)|were (?:we|i|it|they)|(?:does|do|did|is|was|could|can|would) (?:it|this|we|i))\b"
)
_TELLING = re.compile(
    r"\b(?:true|right|case|correct|follow|follows|show|shows|showed|shown|prove|proved|proven|confirm|confirmed|say|find|found|conclude|concluded)$"
)
_NONE = re.compile(r"\b(?:no|not|never|nobody|no one|none|nothing|neither|hardly|scarcely)\b")
_OTHERS = re.compile(
    rf"\b(?:colleagues?|team|vendor|manager|boss|people|somebody|someone|they|he|she|customers?|users?|everybody|everyone|others)\b.*\b(?:sure|certain|convinced|persuaded|of the opinion|{_SAID})$"
)


_NO = re.compile(
    r"(?:no [,;]|(?:it|this|that) (?:does|did|is|was) not(?: (?:so|true|the case))? ;|far from it|not at all|by no means|hardly ;|not so ;)"
)
_DENIED_HEAD = re.compile(
    r"\b(?:myth|false|wrong|untrue|reject|rejected|exclude|excluded|den(?:y|ies|ied)|impossible|inconceivable|unlikely|implausible|improbable)$"
)
_LEFT = re.compile(
    r"\b(?:g[ai]ve up|given up|giving up|abandon(?:ed)?|drop(?:ped)?|let go|discard(?:ed)?|dismiss(?:ed)?|reject(?:ed)?|withdr[ae]wn?|disagree(?:d)?|refut(?:e|ed)|disprove[dn]?)\b"
)
_CONTRARY = re.compile(r"\b(?:if (?:it|this|that|we|i) (?:were|had)|had (?:we|i|it|they)|were (?:it|we|i))\b")


_ASIDE = re.compile(r"(?:while|although|though|when|whereas|since|as)\b")
"""A subordinate clause in front, whose complement ends where the main clause begins."""
_UPHELD = re.compile(
    r"\b(?:h[eo]ld(?:s)? up|holds|stands|stood|(?:was|is|were|proved|turned out)(?: to be)? (?:right|true|correct|confirmed|borne out|justified))\b"
)
_AMAZED = re.compile(r"\b(?:would (?:ever )?have (?:thought|believed|guessed)|no idea|less (?:i|we) doubt|no doubt)\b")
"""Surprise at what is so, or certainty."""


def supposed(sentence: Sentence, span: Span) -> Literal["ruled out", "hypothetical"] | None:
    """Return what a `that` before the mention at `span` makes of it, if its head brings it up without saying it.

    A complement is asserted by few heads (`we found that`, `the reason is that`) and only brought up by the others: nouns of
    opinion (`the myth that`), conditions and questions, denied heads, and what others were sure of.
    """
    words = sentence.words
    for at in range(1, span.start + 1):
        if words[at - 1] != "that":
            continue
        first = next((i + 1 for i in range(at - 2, -1, -1) if words[i] in (",", ";", ":", "(", ")")), 0)
        head = " ".join(words[first : at - 1])
        unreal = bool(_TELLING.search(head)) and bool(_UNREAL.search(head) or _NONE.search(head))
        if (
            (_NOT_SAID.search(head) or unreal or _OTHERS.search(head))
            and not _DOUBLE.search(head)
            and not _AMAZED.search(head)
        ):
            between = " ".join(words[at : span.start])
            aside = bool(_ASIDE.match(head)) and " , " in between
            upheld = bool(_UPHELD.search(" ".join(words[span.end :])))
            if not (_TURNS.search(between) or aside or upheld):
                denied = _DENIED_HEAD.search(head) or _LEFT.search(head) or _CONTRARY.search(head)
                return "ruled out" if denied or (unreal and _NONE.search(head)) else "hypothetical"
    return None


_DOUBLE = re.compile(
    r"\b(?:no|not|nobody|never|hardly|cannot|without)\b.*\b(?:reject|rejected|exclude|excluded|den(?:y|ied)|doubts?|doubted|disputed?|wrong|false|untrue|impossible|unlikely|implausible|improbable|inconceivable|question)$"
)
"""A denial of a denial, which the composed cues read."""


def refuted(sentence: Sentence, span: Span) -> bool:
    """Say whether the mention at `span` stands in a report that the sentence, or the next one, takes back as a whole."""
    text = " ".join(sentence.words)
    before = len(" ".join(sentence.words[: span.end]))
    opening = _DENYING.match(text)
    if opening and opening.end() <= before and not _TURNS.search(text[opening.end() : before]):
        return True
    if sentence.words[-1:] == ["?"] and _NO.match(" ".join(sentence.following)):
        return True
    if _NOMINAL.match(text):
        close = _AT_ALL.search(text)
        if close and close.start() >= before:
            return True
    if not _REPORTING.match(text):
        return False
    close = _VERDICT.search(text)
    if close and close.start() >= before:
        return True
    return bool(_VERDICT.match(" ".join(sentence.following)))
