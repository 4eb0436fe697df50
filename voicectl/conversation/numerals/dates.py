"""Dates in figures where the day comes first: "25.12.2026", "25/12/2026", "2026-12-25"."""

from __future__ import annotations

import re
from collections.abc import Callable

from voicectl.conversation.numerals.language import Rule, rule


def day_first(say: Callable[[re.Match[str], int, int, int | None], str]) -> tuple[Rule, ...]:
    """`say` gets the match, the day, the month from 1 on, and the year if there is one."""

    def read(match: re.Match[str], day: str, month: str, year: str | None) -> str | None:
        if not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
            return None
        full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)
        return say(match, int(day), int(month), full)

    def iso(match: re.Match[str]) -> str | None:
        return read(match, match[3], match[2], match[1])

    def figures(match: re.Match[str]) -> str | None:
        return read(match, match[1], match[3], match[4])

    return (
        rule(r"(?<![0-9])([12][0-9]{3})-([01][0-9])-([0-3][0-9])(?![0-9])", iso),
        rule(r"(?<![0-9/.])([0-9]{1,2})([/.-]) ?([0-9]{1,2})\2 ?([12][0-9]{3}|[0-9]{2}(?=[^0-9]|$))(?![0-9])", figures),
    )
