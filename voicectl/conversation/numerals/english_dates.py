"""Dates in English: days, months, years, decades and days of the week.

American: "November twenty-fifth"; British: "the twenty-fifth of November". A date in figures is read in the order of
the region, unless only the other one is possible.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicectl.conversation.numerals.english_tables import MONTHS, WEEKDAYS
from voicectl.conversation.numerals.language import Rule, any_of, before, behind, ends_sentence, rule

if TYPE_CHECKING:
    from voicectl.conversation.numerals.english import English

_NAMES = list(MONTHS)
_SHORT = {**{name[:3]: name for name in _NAMES}, "Sept": "September"}
_MONTH = any_of([*_NAMES, *_SHORT])
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = any_of(WEEKDAYS)
_DASH = "[-–—]"
_AFTER_MONTH = re.compile(rf"\b{_MONTH}\.? (?:the )?\Z")
_AFTER_DAY = re.compile(r"[0-9](?:st|nd|rd|th)?(?: of)? \Z")
_BEFORE_DAY = re.compile(rf",? (?:[0-9]|{_MONTH}\b)|(?:,? and |,? ?& ?|, ){_WEEKDAY}\b")
_UP_TO_MONTH = re.compile(rf"\b{_MONTH}\.? ?{_DASH} ?\Z")
_ON = re.compile(r"\b(?:on|by|until|till|from|before|after|since|dated?) \Z", re.IGNORECASE)
_TENS = ("hundreds tens twenties thirties forties fifties sixties seventies eighties nineties").split()


def date_rules(english: English) -> tuple[Rule, ...]:
    def the(match: re.Match[str]) -> str:
        return "" if before(match).lower().endswith("the ") else "the "

    def date(match: re.Match[str], day: int, month: int, year: int | None) -> str:
        name, nth = _NAMES[month - 1], english.ordinal(day)
        said = f"{name} {nth}" if english.american else f"{the(match)}{nth} of {name}"
        return said if year is None else f"{said}, {english.year(year)}"

    def iso(match: re.Match[str]) -> str | None:
        year, month, day = map(int, match.groups())
        return date(match, day, month, year) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def ordered(first: int, second: int) -> tuple[int, int] | None:
        """Day and month."""
        day, month = (second, first) if english.american else (first, second)
        if month > 12:
            day, month = month, day
        return (day, month) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def figures(match: re.Match[str]) -> str | None:
        found = ordered(int(match[1]), int(match[3]))
        year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
        return date(match, *found, year) if found else None

    def without_year(match: re.Match[str]) -> str | None:
        first, second = int(match[1]), int(match[2])
        found = ordered(first, second)
        certain = (
            max(first, second) > 12
            and second != 16
            and min(first, second) <= 12
            and found == ((second, first) if english.american else (first, second))
        )
        if found is None or not (certain or _ON.search(before(match))):
            return None
        return date(match, *found, None)

    def month(match: re.Match[str]) -> str | None:
        word, rest = match[1], behind(match)
        span = re.match(rf" ?{_DASH} ?{_MONTH}\b", rest)
        near = re.match(r" [0-9]", rest) or _AFTER_DAY.search(before(match)) or _UP_TO_MONTH.search(before(match))
        if span or near or match[2]:
            stop = "." if match[2] and ends_sentence(match) and not near else ""
            return _SHORT.get(word, word) + stop
        return None

    def months(match: re.Match[str]) -> str:
        return f"{_SHORT.get(match[1], match[1])} {english.to} "

    def weekdays(match: re.Match[str]) -> str:
        return WEEKDAYS[match[1]] + (", " if match[2] == "/" else f" {english.to} ")

    def weekday(match: re.Match[str]) -> str | None:
        word = match[1]
        in_list = re.search(rf"\b{_WEEKDAY}\.?(?: ?[-–—/] ?|,? |,? and |,? ?& ?)\Z", before(match))
        if word in ("Sat", "Sun") and not (in_list or _BEFORE_DAY.match(behind(match))):
            return None
        return WEEKDAYS[word] + ("." if match[2] and ends_sentence(match) else "")

    def day(match: re.Match[str]) -> str | None:
        n = int(match[1])
        if not 1 <= n <= 31 or not _AFTER_MONTH.search(before(match)):
            return None
        return ("" if english.american else the(match)) + english.ordinal(n)

    def days(match: re.Match[str]) -> str | None:
        first, last = int(match[1]), int(match[2])
        after = _AFTER_MONTH.search(before(match))
        ahead = re.match(rf" {_MONTH}\b", behind(match))
        if not (after or ahead) or not (1 <= first < last <= 31):
            return None
        article = "" if after and english.american else the(match)
        said = f"{article}{english.ordinal(first)} {english.to} {article and 'the '}{english.ordinal(last)}"
        return said if after else f"{said} of"

    def day_of(match: re.Match[str]) -> str | None:
        n = int(match[1])
        return f"{the(match)}{english.ordinal(n)} of" if 1 <= n <= 31 else None

    def years(match: re.Match[str]) -> str | None:
        first, last = int(match[1]), int(match[3])
        if not (1000 <= first <= 2099 and (last < 100 or 1100 <= last <= 2099)):
            return None
        link = " " if match[2] == "/" else f" {english.to} "
        return f"{english.year(first)}{link}{english.year(last) if last > 99 else english.cardinal(last)}"

    def decade(match: re.Match[str]) -> str | None:
        century, tens = match[1], int(match[2])
        if not century:
            return _TENS[tens] if tens else None
        if not tens and century.endswith("0"):
            return f"{english.cardinal(int(century) // 10)} thousands"
        return f"{english.cardinal(int(century))} {_TENS[tens]}"

    no_more = r"(?![0-9]|[:/.,%][0-9]|%)"
    return (
        rule(r"(?<![0-9])([12][0-9]{3})-([01][0-9])-([0-3][0-9])(?![0-9])", iso),
        rule(r"(?<![0-9/])([0-9]{1,2})([/.-])([0-9]{1,2})\2((?:[12][0-9])?[0-9]{2})(?![0-9/]|[.-][0-9])", figures),
        rule(r"(?<![0-9/])([0-9]{1,2})/([0-9]{1,2})(?![0-9/])", without_year),
        rule(rf"(?<![A-Za-z])({_WEEKDAY})\.? ?([-–—/]) ?(?={_WEEKDAY}(?![A-Za-z]))", weekdays),
        rule(rf"(?<![A-Za-z])({_WEEKDAY})(?![A-Za-z'’])(\.)?", weekday),
        rule(rf"(?<![A-Za-z])({_MONTH})\.? ?{_DASH} ?(?={_MONTH}(?![A-Za-z]))", months),
        rule(rf"(?<![A-Za-z])({any_of(_SHORT)})(?![A-Za-z'’])(\.)?", month),
        rule(r"(?<![0-9-])([12][0-9]{3}) ?([-–—/]) ?((?:[12][0-9])?[0-9]{2})(?![0-9]|[-–/][0-9])", years),
        rule(r"(?<![A-Za-z0-9])([0-9]{2})?([0-9])0s\b", decade),
        rule(rf"(?<![0-9]){_DAY} ?{_DASH} ?{_DAY}{no_more}", days),
        rule(rf"(?<![0-9:.,/]){_DAY}(?: of)?(?= {_MONTH}\b)", day_of),
        rule(rf"(?<![0-9]){_DAY}{no_more}", day),
    )
