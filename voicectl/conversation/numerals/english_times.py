"""Times of day in English: "10:30", "9:05 a.m.", "10am-6pm", "9:30-17:00"."""

from __future__ import annotations

import re
from typing import NamedTuple

from voicectl.conversation.numerals.language import Language, Number, Rule, Thing, behind, ends_sentence, rule

_HALF = r"(?:[AaPp]\.[Mm]\.?|[AaPp][Mm])(?![A-Za-z])"
_AT = rf"([0-9]{{1,2}})(?:[:.]([0-9]{{2}}))?(?: ?({_HALF}))"
_CLOCK = rf"([01]?[0-9]|2[0-4]):([0-5][0-9])(?: ?({_HALF}))?(?::([0-5][0-9]))?(?![0-9])"
_HOUR = rf"([0-9]{{1,2}})(?::([0-5][0-9]))?(?: ?({_HALF}))?"
_NO_PROPER_SENTENCE = re.compile(r" (?:Mon|Tues?|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")


_SECOND = Thing("second", "seconds")


class _Time(NamedTuple):
    hour: int
    minute: int
    half: str
    """"AM", "PM" or ""."""


def time_rules(language: Language) -> tuple[Rule, ...]:
    def read(hour: str, minute: str | None, half: str | None) -> _Time | None:
        h, m, of_day = int(hour), int(minute or 0), (half or "").replace(".", "").upper()
        if h > 24 or m > 59 or (of_day and h > 12):
            return None
        if h > 12 and h < 24:
            return _Time(h - 12, m, "PM")
        if h in (0, 24):
            return _Time(12, m, "AM")
        return _Time(h, m, of_day)

    def words(time: _Time, *, alone: bool = True) -> str:
        said = language.cardinal(time.hour)
        if time.minute:
            said += (
                f" oh {language.cardinal(time.minute)}" if time.minute < 10 else f" {language.cardinal(time.minute)}"
            )
        elif not time.half and alone:
            said += " o'clock"
        return f"{said} {time.half}" if time.half else said

    def stop(match: re.Match[str]) -> str:
        """The full stop behind "a.m." that ends the sentence, too."""
        sentence = ends_sentence(match) and not _NO_PROPER_SENTENCE.match(behind(match))
        return "." if match[0].endswith(".") and sentence else ""

    def one(match: re.Match[str]) -> str | None:
        if match[1] in ("0", "00", "24") and match[2] == "00" and not match[3]:
            return "midnight"
        time = read(match[1], match[2], match[3])
        if time is None:
            return None
        seconds = match[4] if match.re.groups > 3 else None
        if seconds and int(seconds):
            return f"{words(time, alone=False)} and {language.measured(Number(int(seconds)), _SECOND)}"
        return words(time, alone=not behind(match).startswith(" o")) + stop(match)

    def o_clock(match: re.Match[str]) -> str:
        return f"{language.cardinal(int(match[1]))} o'clock"

    def span(match: re.Match[str]) -> str | None:
        start, end = read(match[1], match[2], match[3]), read(match[4], match[5], match[6])
        clock = match[2] or match[3] or match[5] or match[6]
        if not clock or start is None or end is None:
            return None
        if start.half == end.half and match[6]:
            start = start._replace(half="")
        return f"{words(start, alone=False)} {language.to} {words(end, alone=False)}{stop(match)}"

    return (
        rule(rf"(?<![0-9:.,$€£]){_HOUR} ?[-–—] ?{_HOUR}(?![0-9%:]|[.,][0-9])", span),
        rule(rf"(?<![0-9:.]){_CLOCK}", one),
        rule(rf"(?<![0-9:.,$€£]){_AT}", one),
        rule(r"(?<![0-9:.,])([0-9]{1,2})() ?(o['’]?clock)\b", o_clock),
    )
