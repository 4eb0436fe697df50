"""What the languages that put the day first have in common: dates in figures ("25.12.2026", "2026-12-25"), and weekdays
that are written short ("Mo-Fr", "sam/dim")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from voicectl.conversation.numerals.language import Rule, any_of, before, behind, rule


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


def weekday_rules(days: Sequence[str], shorts: Mapping[str, str], *, to: str, and_: str) -> tuple[Rule, Rule]:
    """`days` as they are written out, `shorts` by how they are written short; `to` stands between the first and the
    last of several, `and_` between two. One that is short and by itself may be another word: it is left alone."""
    day = any_of([*days, *shorts])
    begins, ends = "(?<![A-Za-zÀ-ÿ])", "(?![A-Za-zÀ-ÿ])"
    joint = rf"(?:, | {and_} | ?& ?)"
    listed_before = re.compile(rf"{begins}{day}\.?(?: ?[-–—/] ?|{joint})\Z")
    listed_behind = re.compile(rf",? [0-9]|{joint}{day}{ends}")

    def several(match: re.Match[str]) -> str:
        return shorts.get(match[1], match[1]) + (", " if match[2] == "/" else f" {to} ")

    def one(match: re.Match[str]) -> str | None:
        listed = listed_before.search(before(match)) or listed_behind.match(behind(match))
        return shorts[match[1]] if listed else None

    return (
        rule(rf"{begins}({day})\.?( ?[-–—] ?|/)(?={day}{ends})", several),
        rule(rf"{begins}({any_of(shorts)}){ends}\.?", one),
    )
