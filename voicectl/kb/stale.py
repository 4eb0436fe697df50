"""What a document says that has passed: "until 31 December 2024", "price list 2023". Pure; today is an argument."""

from __future__ import annotations

import calendar
import re
from datetime import date

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name} | {
    name.lower(): number for number, name in enumerate(calendar.month_abbr) if name
}
_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DATES = (
    re.compile(rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?)?{_MONTH},? (?P<year>20\d\d)\b", re.IGNORECASE),
    re.compile(rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>20\d\d)\b", re.IGNORECASE),
    re.compile(r"\b(?P<year>20\d\d)-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>20\d\d)\b"),
)
_ENDS = re.compile(
    r"\b(?:until|till|through|valid (?:to|until|through|till)|ends?(?: on)?|expires?(?: on)?"
    r"|no later than|not after|deadline:?(?: is)?"
    r"|last day:?(?: is)?|up to and including|runs? to|closing date:?)\s+(?:the )?(?:end of )?(?:\w+day,? )?(?:the )?$",
    re.IGNORECASE,
)
_WILL = re.compile(r"\b(?:will|going to|upcoming|coming soon)\b", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:from|since|as of|after|starting|beginning|effective)(?: on)? (?:the )?$", re.IGNORECASE)
_YEARLY = re.compile(
    r"\b(?:price list|prices|rates|fees|tariffs?|hours|schedule|season|calendar|offers?"
    r"|programme?|timetable|menu|events?|dates|holidays)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\d.,$€£/-])20\d\d(?![\d/-])")


def past(sentence: str, today: date) -> date | None:
    """The day on which what a sentence says came to an end, where it names one that is past."""
    for pattern in _DATES:
        for found in pattern.finditer(sentence):
            day = _date(found)
            if day is not None and day < today:
                before = sentence[: found.start()]
                if _ENDS.search(before) or (_WILL.search(sentence) and not _SINCE.search(before)):
                    return day
    return None


def past_year(heading: str, today: date) -> int | None:
    """The year that a heading dates its contents with, where that is over: "Price list 2023"."""
    years = [int(found.group()) for found in _YEAR.finditer(heading)]
    if years and max(years) < today.year and _YEARLY.search(heading):
        return max(years)
    return None


def _date(found: re.Match[str]) -> date | None:
    """The day a match names; the last of the month where only a month is named."""
    name, year = found["month"].lower(), int(found["year"])
    month = _MONTHS.get(name) or int(name)
    day = found["day"]
    if not day and 1 <= month <= 12:
        return date(year, month, calendar.monthrange(year, month)[1])
    if month > 12 >= int(day):
        month, day = int(day), str(month)
    try:
        return date(year, month, int(day))
    except ValueError:
        return None
