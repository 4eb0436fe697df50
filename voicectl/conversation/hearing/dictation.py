"""Numbers that are dictated: digits said one after another, over one utterance or several.

    "my number is oh one five one, double five"      01515 5
    "twenty five euros", "a table for two"           amounts, not dictated

A run is what stands between two words that are no digits. Digits are read as people say them: "oh", "double five",
"twenty five", "eight hundred", in groups, with "dash" between them. What makes a run a dictated number is what leads to
it: a word for a number that has to be read off somewhere ("phone", "order number", "postcode").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from voicectl.conversation.hearing.wording import bare, by_language
from voicectl.conversation.languages import primary
from voicectl.conversation.vocabulary import NUMBERS

Kind = Literal["", "phone", "card", "postcode", "code", "birth", "other"]
"""What number it is; "" if none."""


def _units(words: str) -> dict[str, str]:
    return {word: str(digit) for digit, group in enumerate(words.split()) for word in group.split("/")}


_ENGLISH = {word: digits for word, digits in NUMBERS.items() if word != "hundred"} | {
    "oh": "0",
    "o": "0",
    "nought": "0",
}
_GERMAN = _units(
    "null eins/ein zwei/zwo drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn"
)
_GERMAN_TENS = ("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
for _ten, _tens in enumerate(_GERMAN_TENS, start=2):
    _GERMAN[_tens] = f"{_ten}0"
    for _word in "ein zwei drei vier fünf sechs sieben acht neun".split():
        _GERMAN[f"{_word}und{_tens}"] = f"{_ten}{_GERMAN[_word]}"
_DIGITS = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "es": _units("cero uno/una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
                 " dieciséis diecisiete dieciocho diecinueve veinte"),
    "fr": _units("zéro un/une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"),
    "it": _units("zero uno/una due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici"
                 " quindici sedici diciassette diciotto diciannove venti"),
    "pt": _units("zero um/uma dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze quinze")
    | {"meia": "6"},
    "nl": _units("nul een/één twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien"
                 " zestien zeventien achttien negentien twintig"),
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3, "doppel": 2, "doble": 2, "triplo": 3, "doppio": 2, "dubbel": 2}
_BETWEEN = frozenset(
    "dash hyphen minus space um uh er erm and then äh ähm und dann strich bindestrich y guion euh et tiret e ehm"
    " trattino traço eh en streepje".split()
)
"""Said between digits, and no digits."""

_MAY_END = frozenset(_TIMES) | {"hundred", "thousand"}
_TOKEN = re.compile(r"\S+")
_FIGURES = re.compile(r"\+?\(?\d[\d().,/-]*")
_EDGES = ".,;:!?…\"'()"

_CUES: dict[Kind, str] = {
    "phone": r"(?:phone|telephone|mobile|cell|contact|call ?back|fax) ?(?:number)?|reach you|call you back"
    r"|telefon\w*|handy\w*|rückruf\w*|teléfono|móvil|celular|téléphone|portable|telefono|cellulare|telefone|celular"
    r"|telemóvel|mobiel",
    "card": r"(?:card|kart\w*|tarjeta|carte|carta|cartão|kaart)[ -]?(?:number|nummer|numero)?",
    "postcode": r"zip(?: ?code)?|post(?:al)? ?code|postleitzahl|plz|código postal|code postal|codice postale|cap"
    r"|postcode",
    "birth": r"date of birth|birth ?da(?:y|te)|born|geburtsdatum|geboren|geburtstag|fecha de nacimiento"
    r"|date de naissance|data di nascita|data de nascimento|geboortedatum",
    "code": r"(?:\w+ )?(?:code|pin|password|digits)|geheimzahl|código|codice",
    "other": r"number(?! of)|\w*nummer|número|numéro|numero|account",
}
_CUE: dict[Kind, re.Pattern[str]] = {kind: re.compile(rf"(?<!\w)(?:{words})(?!\w)") for kind, words in _CUES.items()}
_OTHER_NUMBER = re.compile(
    r"\b(?:order|account|booking|reservation|reference|customer|member\w*|policy|invoice|tracking|ticket|case|serial"
    r"|confirmation|id) (?:number|no|id)\b|\b(?:bestell|konto|kunden|auftrags|rechnungs|buchungs|vorgangs|klant|order"
    r"|bestel)nummer\b|\b(?:número|numéro|numero) (?:de|di|d')"
)
_UNSPACED: tuple[tuple[Kind, str], ...] = (
    ("phone", "電話番号"),
    ("postcode", "郵便番号"),
    ("birth", "生年月日"),
    ("code", "暗証番号"),
    ("other", "番号"),
)
_LAST_DIGITS = re.compile(r"\b(?:first|last) (?:\w+ )?digits|\bletzten \w+ ziffern")
_LEAD = re.compile(
    r"(?:number|code|pin|zip|postcode|phone|mobile|telephone|cell|card|account|nummer|número|numéro|numero|código"
    r"|codice)(?: (?:is|it's|would be|starts with|ist|lautet|es|est|é|è|e)| it's)? ?$|\w*nummer (?:ist|lautet)? ?$"
    r"|(?:telefon|handy|postleitzahl|teléfono|téléphone|telefono|telefone)(?: (?:is|ist|es|est|è|é))? ?$"
)
_ENOUGH = 4
"""Digits of a number that is of no known length."""
_SHORT_POSTCODES = frozenset({"de-at", "de-ch", "fr-ch", "fr-be", "en-au", "en-nz", "en-za"})
_AREA_CODE = re.compile(r"\D*\d{3}\D+\d{3}(?!\d)")
_MONTH = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|mai|juni|juli|okt|dez|ene|abr|ago|dic|janv|févr|avril"
    r"|juin|juil|août|gen|mag|giu|lug|set|out|dez)\w*"
)


@dataclass(frozen=True, slots=True)
class Run:
    """Digits in a text: text[begin:end] reads as `digits`."""

    begin: int
    end: int
    digits: str
    words: int
    """How many digits or digit words were said."""


def runs(text: str, language: str = "") -> list[Run]:
    """The runs of digits in a text, in order."""
    table = by_language(_DIGITS, language)
    found: list[Run] = []
    begin = end = -1
    digits, times, said, ten = "", 1, 0, False
    for token in _TOKEN.finditer(text):
        raw = token[0]
        word = raw.strip(_EDGES).lower()
        value = _figures(raw) if _FIGURES.fullmatch(raw.rstrip("!?;:…\"'")) else _said(table, word)
        if value:
            if begin < 0:
                begin = token.start()
            if ten and len(value) == 1 and value != "0":
                digits = digits[:-1] + value  # "twenty five"
            else:
                digits += value * times
            ten = (
                len(value) == 2 and value[1] == "0" and value[0] > "1" and word.isalpha() and primary(language) != "de"
            )
            said, times = said + 1, 1
            end = token.start() + len(raw.rstrip(".,;:!?…\"'"))
        elif begin >= 0 and word in ("hundred", "thousand") and said:
            digits += "00" if word == "hundred" else "000"
            end, ten = token.start() + len(raw.rstrip(".,;:!?…\"'")), False
        elif word in _TIMES:
            times, ten = _TIMES[word], False
            if begin < 0:
                begin = end = token.start()
        elif begin >= 0 and (not word or word in _BETWEEN):
            ten = False
        else:
            if said:
                found.append(Run(begin, end, digits, said))
            begin, digits, times, said, ten = -1, "", 1, 0, False
    if said:
        found.append(Run(begin, end, digits, said))
    return found


def _said(table: dict[str, str], word: str) -> str:
    if "-" in word:
        return "".join(_pair(table, word.split("-")))
    return table.get(word, "")


def _pair(table: dict[str, str], words: list[str]) -> list[str]:
    """ "twenty-five", "five-five"."""
    values = [table.get(word, "") for word in words]
    if not all(values):
        return []
    if len(values) == 2 and len(values[0]) == 2 and values[0].endswith("0") and len(values[1]) == 1:
        return [values[0][0] + values[1]]
    return values


def _figures(raw: str) -> str:
    return "".join(char for char in raw if char.isdigit() or char == "+")


def ends_in_digits(text: str, language: str = "") -> Run | None:
    """The run that a text ends with."""
    end = text[-40:].rstrip(" .,;:!…\"'-").rpartition(" ")[2].lower()
    known = end in by_language(_DIGITS, language) or end in _MAY_END
    if not known and "-" not in end and not any(map(str.isdigit, end)):
        return None
    cut = max(0, len(text) - 160)
    found = runs(text[cut:], language)
    if not found or text[cut + found[-1].end :].strip(".,;:!…\"' -"):
        return None
    last = found[-1]
    return Run(cut + last.begin, cut + last.end, last.digits, last.words)


def only_digits(text: str, language: str = "") -> str:
    """The digits of a text that is nothing else; "" if it is."""
    found = runs(text, language)
    if len(found) != 1 or bare(text[: found[0].begin]) or bare(text[found[0].end :]):
        return ""
    return found[0].digits


def leads_to_number(text: str) -> bool:
    """Whether a text ends in words that a number is dictated after: "my order number is"."""
    return _LEAD.search(bare(text[-60:]) + " ") is not None


def kind_of_number(text: str) -> Kind:
    """What number a text speaks of."""
    said = text.lower()
    if _LAST_DIGITS.search(said):
        return "code"
    if _OTHER_NUMBER.search(said):
        return "other"
    for kind, cue in _CUE.items():
        if cue.search(said):
            return kind
    return next((kind for kind, name in _UNSPACED if name in said), "")


def more_to_come(run: Run, text: str, kind: Kind, language: str = "") -> bool:
    """Whether a number of this kind has more digits than the run that the text ends with."""
    digits = run.digits.removeprefix("+")
    if kind == "birth":
        return len(digits) < 6 and not (_MONTH.search(text.lower()) and re.search(r"(?:19|20)\d\d$", digits))
    if kind == "phone":
        long = run.digits[:1] in "+01" or _AREA_CODE.match(text[run.begin : run.end])
        return len(digits) < (10 if long else 7)
    if kind == "card":
        return len(digits) < (15 if digits.startswith("3") else 16)
    if kind == "postcode":
        return len(digits) < (4 if language.lower() in _SHORT_POSTCODES or primary(language) == "nl" else 5)
    return len(digits) < _ENOUGH
