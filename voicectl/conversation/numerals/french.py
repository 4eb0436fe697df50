"""Figures in French; `septante`: as in Belgium and Switzerland.

Telephone numbers are said in pairs, as they are written; hours are "dix heures trente".
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
    grouped,
    rule,
)
from voicectl.conversation.numerals.quantities import measure_rules, money_rules, number_rules

_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
_SHORT_MONTHS = {"janv": "janvier", "févr": "février", "fév": "février", "avr": "avril", "juil": "juillet",
                 "sept": "septembre", "oct": "octobre", "nov": "novembre", "déc": "décembre"}  # fmt: skip
_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
_WEEKDAYS = {day[:3]: day for day in _DAYS}
_WEEKDAYS |= {short.capitalize(): day.capitalize() for short, day in list(_WEEKDAYS.items())}
_MONTH = any_of([*_MONTHS, *_SHORT_MONTHS])
_CENT = Thing("centime", "centimes", "m")
_EURO = Currency(Thing("euro", "euros", "m"), _CENT)
_DOLLAR = Currency(Thing("dollar", "dollars", "m"), Thing("cent", "cents", "m"))
_POUND = Currency(Thing("livre", "livres", "f"), Thing("penny", "pence", "m"))
_FRANC = Currency(Thing("franc", "francs", "m"), _CENT)
_YEN = Currency(Thing("yen", "yens", "m"), Thing("sen", "sen", "m"))
_MILLION, _BILLION = Thing("million", "millions", "m"), Thing("milliard", "milliards", "m")


def _same(one: str, gender: str, shorts: str, many: str = "") -> dict[str, Thing]:
    return dict.fromkeys(shorts.split(), Thing(one, many or one + "s", gender))


_UNITS = {
    **_same("mètre", "m", "m"), **_same("kilomètre", "m", "km"), **_same("centimètre", "m", "cm"),
    **_same("millimètre", "m", "mm"), **_same("litre", "m", "l L"), **_same("millilitre", "m", "ml"),
    **_same("kilo", "m", "kg"), **_same("gramme", "m", "g"), **_same("milligramme", "m", "mg"),
    **_same("minute", "f", "min mn"), **_same("seconde", "f", "s sec"), **_same("degré", "m", "°"),
    **_same("pouce", "m", '"'), **_same("mètre carré", "m", "m² m2", "mètres carrés"), **_same("watt", "m", "W"),
    **_same("kilomètre heure", "m", "km/h", "kilomètres heure"), **_same("mégaoctet", "m", "Mo MB"),
    **_same("gigaoctet", "m", "Go GB"), **_same("téraoctet", "m", "To TB"),
    **_same("kilowattheure", "m", "kWh"), "°C": Thing("degré", "degrés", "m"),
}  # fmt: skip
_ABBREVIATIONS = {"M": "monsieur", "av": "avenue", "bd": "boulevard", "Bd": "boulevard", "tél": "téléphone",
                  "Tél": "Téléphone", "env": "environ", "etc": "et cetera", "ex": "exemple", "max": "maximum",
                  "min": "minimum", "apr": "après", "incl": "inclus"}  # fmt: skip
_SPELLED = re.compile(
    r"\b(?:code|pin|postal|mot de passe|commande|réservation|référence|facture|poste|numéro)"
    r"(?: (?:numéro|est|n°))*(?: ?:)? ?#?\Z",
    re.IGNORECASE,
)
_FEMININE = frozenset("heure minute seconde semaine journée année fois personne place chambre nuit livre roue pièce "
                      "remise réservation commande selle bicyclette location".split())  # fmt: skip
_DASH = "[-–—]"
_HOUR = r"([01]?[0-9]|2[0-4])"
_CLOCK = rf"{_HOUR}(?: ?(?:h|heures?) ?([0-5][0-9])?(?![0-9A-Za-z])|:([0-5][0-9]))"


class French(Language):
    point, to, minus, plus, percent, by = "virgule", "à", "moins", "plus", "pour cent", "par"
    at, dot, dash, underscore, slash, number, and_ = "arobase", "point", "tiret", "souligné", "barre", "numéro", "et"
    per, over, version_point = "par", "sur", "point"
    groups, decimal = " ", ","
    currencies = {"€": _EURO, "EUR": _EURO, "euros": _EURO, "euro": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "£": _POUND,
                  "¥": _YEN,
                  "CHF": _FRANC}  # fmt: skip
    units = _UNITS
    magnitudes = {"millions": _MILLION, "million": _MILLION, "M": _MILLION, "milliards": _BILLION,
                  "milliard": _BILLION}  # fmt: skip
    of_magnitude = " de "
    openers = frozenset(_WEEKDAYS) | frozenset(_DAYS) | frozenset(_SHORT_MONTHS) | {"EUR", "USD", "CHF", "n", "N"}
    dotted = frozenset(_ABBREVIATIONS) | {"p"}
    continuations = (
        frozenset(_MONTHS) | frozenset(_SHORT_MONTHS) | frozenset(_WEEKDAYS) | frozenset(_DAYS)
        | frozenset("h heure heures ex EUR USD CHF euros euro millions million milliards et".split())
        | {unit for unit in _UNITS if unit.isalpha()}
    )  # fmt: skip
    named, name, names = re.compile("[0-9]*1(?= )"), re.compile("[a-zéèêàùôâîç]"), 1

    def __init__(self, *, septante: bool) -> None:
        self.septante = septante
        super().__init__()
        self.rules: tuple[Rule, ...] = (
            *address_rules(self),
            rule(r"(?<![0-9/])24/7(?![0-9/])|(?<![0-9/])24h/24", self._always),
            rule(rf"(?<![0-9:,])(?:{_CLOCK}|([0-9]{{1,2}})) ?{_DASH} ?{_CLOCK}(?![0-9])", self._opening),
            rule(rf"(?<![0-9:,]){_CLOCK}(?![0-9:])", self._time),
            *day_first(self._date),
            rule(rf"(?<![0-9])([0-9]{{1,2}})(?:er)?(?: ?{_DASH} ?([0-9]{{1,2}}))?(?= {_MONTH}(?![A-Za-zÀ-ÿ]))",
                 self._day),
            rule(rf"(?<![A-Za-zÀ-ÿ])({any_of(_SHORT_MONTHS)})(?![A-Za-zÀ-ÿ])\.?", self._month),
            *weekday_rules(_DAYS, _WEEKDAYS, to="à", and_="et"),
            *telephone_rules(self),
            *money_rules(self),
            rule(r"(?<![A-Za-z])[nN] ?[°º] ?(?=[0-9])", lambda match: "numéro "),
            rule(r"([0-9]{1,4})(ers?|res?|ère|èmes?|emes?|es?|nde?|ᵉ)(?![A-Za-zÀ-ÿ])", self._ordinal),
            rule(r"(?<![A-Za-z])p\. ?ex\.", lambda match: "par exemple"),
            rule(rf"(?<![A-Za-zÀ-ÿ])({any_of(_ABBREVIATIONS)})\.", self._abbreviation),
            *measure_rules(self),
            rule(rf"({self.figure}) ?(millions?|milliards?)(?![A-Za-z])", self._large),
            *code_rules(self),
            *number_rules(self),
        )  # fmt: skip

    # --- numbers -----------------------------------------------------------------------------------------------

    def cardinal(self, n: int) -> str:
        return self.spelled(str(n)) if n >= counting.TOO_LARGE else counting.french(n, septante=self.septante)

    def count(self, n: int, gender: str) -> str:
        if n >= counting.TOO_LARGE:
            return self.cardinal(n)
        return counting.french(n, septante=self.septante, feminine=gender == "f")

    def is_one(self, number: Number) -> bool:
        return number.whole < 2

    def digit_group(self, digits: str) -> str:
        if len(digits) == 2 and digits[0] != "0":
            return self.cardinal(int(digits))
        return " ".join(self.cardinal(int(d)) for d in digits)

    def spelled(self, digits: str) -> str:
        return ", ".join(" ".join(self.cardinal(int(d)) for d in group) for group in grouped(digits))

    def fraction(self, digits: str) -> str:
        """ "virgule vingt-cinq"."""
        zeros = len(digits) - len(digits.lstrip("0"))
        if len(digits) > 3 or not digits.strip("0"):
            return " ".join(self.cardinal(int(d)) for d in digits)
        return " ".join([*["zéro"] * zeros, self.cardinal(int(digits))])

    def money(self, number: Number, currency: Currency) -> str:
        return f"{self.measured(Number(number.whole), currency.major)} {self.cardinal(int(number.fraction))}"

    def part(self, top: int, bottom: int) -> str:
        if bottom == 2:
            return "un demi" if top == 1 else f"{self.cardinal(top)} demis"
        name = {3: "tiers", 4: "quart"}.get(bottom, counting.french_ordinal(bottom, septante=self.septante))
        return f"{self.cardinal(top)} {name}{'s' if top > 1 and name != 'tiers' else ''}"

    def mixed(self, whole: int, top: int, bottom: int) -> str:
        part = "demi" if (top, bottom) == (1, 2) else self.part(top, bottom)
        return f"{self.cardinal(whole)} et {part}"

    def bare(self, written: str, match: re.Match[str]) -> str:
        context, rest = before(match), behind(match)
        if written.isdigit() and len(written) > 2 and (_SPELLED.search(context) or context[-1:].isalpha()):
            return self.spelled(written)
        if written.isdigit() and len(written) > 1 and written[0] == "0":
            return self.spelled(written)
        if written.isdigit() and len(written) > 6 and not written.endswith("000"):
            return self.spelled(written)
        number = self.parse(written)
        noun = re.match(r" ([a-zéèêàùôâîç]+)", rest)
        return self.say(number, "f" if noun and noun[1].rstrip("s") in _FEMININE else "")

    # --- rules -------------------------------------------------------------------------------------------------

    def _always(self, match: re.Match[str]) -> str:
        return "vingt-quatre heures sur vingt-quatre"

    def _clock(self, hour: int, minute: int) -> str:
        if hour in (0, 24) and not minute:
            return "minuit"
        said = f"{self.count(hour % 24, 'f')} heure{'s' if hour % 24 > 1 else ''}"
        return f"{said} {self.count(minute, 'f')}" if minute else said

    def _time(self, match: re.Match[str]) -> str:
        return self._clock(int(match[1]), int(match[2] or match[3] or 0))

    def _opening(self, match: re.Match[str]) -> str:
        if match[4]:
            start = self.count(int(match[4]), "f")
        else:
            start = self._clock(int(match[1]), int(match[2] or match[3] or 0))
        return f"{start} à {self._clock(int(match[5]), int(match[6] or match[7] or 0))}"

    def _date(self, match: re.Match[str], day: int, month: int, year: int | None) -> str:
        said = f"{self._first(day)} {_MONTHS[month - 1]}"
        return said if year is None else f"{said} {self.cardinal(year)}"

    def _first(self, day: int) -> str:
        return "premier" if day == 1 else self.cardinal(day)

    def _day(self, match: re.Match[str]) -> str:
        said = self._first(int(match[1]))
        return f"{said} au {self.cardinal(int(match[2]))}" if match[2] else said

    def _month(self, match: re.Match[str]) -> str | None:
        near = re.search(r"[0-9](?:er)? \Z", before(match)) or re.match(r" [0-9]", behind(match))
        return _SHORT_MONTHS[match[1]] if near else None

    def _ordinal(self, match: re.Match[str]) -> str:
        number, ending = int(match[1]), match[2]
        if ending in ("nd", "nde"):
            return "second" + ending[2:]
        said = counting.french_ordinal(number, septante=self.septante, feminine=ending.startswith(("r", "ère")))
        return said + ("s" if ending.endswith("s") else "")

    def _abbreviation(self, match: re.Match[str]) -> str:
        return _ABBREVIATIONS[match[1]] + ("." if match[1] == "etc" and ends_sentence(match) else "")

    def _large(self, match: re.Match[str]) -> str:
        return self.measured(self.parse(match[1]), self.magnitudes[match[2]])
