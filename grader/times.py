"""Points in time as post-mortems write them, their order, and the durations stated beside them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_MOMENT = re.compile(
    r"\b(?P<date>\d{4}-\d{2}-\d{2})(?:[ T,]+(?:at )?(?P<at>\d{1,2}:\d{2}))?\b"
    r"|\b(?P<day>\d{1,2})\.? (?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{4})?(?:[ ,]+(?:at )?(?P<on>\d{1,2}:\d{2}))?\b"
    r"|\bT ?\+ ?(?P<after>\d{1,4}) ?(?P<unit>h|min|m)?\b"
    r"|\b(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day,?(?: \w+)? (?:at )?(?P<then>\d{1,2}:\d{2})\b"
    r"|(?<![\d:.-])(?P<clock>\d{1,2}(?::|h)\d{2})(?![\d:%])",
    re.IGNORECASE,
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
_DURATION = re.compile(
    r"\bfor (?:about |roughly |around |some |almost |nearly |approximately |~ ?)?(?P<much>\d+(?:\.\d+)?|one|two|three|four|five|six) "
    r"?(?P<unit>minutes?|mins?|hours?|hrs?|h|days?)\b"
    r"|\b(?P<total>\d+(?:\.\d+)?) ?(?P<tunit>minutes?|mins?|hours?|hrs?|h|days?) (?:in total|long|of (?:downtime|degraded|impact))",
    re.IGNORECASE,
)
_WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True)
class Moment:
    """One point in time: `day` where a date is written, `minute` of the day where a time is, `text` as written."""

    day: date | None
    minute: int | None
    text: str
    relative: bool = False
    """Whether it counts from the beginning of the incident, as in `T+20`."""
    weekday: str = ""
    """The day of the week where one is written; weeks wrap, so that its order is not judged."""

    @property
    def full(self) -> datetime | None:
        """Date and time together; midnight where no time is written, None without a date."""
        if self.day is None:
            return None
        return datetime(self.day.year, self.day.month, self.day.day) + timedelta(minutes=self.minute or 0)  # noqa: DTZ001


def _clock(text: str | None) -> int | None:
    if not text:
        return None
    hours, minutes = (int(part) for part in re.split(r"[:hH]", text))
    return hours * 60 + minutes if hours <= 24 and minutes < 60 else None  # noqa: PLR2004 - a clock's own limits


def _moment(match: "re.Match[str]") -> Moment | None:
    try:
        if match["date"]:
            return Moment(date.fromisoformat(match["date"]), _clock(match["at"]), match[0])
        if match["month"]:
            month = _MONTHS.index(match["month"].lower()) + 1
            # Without a year the order within one incident is still readable.
            return Moment(date(2000, month, int(match["day"])), _clock(match["on"]), match[0])
    except ValueError:
        return None
    if match["weekday"]:
        return Moment(None, _clock(match["then"]), match[0], weekday=match["weekday"].lower())
    if match["after"]:
        factor = 60 if (match["unit"] or "").lower() == "h" else 1
        return Moment(None, int(match["after"]) * factor, match[0].strip(), relative=True)
    minute = _clock(match["clock"])
    return None if minute is None else Moment(None, minute, match[0])


def moments(text: str) -> list[Moment]:
    """Return the points in time that a text writes, in the order of the text. Impossible ones are left out."""
    return [found for match in _MOMENT.finditer(text) if (found := _moment(match)) is not None]


def disorder(found: Sequence[Moment]) -> tuple[Moment, Moment] | None:
    """Return the first two neighbours that are out of order, or None.

    Times without a date belong to the last date before them; where there is no date at all, one midnight may pass.
    """
    last: Moment | None = None
    day: date | None = None
    wrapped = False
    for moment in found:
        day = moment.day or day
        here = Moment(day, moment.minute, moment.text, moment.relative, moment.weekday)
        if moment.weekday and (last is None or moment.weekday != last.weekday):
            last = moment
            continue
        if last is not None and here.minute is not None and last.minute is not None:
            if here.day is not None and last.day is not None:
                if (here.day, here.minute) < (last.day, last.minute):
                    return last, here
            elif here.relative == last.relative and here.minute < last.minute:
                if wrapped or here.relative or last.minute - here.minute < MINUTES_PER_DAY // 4:
                    return last, here
                wrapped = True
        elif last is not None and here.day is not None and last.day is not None and here.day < last.day:
            return last, here
        last = here
    return None


def stated_minutes(text: str) -> float | None:
    """Return the duration that a text states, in minutes, as in `for 45 minutes`; None where there is none."""
    match = _DURATION.search(text)
    if match is None:
        return None
    much, unit = match["much"] or match["total"], (match["unit"] or match["tunit"]).lower()
    value = _WORDS.get(much.lower()) or float(much)
    return value * (MINUTES_PER_DAY if unit.startswith("d") else 60 if unit.startswith("h") else 1)


def span_minutes(text: str) -> float | None:
    """Return the length of the window that a text writes with its first and last point in time, in minutes."""
    found = moments(text)
    if len(found) < 2 or found[0].minute is None or found[-1].minute is None:  # noqa: PLR2004 - a window has two ends
        return None
    first, last = found[0], found[-1]
    if first.full and last.full:
        return (last.full - first.full).total_seconds() / 60
    if first.relative != last.relative or last.day is not None:
        return None
    gap = (last.minute or 0) - (first.minute or 0)
    return float(gap if gap >= 0 else gap + MINUTES_PER_DAY)
