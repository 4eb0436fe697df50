"""Figures in Spanish: of Spain ("3,14", euros), or of America ("3.14").

"1" and "21" lose their ending in front of a masculine noun and take another one in front of a feminine one, as far as
the noun's own ending tells. Hours past twelve are said with the part of the day.
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

_MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
_SHORT_MONTHS = {name[:3]: name for name in _MONTHS if name != "mayo"} | {"sept": "septiembre"}
_DAYS = "lunes martes miércoles jueves viernes sábado domingo".split()
_WEEKDAYS = {"mié" if day[:3] == "mié" else day[:3]: day for day in _DAYS} | {"mie": "miércoles", "sab": "sábado"}
_WEEKDAYS |= {short.capitalize(): day.capitalize() for short, day in list(_WEEKDAYS.items())}
_MONTH = any_of([*_MONTHS, *_SHORT_MONTHS])
_CENT = Thing("céntimo", "céntimos", "m")
_EURO = Currency(Thing("euro", "euros", "m"), _CENT)
_DOLLAR = Currency(Thing("dólar", "dólares", "m"), Thing("centavo", "centavos", "m"))
_POUND = Currency(Thing("libra", "libras", "f"), Thing("penique", "peniques", "m"))
_PESO = Currency(Thing("peso", "pesos", "m"), Thing("centavo", "centavos", "m"))
_YEN = Currency(Thing("yen", "yenes", "m"), Thing("sen", "sen", "m"))
_MILLION = Thing("millón", "millones", "m")


def _same(one: str, gender: str, shorts: str) -> dict[str, Thing]:
    many = one + ("s" if one[-1] in "aeio" else "es")
    return dict.fromkeys(shorts.split(), Thing(one, many, gender))


_UNITS = {
    **_same("metro", "m", "m"), **_same("kilómetro", "m", "km"), **_same("centímetro", "m", "cm"),
    **_same("milímetro", "m", "mm"), **_same("litro", "m", "l L"), **_same("mililitro", "m", "ml"),
    **_same("kilo", "m", "kg"), **_same("gramo", "m", "g"), **_same("miligramo", "m", "mg"),
    **_same("hora", "f", "h hs"), **_same("minuto", "m", "min"), **_same("segundo", "m", "s seg"),
    **_same("grado", "m", "°"), **_same("pulgada", "f", '"'), **_same("vatio", "m", "W"),
    "m²": Thing("metro cuadrado", "metros cuadrados", "m"), "m2": Thing("metro cuadrado", "metros cuadrados", "m"),
    "km/h": Thing("kilómetro por hora", "kilómetros por hora", "m"),
    "°C": Thing("grado Celsius", "grados Celsius", "m"), "ºC": Thing("grado Celsius", "grados Celsius", "m"),
    "MB": Thing("megabyte", "megabytes", "m"), "GB": Thing("gigabyte", "gigabytes", "m"),
    "TB": Thing("terabyte", "terabytes", "m"), "kWh": Thing("kilovatio hora", "kilovatios hora", "m"),
}  # fmt: skip
_ABBREVIATIONS = {"Sr": "señor", "Sra": "señora", "Srta": "señorita", "Dr": "doctor", "Dra": "doctora", "Av": "avenida",
                  "Avda": "avenida", "C": "calle", "Ud": "usted", "Uds": "ustedes", "aprox": "aproximadamente",
                  "etc": "etcétera", "tel": "teléfono", "Tel": "Teléfono", "núm": "número", "pág": "página",
                  "Pza": "plaza"}  # fmt: skip
_SPELLED = re.compile(
    r"\b(?:código|pin|contraseña|clave|postal|pedido|reserva|referencia|factura|extensión)"
    r"(?: (?:número|es|nº|n\.º))*:? ?#?\Z",
    re.IGNORECASE,
)
_A_LAS = re.compile(r"\b(?:las?|de|entre|hasta|desde) \Z", re.IGNORECASE)
_DASH = "[-–—]"
_HOUR = r"([01]?[0-9]|2[0-4])"


class Spanish(Language):
    to, minus, plus, percent, by = "a", "menos", "más", "por ciento", "por"
    at, dot, dash, underscore, slash, number, and_ = "arroba", "punto", "guion", "guion bajo", "barra", "número", "y"
    per, over, version_point = "por", "sobre", "punto"
    currencies = {"€": _EURO, "EUR": _EURO, "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR, "£": _POUND,
                  "¥": _YEN, "MXN": _PESO,
                  "euros": _EURO, "euro": _EURO}  # fmt: skip
    units = _UNITS
    magnitudes = {"millones": _MILLION, "millón": _MILLION, "M": _MILLION, "mil": Thing("mil", "mil", "m")}
    of_magnitude = " de "
    openers = frozenset(_WEEKDAYS) | frozenset(_DAYS) | frozenset(_SHORT_MONTHS) | {"EUR", "USD", "MXN"}
    dotted = frozenset(_ABBREVIATIONS) | {"n", "p", "N"}
    continuations = (
        frozenset(_MONTHS) | frozenset(_SHORT_MONTHS) | frozenset(_WEEKDAYS) | frozenset(_DAYS)
        | frozenset("de h hs horas ej a p am pm EUR USD MXN euros euro millones millón mil y".split())
        | {unit for unit in _UNITS if unit.isalpha()}
    )  # fmt: skip
    named, name, names = re.compile("[0-9]*1(?= )"), re.compile("[a-zñáéíóú]"), 1

    def __init__(self, *, american: bool) -> None:
        self.american = american
        self.point = "punto" if american else "coma"
        self.groups, self.decimal = (",", ".") if american else (".", ",")
        super().__init__()
        no_more = r"(?![0-9]|[.,:][0-9])"
        hours, month = r"(?: ?(?:h|hs|horas)\b\.?)", rf"(?= (?:de )?{_MONTH}\b)"
        half = r"(?: ?([ap])\.? ?m(?:\.|(?![a-z])))?"
        self._money = money_rules(self)
        self.rules: tuple[Rule, ...] = (
            *address_rules(self),
            rule(r"(?<![0-9/])24/7(?![0-9/])", lambda match: "veinticuatro siete"),
            rule(rf"(?<![0-9]){_HOUR}(?::([0-5][0-9]))? ?{_DASH} ?{_HOUR}(?::([0-5][0-9]))?({hours})?{no_more}",
                 self._opening),
            rule(rf"(?<![0-9:.]){_HOUR}:([0-5][0-9]){half}{hours}?{no_more}", self._time),
            rule(r"(?<![0-9:.])([0-9]{1,2})() ?([ap])\.? ?m(?:\.|(?![a-z]))", self._time),
            *day_first(self._date),
            rule(rf"(?<![0-9])([0-9]{{1,2}})(?:º|\.º)?(?: ?{_DASH} ?([0-9]{{1,2}}))?{month}", self._day),
            rule(rf"(?<![A-Za-zÀ-ÿ])({any_of(_SHORT_MONTHS)})(?![A-Za-zÀ-ÿ])\.?", self._month),
            *weekday_rules(_DAYS, _WEEKDAYS, to="a", and_="y"),
            *telephone_rules(self),
            *self._money,
            rule(r"(?<![A-Za-z])[nN](?:\.? ?º|\.o|\.°) ?(?=[0-9])", lambda match: "número "),
            rule(r"([0-9]{1,3})\.?([ºª])(?!C)", self._ordinal),
            rule(r"(?<![A-Za-z])p\. ?ej\.", lambda match: "por ejemplo"),
            rule(rf"(?<![A-Za-zÀ-ÿ])({any_of(_ABBREVIATIONS)})\.", self._abbreviation),
            *measure_rules(self),
            rule(rf"({self.figure}) ?(millones|millón|mil)(?![A-Za-z])", self._large),
            *code_rules(self),
            *number_rules(self),
        )  # fmt: skip

    # --- numbers -----------------------------------------------------------------------------------------------

    def cardinal(self, n: int) -> str:
        return self.spelled(str(n)) if n >= counting.TOO_LARGE else counting.spanish(n)

    def count(self, n: int, gender: str) -> str:
        return self.cardinal(n) if n >= counting.TOO_LARGE else counting.spanish(n, gender=gender)

    def money(self, number: Number, currency: Currency) -> str:
        return f"{self.measured(Number(number.whole), currency.major)} con {self.cardinal(int(number.fraction))}"

    def part(self, top: int, bottom: int) -> str:
        names = {2: "medio", 3: "tercio", 4: "cuarto"}
        if bottom > 10:
            return f"{self.cardinal(top)} sobre {self.cardinal(bottom)}"
        name = names.get(bottom, counting.spanish_ordinal(bottom))
        if bottom == 2 and top == 1:
            return "medio"
        return f"{self.count(top, 'm')} {name}{'s' if top > 1 else ''}"

    def bare(self, written: str, match: re.Match[str]) -> str:
        context, rest = before(match), behind(match)
        if written.isdigit() and len(written) > 2 and (_SPELLED.search(context) or context[-1:].isalpha()):
            return self.spelled(written)
        if written.isdigit() and len(written) > 1 and written[0] == "0":
            return self.spelled(written)
        if written.isdigit() and len(written) > 6 and not written.endswith("000"):
            return self.spelled(written)
        number = self.parse(written)
        noun = re.match(r" ([a-zñáéíóú]+)", rest)
        if noun and not number.fraction and number.whole % 10 == 1 and number.whole % 100 != 11 and len(noun[1]) > 3:
            return self.say(number, "f" if noun[1].rstrip("s")[-1:] == "a" else "m")
        return self.say(number)

    # --- rules -------------------------------------------------------------------------------------------------

    def _clock(self, hour: int, minute: int, half: str = "") -> str:
        part = ""
        if hour > 12 or hour == 0:
            late = " de la tarde" if 12 < hour < 20 else " de la noche"
            part, hour = (late, hour - 12 if hour > 12 else 12)
        elif half:
            part = " de la mañana" if half == "a" else " de la tarde" if hour < 8 or hour == 12 else " de la noche"
        said = "una" if hour == 1 else self.cardinal(hour)
        if minute in (15, 30):
            said += " y cuarto" if minute == 15 else " y media"
        elif minute:
            said += f" y {self.cardinal(minute)}" if minute < 30 else f" {self.cardinal(minute)}"
        return said + part

    def _time(self, match: re.Match[str]) -> str | None:
        hour, minute, half = int(match[1]), int(match[2] or 0), match[3] or ""
        if half and hour > 12:
            half = ""
        said = self._clock(hour % 24, minute, half)
        exact = not minute and not half and hour <= 12 and not _A_LAS.search(before(match))
        stop = "." if match[0].endswith(".") and ends_sentence(match) else ""
        return said + (" en punto" if exact else "") + stop

    def _opening(self, match: re.Match[str]) -> str | None:
        if not (match[5] or match[2] or match[4]):
            return None
        start, end = (self._clock(int(match[n]) % 24, int(match[n + 1] or 0)) for n in (1, 3))
        return f"{start} a {end}"

    def _date(self, match: re.Match[str], day: int, month: int, year: int | None) -> str:
        said = f"{self._first(day)} de {_MONTHS[month - 1]}"
        return said if year is None else f"{said} de {self.cardinal(year)}"

    def _first(self, day: int) -> str:
        return "primero" if day == 1 and self.american else self.cardinal(day)

    def _day(self, match: re.Match[str]) -> str:
        said = self._first(int(match[1]))
        if match[2]:
            said += f" al {self.cardinal(int(match[2]))}"
        return said if behind(match).startswith(" de ") else said + " de"

    def _month(self, match: re.Match[str]) -> str | None:
        near = re.search(r"[0-9](?: de)? \Z", before(match)) or re.match(r"(?: de)? [0-9]", behind(match))
        if not near:
            return None
        return _SHORT_MONTHS[match[1]] + (" de" if re.match(" [12][0-9]{3}", behind(match)) else "")

    def _ordinal(self, match: re.Match[str]) -> str:
        return counting.spanish_ordinal(int(match[1]), feminine=match[2] == "ª")

    def _abbreviation(self, match: re.Match[str]) -> str:
        return _ABBREVIATIONS[match[1]] + ("." if match[1] == "etc" and ends_sentence(match) else "")

    def _large(self, match: re.Match[str]) -> str:
        return self.measured(self.parse(match[1]), self.magnitudes[match[2]])
