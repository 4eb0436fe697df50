"""Figures in German.

A day's number takes the ending that the word in front of it asks for ("am fünfundzwanzigsten", "der erste"), "1" the
gender of the noun behind it, as far as its ending tells.
"""

from __future__ import annotations

import re

from voicectl.conversation.numerals import counting
from voicectl.conversation.numerals.contacts import address_rules, code_rules, telephone_rules
from voicectl.conversation.numerals.dates import day_first, weekday_rules
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

_MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
_SHORT_MONTHS = {**{name[:3]: name for name in _MONTHS if len(name) > 4}, "Mrz": "März", "Sept": "September"}
_DAYS = "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split()
_WEEKDAYS = {day[:2]: day for day in _DAYS}
_MONTH = any_of([*_MONTHS, *_SHORT_MONTHS])

_CENT = Thing("Cent", "Cent", "m")
_EURO = Currency(Thing("Euro", "Euro", "m"), _CENT)
_DOLLAR = Currency(Thing("Dollar", "Dollar", "m"), _CENT)
_POUND = Currency(Thing("Pfund", "Pfund", "m"), Thing("Penny", "Pence", "m"))
_FRANC = Currency(Thing("Franken", "Franken", "m"), Thing("Rappen", "Rappen", "m"))
_YEN = Currency(Thing("Yen", "Yen", "m"), Thing("sen", "sen", "m"))
_MILLION, _BILLION = Thing("Million", "Millionen", "f"), Thing("Milliarde", "Milliarden", "f")
_THOUSAND = Thing("Tausend", "Tausend", "m")
_UNITS = {
    **{short: Thing(name, name, "m") for short, name in (
        ("m", "Meter"), ("km", "Kilometer"), ("cm", "Zentimeter"), ("mm", "Millimeter"), ("m²", "Quadratmeter"),
        ("qm", "Quadratmeter"), ("m³", "Kubikmeter"), ("l", "Liter"), ("L", "Liter"), ("ml", "Milliliter"),
        ("kg", "Kilogramm"), ("g", "Gramm"), ("mg", "Milligramm"), ("km/h", "Kilometer pro Stunde"),
        ("°C", "Grad Celsius"), ("°", "Grad"), ("MB", "Megabyte"), ("GB", "Gigabyte"), ("TB", "Terabyte"),
        ("W", "Watt"), ("kW", "Kilowatt"), ("Wh", "Wattstunden"), ("kWh", "Kilowattstunden"), ("V", "Volt"),
        ("Nm", "Newtonmeter"), ("Hz", "Hertz"), ("Zoll", "Zoll"), ('"', "Zoll"))},
    **dict.fromkeys(("h", "Std"), Thing("Stunde", "Stunden", "f")),
    **dict.fromkeys(("min", "Min"), Thing("Minute", "Minuten", "f")),
    **dict.fromkeys(("s", "Sek", "sec"), Thing("Sekunde", "Sekunden", "f")),
}  # fmt: skip
_ABBREVIATIONS = {
    "ca": "circa",
    "Ca": "Circa",
    "usw": "und so weiter",
    "bzw": "beziehungsweise",
    "inkl": "inklusive",
    "exkl": "exklusive",
    "zzgl": "zuzüglich",
    "Str": "Straße",
    "Nr": "Nummer",
    "Tel": "Telefon",
    "evtl": "eventuell",
    "ggf": "gegebenenfalls",
    "max": "maximal",
    "mind": "mindestens",
    "Std": "Stunden",
}
_PAIRS = {"z": ("B", "zum Beispiel"), "d": ("h", "das heißt"), "u": ("a", "unter anderem"), "Z": ("B", "Zum Beispiel")}
_SPELLED = re.compile(
    r"(?:\b(?:code|pin|plz|postleitzahl|passwort|kennwort|durchwahl)|nummer|\bnr\.)(?: (?:ist|lautet))*:? ?#?\Z",
    re.IGNORECASE,
)
_IN_YEAR = re.compile(rf"\b(?:in|im Jahre?|seit|von|bis|ab|um|Anno|{'|'.join(_MONTHS)}) \Z", re.IGNORECASE)
_WEAK = re.compile(
    r"\b(?:am|vom|zum|zur|dem|den|des|ab|bis|beim|im|seit|jeden|jedem|dritten|ersten|nach|vor|einen|einem) \Z", re.I
)
_ARTICLE = re.compile(r"\b(?:der|die|das|jede|jedes) \Z", re.I)
_FEMININE = re.compile(r" [A-ZÄÖÜ][A-Za-zÄÖÜäöüß]*(?:e|ung|heit|keit|schaft|ion|tät|ei|ur)(?![A-Za-zÄÖÜäöüß])")
_HOUR = r"([01]?[0-9]|2[0-4])"
_DASH = "[-–—]"


class German(Language):
    point, to, minus, plus, percent, by = "Komma", "bis", "minus", "plus", "Prozent", "mal"
    at, dot, dash, underscore, slash, number, and_ = (
        "ät",
        "Punkt",
        "minus",
        "Unterstrich",
        "Schrägstrich",
        "Nummer",
        "und",
    )
    per, over, version_point = "pro", "zu", "Punkt"
    groups, decimal = ".'’", ","
    currencies = {"€": _EURO, "EUR": _EURO, "Euro": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "£": _POUND,
                  "¥": _YEN, "CHF": _FRANC,
                  "Fr.": _FRANC, "Cent": Currency(_CENT, _CENT)}  # fmt: skip
    units = _UNITS
    magnitudes = {"Mio.": _MILLION, "Mio": _MILLION, "Millionen": _MILLION, "Million": _MILLION, "Mrd.": _BILLION,
                  "Mrd": _BILLION, "Milliarden": _BILLION, "Tsd.": _THOUSAND}  # fmt: skip
    openers = frozenset(_WEEKDAYS) | frozenset(_DAYS) | frozenset(_SHORT_MONTHS) | {"EUR", "CHF", "USD"}
    dotted = frozenset(_ABBREVIATIONS) | frozenset(_PAIRS)
    continuations = (
        frozenset(_MONTHS) | frozenset(_SHORT_MONTHS) | frozenset(_WEEKDAYS)
        | frozenset("Uhr Euro Cent EUR CHF USD Mio Mrd Tsd Millionen Million Milliarden B h a und Fr".split())
        | {unit for unit in _UNITS if unit.isalpha()}
    )  # fmt: skip
    named, names = re.compile("1(?= )"), 1

    def __init__(self) -> None:
        super().__init__()
        no_more = r"(?![0-9]|[.,:][0-9])"
        self.rules: tuple[Rule, ...] = (
            *address_rules(self),
            rule(r"(?<![0-9/])24/7(?![0-9/])", lambda match: "vierundzwanzig sieben"),
            rule(rf"(?<![0-9]){_HOUR}(?:[:.]([0-5][0-9]))? ?(?:Uhr ?)?{_DASH} ?{_HOUR}(?:[:.]([0-5][0-9]))?( ?Uhr\b)?"
                 + no_more, self._opening),
            rule(rf"(?<![0-9:.]){_HOUR}[:.]([0-5][0-9]) ?Uhr\b", self._time),
            rule(rf"(?<![0-9:.]){_HOUR}:([0-5][0-9])(?::[0-9]{{2}})?{no_more}", self._time),
            rule(rf"(?<![0-9:.]){_HOUR}() ?Uhr\b", self._time),
            *day_first(self._date),
            rule(rf"(?<![0-9.])([0-9]{{1,2}})\.? ?{_DASH} ?([0-9]{{1,2}})\.(?= {_MONTH}\b)", self._days),
            rule(rf"(?<![0-9.])([0-9]{{1,2}})\.(?= {_MONTH}\b)", self._day),
            rule(r"(?<![0-9.])([0-3]?[0-9])\. ?([01]?[0-9])\.(?![0-9])", self._day_and_month),
            rule(r"(?<![0-9.])([0-9]{1,3})\.(?![0-9])", self._ordinal),
            rule(rf"(?<![A-Za-z])({any_of(_SHORT_MONTHS)})(?![A-Za-zÀ-ÿ])\.?", self._month),
            *weekday_rules(_DAYS, _WEEKDAYS, to="bis", and_="und"),
            *telephone_rules(self),
            *money_rules(self),
            rule(r"(?<![A-Za-z])([zduZ])\. ?([Bha])\.", self._pair),
            rule(rf"(?<![A-Za-z])({any_of(_ABBREVIATIONS)})\.", self._abbreviation),
            *measure_rules(self),
            rule(rf"({self.figure}) ?({any_of(self.magnitudes)})(?![A-Za-z])", self._large),
            *code_rules(self),
            *number_rules(self),
        )  # fmt: skip

    # --- numbers -----------------------------------------------------------------------------------------------

    def cardinal(self, n: int) -> str:
        return self.spelled(str(n)) if n >= counting.TOO_LARGE else counting.german(n)

    def count(self, n: int, gender: str) -> str:
        if n == 1:
            return "eine" if gender == "f" else "ein"
        return self.cardinal(n)

    def year(self, n: int) -> str:
        if 1100 <= n <= 1999:
            rest = n % 100
            return f"{counting.german(n // 100)}hundert{counting.german(rest) if rest else ''}"
        return self.cardinal(n)

    def money(self, number: Number, currency: Currency) -> str:
        return f"{self.measured(Number(number.whole), currency.major)} {self.cardinal(int(number.fraction))}"

    def part(self, top: int, bottom: int) -> str:
        if bottom == 2:
            return "ein halb" if top == 1 else f"{self.cardinal(top)} halbe"
        return f"{self.count(top, 'm')} {counting.german_ordinal(bottom).capitalize()}el"

    def mixed(self, whole: int, top: int, bottom: int) -> str:
        if bottom == 2:
            return f"{self.count(whole, 'm')}einhalb"
        return f"{self.cardinal(whole)} {self.part(top, bottom)}"

    def bare(self, written: str, match: re.Match[str]) -> str:
        context, rest = before(match), behind(match)
        if written == "1" and re.match(" [A-ZÄÖÜ]", rest):
            return "eine" if _FEMININE.match(rest) else "ein"
        if written.isdigit() and len(written) > 1:
            if len(written) > 2 and (_SPELLED.search(context) or context[-1:].isalpha()):
                return self.spelled(written)
            if len(written) == 5 and re.match(" [A-ZÄÖÜ]", rest) and not written.endswith("00"):
                return self.digit_group(written)
            if written[0] == "0" or (len(written) > 6 and not written.endswith("000")):
                return self.spelled(written)
            n = int(written)
            if len(written) == 4 and (1900 <= n <= 1999 or _IN_YEAR.search(context)):
                return self.year(n)
        return self.say(self.parse(written))

    # --- rules -------------------------------------------------------------------------------------------------

    def _clock(self, hour: int, minute: int) -> str:
        return f"{self.count(hour, 'm')} Uhr" + (f" {self.cardinal(minute)}" if minute else "")

    def _time(self, match: re.Match[str]) -> str:
        return self._clock(int(match[1]), int(match[2] or 0))

    def _opening(self, match: re.Match[str]) -> str | None:
        if not (match[5] or (match[2] and match[4] and ":" in match[0])):
            return None
        start = self._clock(int(match[1]), int(match[2])) if int(match[2] or 0) else self.cardinal(int(match[1]))
        return f"{start} bis {self._clock(int(match[3]), int(match[4] or 0))}"

    def _nth(self, n: int, match: re.Match[str]) -> str:
        context = before(match)
        ending = "en" if _WEAK.search(context) else "e" if _ARTICLE.search(context) else "er"
        return counting.german_ordinal(n) + ending

    def _date(self, match: re.Match[str], day: int, month: int, year: int | None) -> str:
        said = f"{self._nth(day, match)} {_MONTHS[month - 1]}"
        return said if year is None else f"{said} {self.year(year)}"

    def _day_and_month(self, match: re.Match[str]) -> str | None:
        day, month = int(match[1]), int(match[2])
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return None
        stop = "." if ends_sentence(match) else ""
        return self._date(match, day, month, None) + stop

    def _days(self, match: re.Match[str]) -> str:
        first, last = (self._nth(int(match[n]), match) for n in (1, 2))
        return f"{first} bis {last}"

    def _day(self, match: re.Match[str]) -> str:
        return self._nth(int(match[1]), match)

    def _ordinal(self, match: re.Match[str]) -> str | None:
        """ "im 3. Stock"; elsewhere the full stop ends a sentence."""
        context = before(match)
        if re.match(r" [A-Za-zÄÖÜäöü]", behind(match)) and (_WEAK.search(context) or _ARTICLE.search(context)):
            return self._nth(int(match[1]), match)
        return None

    def _month(self, match: re.Match[str]) -> str | None:
        near = re.search(r"[0-9]\.? \Z", before(match)) or re.match(" [0-9]", behind(match))
        return _SHORT_MONTHS[match[1]] if near else None

    def _pair(self, match: re.Match[str]) -> str | None:
        last, said = _PAIRS[match[1]]
        return said if match[2] == last else None

    def _abbreviation(self, match: re.Match[str]) -> str:
        closing = match[1] in ("usw", "Str", "Std") and ends_sentence(match)
        return _ABBREVIATIONS[match[1]] + ("." if closing else "")

    def _large(self, match: re.Match[str]) -> str:
        return self.measured(self.parse(match[1]), self.magnitudes[match[2]])
