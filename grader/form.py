"""Prevention and form: actions that can be checked, impact with a number and a window, times, terms, no blame."""

import re
from collections.abc import Iterable
from datetime import timedelta

from crashlab.model import Brief, Item, ItemStatus
from grader import causes, times
from grader.phrases import find_any
from grader.reader import Document, Sentence, stems
from grader.status import status
from grader.support import reads_as_sentence
from grader.text import one_line

_ACTION = re.compile(
    r"\b(?:add|adds|added|pin|pinned|alert|check|checks|test|assert|block|validate|validates|require|requires|compare|compares|monitor|"
    r"log|gate|protect|document|record|run|fail|fails|refuse|reject|automate|write|build|introduce|create|enforce|measure|verify|share|"
    r"move|replace|remove|raise|change|set|define|tune|lower|extend|include|install|lock|restrict|review|make|put|use|store|export|"
    r"implement|adopt|configure|schedule|lint|tighten|rework|silence|rewrite|teach|limit|allow|deploy|stop|page|pages|pack|ship)\b"
)
_VAGUE = re.compile(
    r"\b(?:be (?:more |very )?(?:careful|careful|attentive|vigilant|aware)|pay (?:more |better )?attention|take (?:more )?care|try harder|"
    r"do better|improve (?:communication|awareness|quality|processes)|remember to|keep in mind|think (?:twice|about)|be mindful|"
    r"train (?:the )?(?:people|staff|team)|double[- ]check)\b"
)
_VERIFY = re.compile(
    r"\b(?:fails?|failing|so that|alerts?|alarm|pages?|test|tests|ci|pipeline|gate|assert\w*|before (?:the |each |every |a |any )?"
    r"(?:deploy\w*|release|promotion|merge|rollout)|when(?:ever)?|if|unless|threshold|above|below|exceeds?|more than|less than|every|"
    r"each|daily|weekly|hourly|nightly|per|until|refuses?|rejects?|blocks?|automatically|review(?:ed|er)?|build|startup|start-up|check(?:ed|s)?|"
    r"verif\w+|measur\w+|compar\w+|due|owner|at least|within|zero|equal)\b|\d"
)
_THING = re.compile(
    r"\b(?:parity|feature\w*|pin\w*|version\w*|requirements?|lock\w*|alias\w*|promotion\w*|registry|unit\w*|schema|contract|imput\w+|null\w*|"
    r"missing|median|handler\w*|event loop|async|endpoint\w*|latency|p95|p99|mae|error|health|warning\w*|alert\w*|threshold\w*|"
    r"image|environment|package\w*|dependenc\w+|predictions?|drift|skew|tests?|ci|deploy\w*|canary|shadow|rollback|library|pipeline|"
    r"log\w*|monitor\w*|dashboard|runbook|model|training|serving|column\w*|range|traffic|permission\w*|approval|label\w*)\b"
)
_NUMBER = re.compile(r"\d")
_TIME = re.compile(r"\b(?:\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}|t\s?\+\s?\d+|\d{1,2}h\d{2})\b", re.IGNORECASE)
_WINDOW = re.compile(
    r"\b(?:from .{1,60}? (?:to|until|till|through)|between .{1,60}? and|since|for (?:about |roughly |some |almost |over |the )*"
    r"(?:\d+|one|two|three|four|five|six|seven|several|a few|half a|last|whole|entire)|until|during|"
    r"\d+(?:\.\d+)?\s*(?:h|hours?|minutes?|min|days?|weeks?)\b|\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|all (?:day|night|week|weekend))",
    re.IGNORECASE,
)
_DETECTED = re.compile(
    r"\b(?:alert\w*|monitor\w*|page[dr]?\b|rule|fired|triggered|noticed|detected|reported|complain\w*|dashboard|customer\w*|user\w*|"
    r"report\w*|on-call)\b"
)
_BLAME = re.compile(
    r"\b(?:human error|(?:his|her|their|someone's|somebody's|\w+'s) (?:fault|mistake|negligence|incompetence)|careless\w*|incompeten\w+|"
    r"negligen\w+|stupid\w*|idiot\w*|lazy|sloppy|should have known|(?:is|was|are|were) to blame for|blame (?:goes|lies)|whose fault|"
    r"(?:the|a) (?:junior|intern|new guy|newbie|colleague) (?:broke|forgot|messed|screwed|did)|screwed up|messed up)\b",
    re.IGNORECASE,
)
_PARTS = ("impact", "timeline", "detection", "blameless", "terms")


def _sections(document: Document, *names: str) -> list[Sentence]:
    return [sentence for sentence in document.prose if sentence.section in names]


def _item(
    name: str, title: str, sentence: Sentence | None, most: float, earned: float, improve: str, observed: str = ""
) -> Item:
    grade: ItemStatus = "passed" if earned >= most else "partial" if earned > 0 else "failed"
    return Item(
        id=name,
        title=title,
        status=grade,
        points=round(earned, 2),
        max_points=most,
        quote=one_line(sentence.text) if sentence else "",
        observed=observed,
        improve="" if grade == "passed" else improve,
    )


def action_score(sentence: Sentence, names: frozenset[str]) -> float:
    """Grade one action between 0 and 1: a verb, an object, a way to verify; vague resolutions are worth nothing."""
    text = " ".join(sentence.words)
    if _VAGUE.search(text) or not _ACTION.search(text) or not reads_as_action(sentence):
        return 0.0
    thing = _THING.search(text) is not None or any(word in names for word in sentence.words)
    if not thing:
        return 0.0
    return 1.0 if _VERIFY.search(_ACTION.sub("", text, count=1)) else 0.5


_AND_ALSO = re.compile(r"^(?:and|also|besides|moreover|as well as)\b")


def action_scores(sentence: Sentence, names: frozenset[str]) -> list[float]:
    """Grade the actions of a sentence, of which one who writes long ones may put two into one."""
    whole = action_score(sentence, names)
    found = [whole]
    words = sentence.words
    for at, word in enumerate(words[:-1]):
        rest = words[at + 1 :]
        if whole and word in (",", ";") and _AND_ALSO.match(" ".join(rest[:2])) and len(rest) >= SECOND_ACTION:
            second = Sentence(sentence.text, rest, sentence.section, sentence.kind)
            found.append(action_score(second, names))
            break
    return found


def reads_as_action(sentence: Sentence) -> bool:
    """Say whether a sentence or a bullet point is an instruction and not a list of words."""
    words = sentence.words
    if reads_as_sentence(sentence):
        return True
    joined = {
        "the",
        "a",
        "an",
        "in",
        "on",
        "of",
        "to",
        "for",
        "with",
        "that",
        "when",
        "if",
        "and",
        "before",
        "at",
        "from",
        "between",
        "every",
        "per",
        "against",
    }
    return len(words) >= 5 and _ACTION.match(words[0]) is not None and bool(joined & set(words))  # noqa: PLR2004


def prevention(document: Document, names: frozenset[str], most: float = 5.0) -> Item:
    """Grade the actions: one that can be checked is worth most of the points, a second one the rest."""
    scored = sorted(
        (
            (score, -at, sentence)
            for at, sentence in enumerate(_sections(document, "prevention"))
            for score in action_scores(sentence, names)
        ),
        key=lambda each: (each[0], each[1]),
        reverse=True,
    )
    best = [(score, sentence) for score, _, sentence in scored if score > 0][:2]
    earned = most * min(1.0, sum(share * score for share, (score, _) in zip((0.8, 0.2), best, strict=False)))
    sentence = best[0][1] if best else (scored[0][2] if scored else None)
    return _item(
        "prevention",
        "Actions that can be checked",
        sentence,
        most,
        earned,
        "Name two actions with a verb, an object and a way to verify, for instance a check that fails before a release.",
    )


SECOND_ACTION = 8
"""Words of the shortest second action that is taken for one."""
FIGURE = 16
"""Words of the longest note that gives figures."""
NEAR = timedelta(days=1)
"""How far outside of what the brief dates a stated window may lie: incidents span days, and clocks have zones."""


def _out_of_window(text: str, brief: Brief | None) -> bool:
    """Whether every date that a text writes lies outside of the incident, by what the brief has told."""
    said = [moment.full for moment in times.moments(text) if moment.full is not None]
    if brief is None or not said:
        return False
    told = [each.since for each in brief.alerts] + [each.at for each in brief.timeline]
    if not told:
        return False
    first, last = min(told).replace(tzinfo=None) - NEAR, max(told).replace(tzinfo=None) + 3 * NEAR
    # A date without a year was read as one of the year 2000; only month and day are compared.
    return not any(first <= each.replace(year=first.year) <= last for each in said if (each.month, each.day) != (2, 29))


def _is_figure(sentence: Sentence) -> bool:
    """Say whether a note gives figures, as in `All traffic, 05 Sep 06:30 - 07 Sep 09:00`."""
    spelt = [word for word in sentence.words if word.isalpha()]
    return bool(sentence.numbers) and 2 <= len(spelt) <= FIGURE and sentence.words.count(",") <= 3  # noqa: PLR2004


def impact(document: Document, brief: Brief | None = None) -> Item:
    """Impact needs a number and a window, and the window must be this incident's."""
    sentences = [s for s in _sections(document, "impact") if reads_as_sentence(s) or _is_figure(s)]
    text = " ".join(s.text for s in sentences)
    bare = _TIME.sub(" ", text)
    sized, windowed = bool(_NUMBER.search(bare)), bool(_WINDOW.search(text))
    strange = windowed and _out_of_window(text, brief)
    windowed = windowed and not strange
    return _item(
        "impact",
        "Impact with a number and a window",
        sentences[0] if sentences else None,
        1.0,
        0.5 * sized + 0.5 * windowed,
        "Compare the window with the times of the alerts and of the changes before them."
        if strange
        else "Say how much worse it was for whom, and from when until when.",
        "The window that is given lies outside of the incident." if strange else "",
    )


def timeline(document: Document) -> Item:
    """A timeline has at least two different times, in order."""
    sentences = _sections(document, "timeline")
    written = list(dict.fromkeys(match[0] for s in sentences for match in _TIME.finditer(s.text)))
    wrong = times.disorder(times.moments("\n".join(s.text for s in sentences)))
    earned = min(1.0, len(written) / 2)
    return _item(
        "timeline",
        "Timeline with times",
        sentences[0] if sentences else None,
        1.0,
        earned / 2 if wrong else earned,
        "Put the events in the order in which they happened."
        if wrong
        else "Give events with their times, the change that started it and the alert among them.",
        f"{wrong[1].text} stands after {wrong[0].text}." if wrong else "",
    )


def detection(document: Document) -> Item:
    """Say how it was noticed."""
    sentences = [
        s for s in _sections(document, "detection", "timeline", "summary") if _DETECTED.search(" ".join(s.words))
    ]
    own = [s for s in sentences if s.section == "detection" and reads_as_sentence(s)]
    earned = 1.0 if own else 0.5 if sentences else 0.0
    return _item(
        "detection",
        "How it was noticed",
        next(iter(own or sentences), None),
        1.0,
        earned,
        "Say which rule or person noticed it, and what could have shown it earlier.",
    )


def blameless(document: Document) -> Item:
    """Systems fail; nobody is blamed. Needs some prose of the learner's own."""
    blaming = [s for s in document.prose if _BLAME.search(s.text)]
    written = sum(reads_as_sentence(s) for s in document.prose) >= 3  # noqa: PLR2004 - less is no post-mortem
    return _item(
        "blameless",
        "No blame",
        blaming[0] if blaming else None,
        1.0,
        0.0 if blaming or not written else 1.0,
        "Describe what the system allowed instead of who did it." if blaming else "There is too little prose to judge.",
    )


def near_misses(document: Document, declared: str) -> Iterable[tuple[Sentence, str]]:
    """Yield sentences that assert a near-miss term for the declared cause, with the term."""
    cause = causes.load().by_id.get(declared)
    if cause is None:
        return
    for sentence in document.prose:
        if sentence.section in ("prevention", "detection"):
            continue
        words = stems(sentence.words)
        for term in cause.imprecise:
            if any(status(sentence, span) == "asserted" for span in find_any((term,), words)):
                yield sentence, term


def terms(document: Document, declared: str) -> Item:
    """Precise terms against their near misses, judged by the cause that the learner declared."""
    cause = causes.load().by_id.get(declared)
    wrong = next(iter(near_misses(document, declared)), None)
    written = sum(reads_as_sentence(s) for s in document.prose) >= 3 and cause is not None  # noqa: PLR2004
    improve = "There is too little prose to judge."
    if wrong is not None and cause is not None:
        improve = f"You write '{wrong[1]}'; for the cause that you name the precise term is '{cause.precise}'."
    return _item(
        "terms", "Precise terms", wrong[0] if wrong else None, 1.0, 1.0 if written and wrong is None else 0.0, improve
    )
