"""What a document says about itself: its language, and the days from and until which it holds.

It says so in fields (a Markdown front matter, HTML's meta elements, the columns of a table) or in a line of its own
near the top: "Valid until 31 December 2026", "Gültig vom 1. Mai bis 30. September 2026". Days are read in the usual
spellings of seven languages. A day that can be read in two ways (03/04/2026) or not at all is a warning, never a guess:
telling a caller last year's price is worse than asking the owner.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from voicectl.kb.formats import Document, Items, Paragraph

NEAR_THE_TOP = 5
"""Blocks in which a line about the document is looked for."""

FROM = "valid from"
UNTIL = "valid until"
LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class About:
    language: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    warnings: tuple[str, ...] = ()


def field(name: str) -> str:
    """FROM, UNTIL or LANGUAGE when a field of this name says it, else ""."""
    return _FIELDS.get(" ".join(_plain(name).replace("_", " ").replace("-", " ").split()), "")


def from_fields(fields: Mapping[str, str]) -> About:
    """What fields say that somebody wrote by hand; names and spellings as people use them."""
    known = {field(name): value.strip().strip("\"'") for name, value in fields.items() if value.strip()}
    found = _between(known.get(FROM, ""), known.get(UNTIL, ""))
    said = known.get(LANGUAGE, "")
    spoken = language(said)
    if said and not spoken:
        found = replace(found, warnings=(*found.warnings, f"its language {_short(said)} is none we know"))
    return replace(found, language=spoken)


def from_line(line: str) -> About | None:
    """What a line says about its document; None for a line that is about something else."""
    line = " ".join(line.split())
    if len(line) > 160:
        return None
    spoken = _LANGUAGE_LINE.fullmatch(line)
    if spoken and language(spoken[1]):
        return About(language(spoken[1]))
    match = _PERIOD.fullmatch(line) or _RANGE.fullmatch(line) or _END.fullmatch(line)
    if match is None:
        return None
    parts = match.groupdict()
    start, end = parts.get("start") or "", parts.get("end") or ""
    if not (start or end) or not any(character.isdigit() for character in start + end):
        return None  # "valid until further notice"
    return _between(start, end)


def stated(document: Document) -> Document:
    """The document with what a line near its top says about it. Fields go before lines."""
    seen = 0
    for section in document.sections:
        for block in section.blocks:
            if (seen := seen + 1) > NEAR_THE_TOP:
                return document
            lines = (block.text,) if isinstance(block, Paragraph) else block.items if isinstance(block, Items) else ()
            for line in lines:
                if said := from_line(line):
                    document = _joined(document, said)
    return document


def _joined(document: Document, said: About) -> Document:
    dated = document.valid_from or document.valid_until
    return replace(
        document,
        language=document.language or said.language,
        valid_from=document.valid_from if dated else said.valid_from,
        valid_until=document.valid_until if dated else said.valid_until,
        warnings=document.warnings if dated else (*document.warnings, *said.warnings),
    )


def _between(start: str, end: str) -> About:
    """A period. "1 May" in "1 May to 30 September 2026" takes its year, and "1" its month too, from the end."""
    warnings: list[str] = []
    first = last = None
    if end:
        try:
            last = day(end, last=True)
        except ValueError as bad:
            warnings.append(f"it says it is valid until {_short(end)}, {bad}")
    if start:
        try:
            first = day(start, before=last)
        except ValueError as bad:
            warnings.append(f"it says it is valid from {_short(start)}, {bad}")
    if first and last and first > last:
        warnings.append(
            f"it says it is valid from {first.isoformat()} until {last.isoformat()}, which is no time at all"
        )
        first = last = None
    return About("", first, last, tuple(warnings))


def day(text: str, *, last: bool = False, before: date | None = None) -> date:
    """The day that `text` names. A month stands for its first day, or its last one with `last`.

    Year and month, when missing, are those that bring it closest before `before`. Raises ValueError, its message
    the end of a sentence, when it is no day or could be two.
    """
    text = text.strip().rstrip(".,;")
    year: int | None
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, number = int(match[1]), int(match[2]), int(match[3])
    elif match := _IN_NUMBERS.fullmatch(text):
        first, mark, second = int(match[1]), match[2], int(match[3])
        year = int(match[4]) if match[4] else None
        if year is not None and year < 100:
            year += 2000
        if mark != "." and first <= 12 and second <= 12 and first != second:
            raise ValueError("which can be read as two days: write 2026-04-03 or 3 April 2026")
        number, month = (second, first) if second > 12 and mark != "." else (first, second)
    else:
        year, month, number = _in_words(text, last=last, before=before)
    if year is None:
        if before is None:
            raise ValueError("without a year: write 31 December 2026")
        year = before.year if (month, number) <= (before.month, before.day) else before.year - 1
    try:
        return date(year, month, number)
    except ValueError:
        raise ValueError("which is no day: write 2026-12-31 or 31 December 2026") from None


def _in_words(text: str, *, last: bool, before: date | None) -> tuple[int | None, int, int]:
    words = re.findall(r"\d+|[^\W\d_]+", _plain(text))
    numbers = [int(word) for word in words if word.isdigit() and len(word) < 5]
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    strange = [word for word in words if not word.isdigit() and word not in _MONTHS and word not in _AROUND_DAYS]
    years = [number for number in numbers if number > 999]
    days = [number for number in numbers if number < 32]
    if strange or len(years) + len(days) != len(numbers) or max(len(months), len(years), len(days)) > 1:
        raise ValueError("which is no day we can read: write 2026-12-31 or 31 December 2026")
    year = years[0] if years else None
    if days and not months and before is not None and year is None:
        return before.year, before.month, days[0]
    if not months or (year is None and not days):
        raise ValueError("which is no day we can read: write 2026-12-31 or 31 December 2026")
    if days:
        return year, months[0], days[0]
    assert year is not None
    return year, months[0], monthrange(year, months[0])[1] if last else 1


def language(said: str) -> str:
    """The primary subtag of a language tag or name, "de" for "de-AT" and "German"; "" for anything else."""
    said = _plain(said).strip()
    if said in _LANGUAGES:
        return _LANGUAGES[said]
    match = re.fullmatch(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", said)
    return match[1] if match and match[1] not in ("und", "mul", "zxx") else ""


def _plain(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _short(text: str) -> str:
    return f'"{text if len(text) <= 40 else text[:40] + "…"}"'


def _table(lines: str) -> dict[str, str]:
    """ "key: word, word" lines as word -> key."""
    found: dict[str, str] = {}
    for line in lines.strip().splitlines():
        key, _, words = line.strip().partition(": ")
        found |= dict.fromkeys(words.split(", "), key)
    return found


_FIELDS = _table(
    f"""
    {LANGUAGE}: language, lang, sprache, langue, idioma, lingua, taal
    {FROM}: valid from, validfrom, effective, effective from, effective date, starts, start date, gultig ab, \
gultig von, valable du, valido desde, valida desde, valido dal, geldig vanaf
    {UNTIL}: valid until, validuntil, valid till, valid to, valid through, valid thru, expires, expires on, expiry, \
expiry date, expiration, expiration date, end date, gultig bis, valable jusqu au, valable jusqu'au, valido hasta, \
valida hasta, valido fino al, geldig tot
    """
)
_LANGUAGES = _table(
    """
    en: english, englisch, anglais, ingles, inglese, engels
    de: german, deutsch, allemand, aleman, tedesco, duits
    fr: french, franzosisch, francais, frances, francese, frans
    es: spanish, spanisch, espagnol, espanol, spagnolo, spaans
    it: italian, italienisch, italien, italiano, italiaans
    nl: dutch, niederlandisch, neerlandais, neerlandes, nederlands, olandese
    pt: portuguese, portugiesisch, portugais, portugues, portoghese, portugees
    """
)
_MONTHS = {
    word: int(month)
    for word, month in _table(
        """
        1: january, jan, januar, janner, janvier, janv, enero, ene, gennaio, gen, januari, janeiro
        2: february, feb, februar, fevrier, fevr, febrero, febbraio, februari, fevereiro, fev
        3: march, mar, marz, mrz, mars, marzo, maart, mrt, marco
        4: april, apr, avril, avr, abril, abr, aprile
        5: may, mai, mayo, maggio, mag, mei, maio
        6: june, jun, juni, juin, junio, giugno, giu, junho
        7: july, jul, juli, juillet, juil, julio, luglio, lug, julho
        8: august, aug, aout, agosto, ago, augustus
        9: september, sep, sept, septembre, septiembre, settembre, set, setembro
        10: october, oct, oktober, okt, octobre, octubre, ottobre, ott, outubro, out
        11: november, nov, novembre, noviembre, novembro
        12: december, dec, dezember, dez, decembre, diciembre, dic, dicembre, dezembro
        """
    ).items()
}
_AROUND_DAYS = frozenset(
    """
    st nd rd th er of de del den dem the le el il am on and und incl inclusive including einschliesslich end ende fin
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miercoles jueves viernes sabado domingo
    lunedi martedi mercoledi giovedi venerdi domenica maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    """.split()
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.+Z-]*)?")
_IN_NUMBERS = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})(?:\2\s?(\d{4}|\d{2})|\.)?")

_IT = r"(?:(?:this|these|the following|all|our)(?: [\w-]+){0,4} (?:is|are|apply|applies) )?"
_VALID = (
    r"(?:valid|effective|in force|applicable|applies|apply|gültig|gilt|valables?|válid[oa]s?|valid[oaie]|geldig)"
    r"(?: (?:only|nur))?"
)
_STARTING = r"(?:from|as of|as from|since|starting|ab(?: dem)?|von|vom|à partir du|du|desde(?: el)?|del|dal|vanaf|van)"
_ENDING = (
    r"(?:until|till|through|thru|to|up to|bis(?: zum)?|jusqu['’]au|au|hasta(?: el)?|al|fino al|até(?: o)?"
    r"|tot(?: en met)?|t/m)"
)
_PERIOD = re.compile(
    rf"{_IT}{_VALID}:?(?: {_STARTING}:? (?P<start>.+?))?(?:,? (?:and )?{_ENDING}:? (?P<end>.+?))?", re.IGNORECASE
)
_RANGE = re.compile(rf"{_IT}{_VALID}:?(?: {_STARTING})?:? (?P<start>\S.*?)(?: ?[–—] ?| - )(?P<end>.+)", re.IGNORECASE)
_END = re.compile(
    r"(?:this (?:[\w-]+ ){1,3})?(?:expires|expiry(?: date)?|expiration(?: date)?|ends|läuft ab)(?: on| am)?:? "
    r"(?P<end>.+)",
    re.IGNORECASE,
)
_LANGUAGE_LINE = re.compile(r"(?:language|sprache|langue|idioma|lingua|taal): ?(\S+)", re.IGNORECASE)
