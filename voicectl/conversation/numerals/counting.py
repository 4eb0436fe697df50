"""Numbers in words: English, German, Spanish and French, whole numbers below 10**15 and what comes of them.

By hand rather than with num2words (0.5.14 was looked at): its import takes 40 ms for sixty languages, in the middle of
a call; it puts a comma behind thousands, which a voice takes for a pause; and the rules below are few.
"""

from __future__ import annotations

TOO_LARGE = 10**15
"""From here on numbers have no words: their digits are said."""

_EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_EN_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_EN_LARGE = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_EN_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def english(n: int, *, with_and: bool = False) -> str:
    """`with_and`: "two hundred and five", as in Britain."""
    if n < 20:
        return _EN_SMALL[n]
    if n < 100:
        return _EN_TENS[n // 10] + (f"-{_EN_SMALL[n % 10]}" if n % 10 else "")
    link = " and " if with_and else " "
    if n < 1000:
        rest = link + english(n % 100) if n % 100 else ""
        return f"{_EN_SMALL[n // 100]} hundred{rest}"
    unit, name = next(large for large in _EN_LARGE if n >= large[0])
    said = f"{english(n // unit, with_and=with_and)} {name}"
    rest_of = n % unit
    if not rest_of:
        return said
    return said + (link if rest_of < 100 else " ") + english(rest_of, with_and=with_and)


def english_ordinal(n: int, *, with_and: bool = False) -> str:
    said = english(n, with_and=with_and)
    cut = max(said.rfind(" "), said.rfind("-")) + 1
    last = said[cut:]
    if last in _EN_ORDINALS:
        return said[:cut] + _EN_ORDINALS[last]
    return said[:-1] + "ieth" if last.endswith("y") else said + "th"


_DE_SMALL = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
).split()
_DE_TENS = "- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
_DE_LARGE = ((10**12, "Billion", "Billionen"), (10**9, "Milliarde", "Milliarden"), (10**6, "Million", "Millionen"))


def german(n: int) -> str:
    """Ends in "eins", as in counting."""
    said = _german(n)
    return said + "s" if said.endswith("ein") else said


def _german(n: int) -> str:
    if n < 20:
        return _DE_SMALL[n]
    if n < 100:
        return (f"{_DE_SMALL[n % 10]}und" if n % 10 else "") + _DE_TENS[n // 10]
    for unit, name in ((1000, "tausend"), (100, "hundert")):
        if unit <= n < unit * 10**3:
            return f"{_german(n // unit)}{name}" + (_german(n % unit) if n % unit else "")
    unit, one, many = next(large for large in _DE_LARGE if n >= large[0])
    said = f"eine {one}" if n // unit == 1 else f"{_german(n // unit)} {many}"
    return said + (f" {_german(n % unit)}" if n % unit else "")


def german_ordinal(n: int) -> str:
    """Without an ending: "erst", "zwanzigst"."""
    irregular = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
    rest = n % 100
    if 0 < rest < 20:
        head = _german(n - rest) if n > rest else ""
        return head + irregular.get(rest, f"{_DE_SMALL[rest]}t")
    return _german(n) + "st"


_ES_SMALL = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
).split()
_ES_TENS = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_ES_HUNDREDS = (
    "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
).split()


def spanish(n: int, *, gender: str = "") -> str:
    """`gender` of what is counted: "m" ("veintiún euros"), "f" ("doscientas una libras"), or "" for plain counting."""
    said = _spanish(n, feminine=gender == "f")
    return _apocope(said) if gender == "m" else said


def _apocope(said: str) -> str:
    if said.endswith("veintiuno"):
        return said[:-3] + "ún"
    return said[:-1] if said.endswith("uno") else said


def _spanish(n: int, *, feminine: bool = False) -> str:
    if n < 30:
        said = _ES_SMALL[n]
        return said[:-1] + "a" if feminine and n in (1, 21) else said
    if n < 100:
        return _ES_TENS[n // 10] + (f" y {_spanish(n % 10, feminine=feminine)}" if n % 10 else "")
    if n == 100:
        return "cien"
    if n < 1000:
        said = _ES_HUNDREDS[n // 100]
        if feminine and n >= 200:
            said = said[:-2] + "as"
        return said + (f" {_spanish(n % 100, feminine=feminine)}" if n % 100 else "")
    if n < 10**6:
        thousands = "" if n < 2000 else _apocope(_spanish(n // 1000, feminine=False)) + " "
        if feminine and n >= 2000:
            thousands = _spanish(n // 1000, feminine=True) + " "
        return f"{thousands}mil" + (f" {_spanish(n % 1000, feminine=feminine)}" if n % 1000 else "")
    unit, one, many = (10**12, "billón", "billones") if n >= 10**12 else (10**6, "millón", "millones")
    said = f"un {one}" if n // unit == 1 else f"{_apocope(_spanish(n // unit))} {many}"
    return said + (f" {_spanish(n % unit, feminine=feminine)}" if n % unit else "")


_ES_ORDINALS = "- primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo".split()


def spanish_ordinal(n: int, *, feminine: bool = False) -> str:
    """Above ten people count instead: "planta quince"."""
    if not 0 < n <= 10:
        return _spanish(n)
    return _ES_ORDINALS[n][:-1] + ("a" if feminine else "o")


_FR_SMALL = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
).split()
_FR_TENS = "- - vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split()
_FR_NEW_TENS = "- - vingt trente quarante cinquante soixante septante quatre-vingt nonante".split()
_FR_LARGE = ((10**12, "billion"), (10**9, "milliard"), (10**6, "million"))


def french(n: int, *, septante: bool = False, feminine: bool = False, final: bool = True) -> str:
    """`septante`: seventy and ninety as in Belgium and Switzerland. `final`: nothing follows that takes the plural s of
    "quatre-vingts" and "cents" away."""
    if n < 20:
        return "une" if n == 1 and feminine else _FR_SMALL[n]
    if n < 100:
        return _french_tens(n, septante, feminine, final)
    if n < 1000:
        many, rest = divmod(n, 100)
        said = "cent" if many == 1 else f"{_FR_SMALL[many]} cent{'s' if not rest and final else ''}"
        return said + (f" {french(rest, septante=septante, feminine=feminine, final=final)}" if rest else "")
    if n < 10**6:
        many, rest = divmod(n, 1000)
        said = "mille" if many == 1 else f"{french(many, septante=septante, final=False)} mille"
    else:
        unit, name = next(large for large in _FR_LARGE if n >= large[0])
        many, rest = divmod(n, unit)
        said = f"{french(many, septante=septante)} {name}{'s' if many > 1 else ''}"
    return said + (f" {french(rest, septante=septante, feminine=feminine, final=final)}" if rest else "")


def _french_tens(n: int, septante: bool, feminine: bool, final: bool) -> str:
    many, rest = divmod(n, 10)
    one = "une" if feminine else "un"
    if many in (7, 9) and not septante:
        if n == 71:
            return "soixante et onze"
        return f"{_FR_TENS[many]}-{_FR_SMALL[rest + 10]}"
    said = _FR_NEW_TENS[many] if septante else _FR_TENS[many]
    if many == 8:
        return said + ("s" if not rest and final else "" if not rest else f"-{one if rest == 1 else _FR_SMALL[rest]}")
    if rest == 1:
        return f"{said} et {one}"
    return said + (f"-{_FR_SMALL[rest]}" if rest else "")


def french_ordinal(n: int, *, septante: bool = False, feminine: bool = False) -> str:
    if n == 1:
        return "première" if feminine else "premier"
    said = french(n, septante=septante, final=False)
    if said.endswith("cinq"):
        return said + "uième"
    if said.endswith("neuf"):
        return said[:-1] + "vième"
    return (said[:-1] if said.endswith("e") else said) + "ième"
