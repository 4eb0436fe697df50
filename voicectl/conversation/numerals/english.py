"""Figures in English, American or British.

Differences: "two hundred (and) five"; 12/25 or 25/12; "five dollars and fifty cents" or "five pounds fifty"; a zero
among digits is "zero" or "oh"; metres. Hours past twelve are said as "PM" in both.
"""

from __future__ import annotations

import re

from voicectl.conversation.numerals import counting
from voicectl.conversation.numerals.contacts import address_rules, code_rules, telephone_rules
from voicectl.conversation.numerals.english_dates import date_rules
from voicectl.conversation.numerals.english_tables import (
    ABBREVIATIONS,
    CURRENCIES,
    FIGURED,
    LEADING,
    MONTHS,
    STREETS,
    WEEKDAYS,
    units,
)
from voicectl.conversation.numerals.english_times import time_rules
from voicectl.conversation.numerals.language import (
    Currency,
    Language,
    Number,
    Rule,
    Thing,
    any_of,
    before,
    behind,
    ends_sentence,
    rule,
)
from voicectl.conversation.numerals.quantities import measure_rules, money_rules, number_rules

_MAGNITUDES = {
    **{name: Thing(name, name) for name in ("thousand", "million", "billion", "trillion")},
    **dict.fromkeys(("k", "K"), Thing("thousand", "thousand")),
    **dict.fromkeys(("m", "M", "mn", "mln"), Thing("million", "million")),
    **dict.fromkeys(("b", "B", "bn"), Thing("billion", "billion")),
}
_PER = {"hr": "hour", "h": "hour", "mo": "month", "yr": "year", "wk": "week", "min": "minute", "pp": "person",
        "kg": "kilogram", "lb": "pound", "km": "kilometer", "mi": "mile"}  # fmt: skip
_CALLED = re.compile(
    r"\b(?:room|suite|flat|apartment|flight|extension|ext\.?|code|pin|passcode|password|"
    r"booking|reservation|reference|ref\.?|account|invoice|ticket|confirmation|case|serial|zip|postcode|tracking|"
    r"order number|order no\.?|order id|number|id)(?: (?:number|no\.?|code|id|is|are))*:? ?#?\Z",
    re.IGNORECASE,
)
"""What is said digit by digit comes after one of these."""
_ROOM = re.compile(r"\b(?:room|suite|flat|apartment|apt\.?|unit|gate|bus|route|locker|bay) \Z", re.IGNORECASE)
_ORDER = re.compile(r"\border(?: is)?:? ?#?\Z", re.IGNORECASE)
_SECRET = re.compile(r"\b(?:code|pin|passcode|password)(?: (?:number|no\.?|is))*:? ?\Z", re.IGNORECASE)
_DIALLED = re.compile(r"\b(?:dial|call|ring|text)(?:ing)? \Z", re.IGNORECASE)
_IN_YEAR = re.compile(
    r"\b(?:in|since|from|until|till|by|of|year|before|after|around|circa|to|early|late|mid|©|spring|summer|autumn|fall|"
    rf"winter|{'|'.join(MONTHS)})(?: the)?,? \Z",
    re.IGNORECASE,
)
_ZIP = re.compile(r"\b(?:[A-Z]{2},?|(?:zip|ZIP|Zip)(?: code)?(?: is)?:?) \Z")
_UNDOTTED = ("St", "Ave", "Rd", "Blvd", "Ln", "Hwy", "Pkwy")
_HOUSE = re.compile(r"[0-9](?:[A-Z]|st|nd|rd|th)? (?:[NSEW]\.? )?(?:[A-Z0-9][\w'’]* ){0,3}\Z")
_ARTICLE = re.compile(r"\b[Aa]n? \Z")
_QUOTE = re.compile(r'(?<![0-9])"')
_NAMED = re.compile(r"(?:[A-Z][\w'’.-]*|[0-9](?:st|nd|rd|th)) \Z")
"""In front of "St." and "Dr." stands the name of a street."""


class English(Language):
    currencies = CURRENCIES
    magnitudes = _MAGNITUDES
    dotted = (
        frozenset(ABBREVIATIONS)
        | frozenset(name[:3] for name in MONTHS if name != "May")
        | {"Sept", "e", "i", "E", "I"}
    )
    openers = (
        frozenset(WEEKDAYS)
        | frozenset(MONTHS) - {"May"}
        | frozenset(name[:3] for name in MONTHS if name != "May")
        | frozenset(_UNDOTTED)
        | {"Sept", "w", "EUR", "USD", "GBP", "CHF"}
    )
    named, names = re.compile(r"[0-9]{3,4}[A-Z]?(?= )"), 3
    continuations = (
        frozenset(_MAGNITUDES)
        | frozenset(MONTHS)
        | frozenset(WEEKDAYS)
        | frozenset(name[:3] for name in MONTHS)
        | frozenset("am pm AM PM Am Pm a p A P o oclock Sept x ext EUR USD GBP CHF stars out and".split())
    )

    def __init__(self, *, american: bool) -> None:
        self.american = american
        self.units = units(american=american)
        self.continuations = self.continuations | {unit for unit in self.units if unit.isalpha()} | {"km", "sq", "fl"}
        super().__init__()
        self._money = money_rules(self)
        self.rules: tuple[Rule, ...] = (
            *address_rules(self),
            rule(r"(?<![0-9/])24/7(?![0-9/])", lambda match: "twenty-four seven"),
            rule(r"(?<![0-9/])50/50(?![0-9/])", lambda match: "fifty-fifty"),
            rule(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9])([A-Z]{2})(?![A-Za-z0-9])", self._postcode),
            *date_rules(self),
            *telephone_rules(self),
            *time_rules(self),
            rule(rf"({any_of(CURRENCIES)}) ?({self.figure})(?: ?{any_of(_MAGNITUDES)}\b)?/([a-z]+)", self._rate),
            *self._money,
            rule(r"(?<![0-9])([0-9]{1,3}):([0-9])(?![0-9])", self._score),
            rule(
                rf"({self.figure})[x×](?![A-Za-z0-9]|\.[A-Za-z])",
                lambda match: f"{self.say(self.parse(match[1]))} times",
            ),
            rule(r"""([0-9]{1,2})['’′] ?([0-9]{1,2})(?:["”″]|'')?(?![0-9A-Za-z])""", self._height),
            rule(rf"""({self.figure})(["”″]|′(?!′)|′′)""", self._inches),
            rule(r"""(?:([0-9]{1,2}) )?(?<![0-9/])([0-9]{1,2})/([0-9]{1,2})["″]""", self._inch),
            rule(rf"({self.figure}) ?(?:sq|square) (ft|m|mi|km)\b\.?", self._square),
            rule(r"(?<![A-Za-z])(?:[eE]\.g\.,?|[iI]\.e\.,?)", self._latin),
            rule(rf"(?<![A-Za-z])({any_of(ABBREVIATIONS)})\.", self._abbreviation),
            rule(rf"(?<![A-Za-z])({any_of(_UNDOTTED)})(?![A-Za-z.'’])", self._street),
            rule(r"(?<![A-Za-z])w/(o(?![A-Za-z]))?", lambda match: "without" if match[1] else "with"),
            rule(
                rf"([0-9]{{3,4}})([A-Z])?(?= (?:[NSEW]\.? )?(?:[A-Z][\w'’.]* ){{1,3}}?{any_of(STREETS)}\b)", self._house
            ),
            *measure_rules(self),
            rule(r"\b[0-9]{5}(?:-[0-9]{4})(?![0-9-])", self._zip),
            rule(rf"({self.figure})(st|nd|rd|th)\b", self._ordinal),
            rule(rf"({self.figure}) ?(million|billion|trillion|thousand|bn|mn|k)\b", self._large),
            *code_rules(self),
            *number_rules(self),
        )

    # --- numbers -----------------------------------------------------------------------------------------------

    def cardinal(self, n: int) -> str:
        if n >= counting.TOO_LARGE:
            return self.spelled(str(n))
        return counting.english(n, with_and=not self.american)

    def ordinal(self, n: int) -> str:
        return counting.english_ordinal(n, with_and=not self.american)

    def digit_group(self, digits: str) -> str:
        zero = "zero" if self.american else "oh"
        return " ".join(zero if d == "0" else counting.english(int(d)) for d in digits)

    def year(self, n: int) -> str:
        century, rest = divmod(n, 100)
        if not 10 <= century <= 99 or (century % 10 == 0 and rest < 10):
            return self.cardinal(n)
        if not rest:
            return f"{self.cardinal(century)} hundred"
        return f"{self.cardinal(century)} {f'oh {self.cardinal(rest)}' if rest < 10 else self.cardinal(rest)}"

    def money(self, number: Number, currency: Currency) -> str:
        major = self.measured(Number(number.whole), currency.major)
        minor = int(number.fraction)
        if self.american or minor < 10:
            return f"{major} and {self.measured(Number(minor), currency.minor)}"
        return f"{major} {self.cardinal(minor)}"

    def attributive(self, match: re.Match[str]) -> bool:
        return bool(_ARTICLE.search(before(match)) and re.match(" [a-z]", behind(match)))

    def part(self, top: int, bottom: int) -> str:
        count = self.cardinal(top)
        if bottom == 2:
            return f"{count} half"
        name = "quarter" if bottom == 4 else self.ordinal(bottom)
        return f"{count} {name}{'s' if top > 1 else ''}"

    def mixed(self, whole: int, top: int, bottom: int) -> str:
        part = self.part(top, bottom)
        article = "an" if bottom in (8, 11, 18) else "a"
        return f"{self.cardinal(whole)} and {f'{article} {part[4:]}' if top == 1 else part}"

    def ratio(self, match: re.Match[str]) -> str | None:
        top, bottom = int(match[1]), int(match[2])
        rest = behind(match)
        if rest.startswith((" stars", " out")) or top == bottom or (bottom in (10, 100) and 1 < top < bottom):
            return f"{self.cardinal(top)} out of {self.cardinal(bottom)}"
        if 0 < top < bottom <= 16:
            return self.part(top, bottom)
        return f"{self.cardinal(top)} over {self.cardinal(bottom)}"

    def bare(self, written: str, match: re.Match[str]) -> str:
        context = before(match)
        if written.isdigit():
            length = len(written)
            if _SECRET.search(context) and length > 1:
                return self.spelled(written)
            if 2 < length < 5 and _ROOM.search(context):
                return self._in_pairs(written)
            if length == 5 and _ZIP.search(context):
                return self.digit_group(written)
            if length > 2 and (_CALLED.search(context) or (length > 3 and _ORDER.search(context))):
                return self.spelled(written)
            if length in (3, 5, 6) and _DIALLED.search(context):
                return self.spelled(written)
            round_number = written.endswith("000") and length < 13
            if (length > 6 and not round_number) or (length > 1 and written[0] == "0"):
                return self.spelled(written)
            n = int(written)
            if length == 4 and (1900 <= n <= 2099 or (n >= 1000 and _IN_YEAR.search(context))):
                return self.year(n)
            if length > 2 and context[-1:].isalpha():
                return self.spelled(written)
        return self.say(self.parse(written))

    # --- rules -------------------------------------------------------------------------------------------------

    def _rate(self, match: re.Match[str]) -> str | None:
        """ "$25/hour"."""
        amount = match[0][: match.start(3) - match.start() - 1]
        for pattern, say in self._money:
            if (price := pattern.fullmatch(amount)) and (said := say(price)):
                unit = _PER.get(match[3], match[3])
                link = "an" if unit == "hour" else "a" if unit in ("day", "week", "month", "year", "night") else "per"
                return f"{said} {link} {unit}"
        return None

    def _score(self, match: re.Match[str]) -> str:
        return f"{self.cardinal(int(match[1]))} to {self.cardinal(int(match[2]))}"

    def _postcode(self, match: re.Match[str]) -> str | None:
        if re.search("[CIKMOV]|GB|TB", match[3]):
            return None
        said = [counting.english(int(c)) if c.isdigit() else c for c in match[1]]
        return f"{' '.join(said)}, {counting.english(int(match[2]))} {' '.join(match[3])}"

    def _zip(self, match: re.Match[str]) -> str:
        return ", ".join(map(self.digit_group, match[0].split("-")))

    def _house(self, match: re.Match[str]) -> str:
        """ "221B Baker Street"."""
        said = self._in_pairs(match[1])
        return f"{said} {match[2]}" if match[2] else said

    def _in_pairs(self, digits: str) -> str:
        hundreds, rest = divmod(int(digits), 100)
        if digits.startswith("0"):
            return self.spelled(digits)
        if not rest:
            return self.cardinal(int(digits)) if hundreds % 10 == 0 else f"{self.cardinal(hundreds)} hundred"
        return f"{self.cardinal(hundreds)} {'oh ' if rest < 10 else ''}{self.cardinal(rest)}"

    def _street(self, match: re.Match[str]) -> str | None:
        """ "100 Main St", with no full stop."""
        return ABBREVIATIONS[match[1]] if _HOUSE.search(before(match)) else None

    def _height(self, match: re.Match[str]) -> str | None:
        if before(match)[-1:].isalnum() or int(match[2]) > 11:
            return None
        return f"{self.cardinal(int(match[1]))} foot {self.cardinal(int(match[2]))}"

    def _inch(self, match: re.Match[str]) -> str | None:
        """ "3/8"" and "1 1/8"": sizes of tools and pipes."""
        top, bottom = int(match[2]), int(match[3])
        if not 0 < top < bottom <= 64 or len(_QUOTE.findall(before(match))) % 2:
            return None
        return f"{self.mixed(int(match[1]), top, bottom) if match[1] else self.part(top, bottom)} inch"

    def _inches(self, match: re.Match[str]) -> str | None:
        context = before(match)
        if match[2] in '"”' and (len(_QUOTE.findall(context)) % 2 or "“" in context.rpartition("”")[2]):
            return None  # the end of a quotation
        number = self.parse(match[1])
        one, many = ("foot", "feet") if match[2] == "′" else ("inch", "inches")
        attributive = re.match(r" [a-z]", behind(match))
        return f"{self.say(number)} {one if attributive or self.is_one(number) else many}"

    def _square(self, match: re.Match[str]) -> str:
        thing = self.units[match[2]]
        end = "." if match[0].endswith(".") and ends_sentence(match) else ""
        return f"{self.say(self.parse(match[1]))} square {thing.many}{end}"

    def _large(self, match: re.Match[str]) -> str:
        return f"{self.say(self.parse(match[1]))} {_MAGNITUDES[match[2]].one}"

    def _ordinal(self, match: re.Match[str]) -> str | None:
        number = self.parse(match[1])
        return None if number.fraction else self.ordinal(number.whole)

    def _latin(self, match: re.Match[str]) -> str:
        said = "for example" if match[0][0] in "eE" else "that is"
        return (said.capitalize() if match[0][0].isupper() else said) + ","

    def _abbreviation(self, match: re.Match[str]) -> str | None:
        word, rest = match[1], behind(match)
        if word in FIGURED and not re.match(r" ?[0-9]", rest):
            return None
        if word in ("St", "Dr") and re.match(r" [A-Z]", rest) and not _NAMED.search(before(match)):
            return "Saint" if word == "St" else "Doctor"
        stop = "." if ends_sentence(match) and word not in LEADING and word not in FIGURED else ""
        return ABBREVIATIONS[word] + stop
