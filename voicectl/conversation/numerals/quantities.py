"""Amounts: money, measures, percentages, ranges, fractions, and the numbers that are nothing else.

The same patterns in every language that is spoken for; the words, and where they differ the grammar, are its own.
"""

from __future__ import annotations

import re

from voicectl.conversation.numerals.language import Language, Number, Rule, any_of, before, behind, rule

_DASH = "[-–—\u2212]"
_NO_LETTER = r"(?![A-Za-z\u00c0-\u024f0-9])"
_APART = r"(?<![A-Za-z0-9.,–-])"


def money_rules(language: Language) -> tuple[Rule, ...]:
    sign = any_of(language.currencies)
    other = "." if language.decimal == "," else ","
    figure = rf"(?:[0-9]+\{other}[0-9]{{2}}(?![0-9])|{language.figure})"
    """Prices are also seen with the decimal mark of other countries."""
    large = any_of(language.magnitudes)
    upto = rf"(?: ?{_DASH} ?{sign}? ?(?P<b>{figure}))?"
    scale = rf"(?: ?(?P<scale>{large}){_NO_LETTER})?"

    def price(written: str) -> Number:
        if written[-3:-2] == other:
            written = written[:-3] + language.decimal + written[-2:]
        return language.parse(written)

    def amount(number: Number, scale: str, sign: str) -> str:
        currency = language.currencies[sign]
        if scale:
            return (
                f"{language.measured(number, language.magnitudes[scale])}{language.of_magnitude}{currency.major.many}"
            )
        if number.fraction and len(number.fraction) != 2:
            return f"{language.say(number)} {currency.major.many}"
        if not number.fraction.strip("0"):
            return language.measured(Number(number.whole, "", number.digits), currency.major)
        if not number.whole:
            return language.measured(Number(int(number.fraction)), currency.minor)
        return language.money(number, currency)

    def money(match: re.Match[str]) -> str | None:
        if match["sign"].isalpha() and before(match)[-1:].isalnum():
            return None
        sign, scale = match["sign"], match["scale"] or ""
        first = price(match["a"])
        minus = f"{language.minus} " if match.groupdict().get("minus") else ""
        if not match["b"]:
            said, major = amount(first, scale, sign), language.currencies[sign].major
            if language.attributive(match) and said.endswith(f" {major.many}"):
                said = said.removesuffix(major.many) + major.one
            return minus + said
        start = amount(first, "", sign) if first.fraction else language.say(first)
        return f"{minus}{start} {language.to} {amount(price(match['b']), scale, sign)}"

    minus = rf"(?P<minus>(?<![A-Za-z0-9)]){_DASH})?"
    return (
        rule(rf"{minus}(?P<sign>{sign}) ?(?P<a>{figure}){upto}{scale}(?![0-9])", money),
        rule(rf"{minus}(?P<a>{figure}){upto}{scale} ?(?P<sign>{sign}){_NO_LETTER}", money),
    )


def measure_rules(language: Language) -> tuple[Rule, ...]:
    """Percentages and units, alone and in ranges."""
    figure = language.figure
    units = any_of(language.units)
    shy = {unit for unit in language.units if len(unit) == 1 and unit.isalpha()}

    def measure(match: re.Match[str]) -> str | None:
        unit = match["unit"]
        first = language.parse(match["a"])
        thing = language.units[unit]
        minus = f"{language.minus} " if match["minus"] else ""
        per, stop = "", "." if match["stop"] and not re.match(" [a-z]", behind(match)) else ""
        if match["per"]:
            per = f" {language.per} {language.units[match['per']].one}"
        elif unit in shy and (
            behind(match)[:1] in ("'", "’", "/", "-") or (unit == "W" and match["stop"] and behind(match)[1:2])
        ):
            return None  # "42 W. Fifth"
        if match["b"]:
            last = language.measured(language.parse(match["b"]), thing)
            return f"{minus}{language.say(first)} {language.to} {last}{per}{stop}"
        one = thing._replace(many=thing.one) if language.attributive(match) else thing
        return minus + language.measured(first, one) + per + stop

    def percentage(match: re.Match[str]) -> str:
        first, minus = language.parse(match["a"]), f"{language.minus} " if match["minus"] else ""
        start = minus + language.say(first)
        if match["b"]:
            start += f" {language.to} {language.say(language.parse(match['b']))}"
        return f"{start} {language.percent}"

    minus = rf"(?P<minus>(?<![A-Za-z0-9)]){_DASH})?"
    numbers = rf"{minus}(?P<a>{figure})(?: ?%?(?: ?{_DASH} ?)(?P<b>{figure}))?"
    return (
        rule(rf"{numbers} ?%", percentage),
        rule(rf"{numbers}[ -]?(?P<unit>{units})(?:/(?P<per>{units}))?{_NO_LETTER}(?P<stop>\.)?(?![0-9])", measure),
    )


_VULGAR = dict(zip("½¼¾⅓⅔⅕⅖⅗⅘⅙⅛⅜⅝⅞", ((1, 2), (1, 4), (3, 4), (1, 3), (2, 3), (1, 5), (2, 5), (3, 5), (4, 5), (1, 6),
    (1, 8), (3, 8), (5, 8), (7, 8)), strict=True))  # fmt: skip


def number_rules(language: Language) -> tuple[Rule, ...]:
    """Everything that is left, down to the last figure."""
    figure = language.figure

    def vulgar(match: re.Match[str]) -> str:
        part = _VULGAR[match[2]]
        return language.mixed(int(match[1]), *part) if match[1] else language.part(*part)

    def mixed(match: re.Match[str]) -> str | None:
        top, bottom = int(match[2]), int(match[3])
        return language.mixed(int(match[1]), top, bottom) if 0 < top < bottom <= 16 else None

    def ratio(match: re.Match[str]) -> str | None:
        return language.ratio(match)

    def version(match: re.Match[str]) -> str | None:
        if re.fullmatch(figure, match[0]):
            return None
        return f" {language.version_point} ".join(language.cardinal(int(part)) for part in match[0].split("."))

    def times(match: re.Match[str]) -> str:
        return f"{language.say(language.parse(match[1]))} {language.by} {language.say(language.parse(match[2]))}"

    def span(match: re.Match[str]) -> str | None:
        first, last = language.parse(match[1]), language.parse(match[3])
        if " " in match[2] and first.whole >= last.whole:
            return None
        return f"{language.bare(match[1], match)} {language.to} {language.bare(match[3], match)}"

    def numbered(match: re.Match[str]) -> str:
        digits = match[1]
        said = language.spelled(digits) if len(digits) > 3 else language.cardinal(int(digits))
        return f"{language.number} {said}"

    def more(match: re.Match[str]) -> str:
        return f"{language.bare(match[1], match)} {language.plus}"

    def negative(match: re.Match[str]) -> str:
        return f"{language.minus} {language.say(language.parse(match[1]))}"

    def positive(match: re.Match[str]) -> str:
        return f"{language.plus} "

    def sign_alone(match: re.Match[str]) -> str | None:
        currency = language.currencies.get(match[0])
        return currency and currency.major.many

    def and_(match: re.Match[str]) -> str:
        return language.and_

    def at(match: re.Match[str]) -> str:
        return language.at

    def glued(match: re.Match[str]) -> str:
        return " "

    def fraction_only(match: re.Match[str]) -> str:
        return f"{language.point} {language.fraction(match[1])}"

    def plain(match: re.Match[str]) -> str:
        return language.bare(match[0], match)

    return (
        rule(r"(?:([0-9]{1,3}) ?)?([½¼¾⅓⅔⅕⅖⅗⅘⅙⅛⅜⅝⅞])", vulgar),
        rule(r"(?<![0-9/.,])([0-9]{1,3}) ([0-9]{1,2})/([0-9]{1,2})(?![0-9/])", mixed),
        rule(r"(?<![0-9/.,])([0-9]{1,4})/([0-9]{1,4})(?![0-9/])", ratio),
        rule(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){2,4}(?![0-9]|\.[0-9])", version),
        rule(rf"({figure}) ?[x×] ?({figure})(?![0-9])", times),
        rule(rf"{_APART}({figure})( ?{_DASH} ?)({figure})(?![0-9]|{_DASH}[0-9])", span),
        rule(r"# ?([0-9]{1,18})(?![0-9])", numbered),
        rule(rf"({figure}) ?\+(?![0-9A-Za-z])", more),
        rule(rf"(?<![A-Za-z0-9)]){_DASH}({figure})(?![0-9])", negative),
        rule(rf"(?<=[A-Z0-9]){_DASH}(?=[0-9])", glued),
        rule(rf"(?<![A-Za-z0-9])\{language.decimal}([0-9]+)", fraction_only),
        rule(figure, plain),
        rule(r"(?<![A-Za-z0-9+])\+ ?(?=[0-9])", positive),
        rule(r"&", and_),
        rule(r"@", at),
        rule(r"[$€£¥](?![0-9A-Za-z])", sign_alone),
    )
