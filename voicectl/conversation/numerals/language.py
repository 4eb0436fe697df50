"""What a language has to know to say figures: its words, how it writes numbers, and the rules it tries in turn.

A rule is a pattern and what is said for what it matched, or None where it does not apply after all. Patterns are tried
on a stretch (see stream.py): `match.string` holds up to REACH characters of text before the match, and behind the
stretch at most a blank and one character, which no pattern can match but `behind` can see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from voicectl.conversation.numerals.counting import TOO_LARGE

REACH = 80
"""Characters of text that are remembered, and that may be held back."""


class Rule(NamedTuple):
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]


class Thing(NamedTuple):
    """What can be counted. `gender`: "m", "f" or "" where the language makes no difference."""

    one: str
    many: str
    gender: str = ""


class Currency(NamedTuple):
    major: Thing
    minor: Thing


class Number(NamedTuple):
    """`fraction` are the digits behind the point; "" if there is none."""

    whole: int
    fraction: str = ""
    digits: str = ""
    """Of the whole, as they were written."""


class Language:
    """The parts all languages share. Those that are spoken for have a subclass each."""

    point, to, minus, plus, percent, by = "point", "to", "minus", "plus", "percent", "by"
    at, dot, dash, underscore, slash, number, and_ = "at", "dot", "dash", "underscore", "slash", "number", "and"
    per, over, version_point = "per", "over", "point"
    groups, decimal = ",", "."
    """What stands between thousands (each of these characters), and in front of a fraction."""
    currencies: Mapping[str, Currency] = {}
    """By sign and by code."""
    units: Mapping[str, Thing] = {}
    magnitudes: Mapping[str, Thing] = {}
    """By what is written behind a number: "million", "k"."""
    of_magnitude = " "
    """Between a magnitude and a currency."""
    openers: frozenset[str] = frozenset()
    """Words that may begin what is to be rewritten."""
    dotted: frozenset[str] = frozenset()
    """The same, where a full stop follows."""
    continuations: frozenset[str] = frozenset()
    """Words that may go on with it behind a blank."""
    named, name, names = re.compile(r"(?!)"), re.compile("[A-Z]"), 0
    """Behind a number like this, up to so many words that begin like this belong to it."""
    speaks = True
    """Numbers have words; otherwise only telephone numbers are put into groups."""

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.beginnings = _beginnings(self.openers | self.dotted)
        self.goings_on = _beginnings(self.continuations)
        self.suspects = self.beginnings | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if self.speaks else "")
        """A word that is one of these cannot be said before it is known what follows."""

    # --- hooks -------------------------------------------------------------------------------------------------

    def cardinal(self, n: int) -> str:
        raise NotImplementedError

    def count(self, n: int, gender: str) -> str:
        """A number in front of what it counts."""
        return self.cardinal(n)

    def is_one(self, number: Number) -> bool:
        return number.whole == 1 and not number.fraction

    def money(self, number: Number, currency: Currency) -> str:
        raise NotImplementedError

    def digit_group(self, digits: str) -> str:
        """A group of a telephone number or code."""
        return " ".join(self.cardinal(int(d)) for d in digits)

    def attributive(self, match: re.Match[str]) -> bool:
        """What is counted in `match` describes what follows: "a $200 rebate"."""
        return False

    def part(self, top: int, bottom: int) -> str:
        """A fraction below one."""
        raise NotImplementedError

    def mixed(self, whole: int, top: int, bottom: int) -> str:
        """A whole number and a fraction."""
        return f"{self.cardinal(whole)} {self.and_} {self.part(top, bottom)}"

    def ratio(self, match: re.Match[str]) -> str | None:
        """What "3/4" or "24/7" is; the groups are the two numbers."""
        top, bottom = int(match[1]), int(match[2])
        if 0 < top < bottom <= 10:
            return self.part(top, bottom)
        return f"{self.cardinal(top)} {self.over} {self.cardinal(bottom)}"

    def bare(self, written: str, match: re.Match[str]) -> str:
        """A number that nothing around it explains; it stands in `match`."""
        number = self.parse(written)
        if not number.fraction and len(written) > 6 and written.isdigit():
            return self.spelled(written)
        return self.say(number)

    # --- numbers -----------------------------------------------------------------------------------------------

    @property
    def figure(self) -> str:
        """The pattern of a number as it is written, without a sign."""
        grouped = rf"[0-9]{{1,3}}(?:[{self.groups}][0-9]{{3}})+(?![0-9])" if self.groups else "(?!)"
        return rf"(?:(?:{grouped}|[0-9]+)(?:\{self.decimal}[0-9]+)?)"

    def parse(self, written: str) -> Number:
        whole, _, fraction = written.partition(self.decimal)
        digits = "".join(c for c in whole if c.isdigit())
        return Number(int(digits or "0"), fraction, digits)

    def say(self, number: Number, gender: str = "") -> str:
        whole = number.digits if number.digits.startswith("0") and len(number.digits) > 1 else ""
        if whole or number.whole >= TOO_LARGE:
            said = self.spelled(number.digits or str(number.whole))
        else:
            said = self.count(number.whole, gender) if gender and not number.fraction else self.cardinal(number.whole)
        return f"{said} {self.point} {self.fraction(number.fraction)}" if number.fraction else said

    def fraction(self, digits: str) -> str:
        """The digits behind the point."""
        return " ".join(self.cardinal(int(d)) for d in digits)

    def measured(self, number: Number, thing: Thing) -> str:
        return f"{self.say(number, thing.gender)} {thing.one if self.is_one(number) else thing.many}"

    def spelled(self, digits: str) -> str:
        """Digit by digit, in groups that can be written down."""
        return ", ".join(map(self.digit_group, grouped(digits)))


def _beginnings(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:n] for word in words for n in range(1, len(word) + 1))


def grouped(digits: str) -> list[str]:
    """Digits in groups of three or four."""
    n = len(digits)
    if n <= 4:
        return [digits]
    if n % 4 == 0:
        return [digits[i : i + 4] for i in range(0, n, 4)]
    cuts = list(range(0, n, 3))
    if n % 3 == 1:
        cuts.pop()  # the last group has four
    return [digits[a:b] for a, b in zip(cuts, [*cuts[1:], n], strict=True)]


def spelled_word(letters: str) -> str:
    """Letter by letter, unless it can be read: "AB" but "ORDER"."""
    if len(letters) <= 3 or not any(c in "AEIOUY" for c in letters):
        return " ".join(letters)
    return letters


def before(match: re.Match[str]) -> str:
    return match.string[: match.start()]


def behind(match: re.Match[str]) -> str:
    return match.string[match.end() :]


def any_of(words: Iterable[str]) -> str:
    """A pattern for one of these, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word)))) + ")"


def rule(pattern: str, say: Callable[[re.Match[str]], str | None], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), say)


def ends_sentence(match: re.Match[str]) -> bool:
    """Behind the full stop that `match` ends in, a sentence begins or the text ends."""
    rest = behind(match)
    return not rest.strip() or (rest[0] == " " and rest[1:2].isupper())
