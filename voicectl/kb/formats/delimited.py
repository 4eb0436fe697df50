"""Tables in CSV and TSV files.

A table with a column of questions and one of answers, named so in any of a dozen languages or seen from its question
marks, is an FAQ: each question is a heading, its answer what stands under it, with the other columns behind. Of any
other table each row is a passage of its own, headed by what the row is about.

Columns "language", "valid from" and "valid until" speak for the document where all rows agree.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from voicectl.kb.formats import Block, Document, Paragraph, Rows, Section, Unreadable, title_from
from voicectl.kb.formats.about import About, field, from_fields
from voicectl.kb.formats.tables import names_columns
from voicectl.kb.formats.text import blocks_of, decode

SUFFIXES = (".csv", ".tsv")

MOST_COLUMNS = 200
LOOKED_AT = 20
"""Lines in which the character between cells is looked for."""

_QUESTION = frozenset(
    "question questions q frage fragen pregunta preguntas domanda domande pergunta perguntas vraag vragen fraga fragor "
    "sporsmal sporgsmal kysymys pytanie otazka kerdes soru faq".split()
)
_ANSWER = frozenset(
    "answer answers a antwort antworten reponse reponses respuesta respuestas risposta risposte resposta respostas "
    "antwoord antwoorden svar vastaus odpowiedz odpoved valasz cevap reply response".split()
)
_TOPIC = frozenset("topic category section kategorie thema bereich rubrik categorie categoria tema rubrique".split())
_VALUE = frozenset(
    "price prices cost costs fee hours time times value amount total phone telephone number address description "
    "preis preise kosten zeiten offnungszeiten telefon adresse beschreibung prix horaires adresse precio precios "
    "horario telefono prezzo prezzi orario prijs prijzen tijden preco".split()
)
_NUMBERING = frozenset("id nr no row number nummer key #".split())


def parse(data: bytes, name: str) -> Document:
    """Read a table. Raises Unreadable for what is no text or no table."""
    text, warnings = decode(data)
    rows = _rows(text)
    title = title_from(name)
    if not rows:
        return Document(title, (), warnings)
    names = rows[0] if _names(rows[0], rows[1:]) else ("",) * len(rows[0])
    body = rows[1:] if any(names) else rows
    about, told, more = _about(names, body)
    left = [at for at in range(len(names)) if at not in told and not _numbers(names[at], at, body)]
    columns = tuple(names[at] for at in left)
    cells = [tuple(row[at] for at in left) for row in body]
    question, answer = _faq(columns, cells)
    sections = (
        [_asked(title, columns, row, question, answer) for row in cells if row[question] and row[answer]]
        if question >= 0
        else [_told(title, columns, row) for row in cells if any(row)]
    )
    return Document(
        title,
        tuple(sections),
        (*warnings, *more, *about.warnings),
        about.language,
        about.valid_from,
        about.valid_until,
    )


def _rows(text: str) -> list[tuple[str, ...]]:
    """The rows that are not empty, all of one width."""
    rows = []
    width = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)):
            if len(row) > MOST_COLUMNS:
                raise Unreadable(f"it has a row of more than {MOST_COLUMNS} columns")
            cells = tuple(cell.strip() for cell in row) if any(row) else ()
            if any(cells):
                rows.append(cells)
                width = max(width, len(cells))
    except csv.Error as bad:
        raise Unreadable(f"it is not a table ({bad})") from bad
    return [row + ("",) * (width - len(row)) for row in rows]


def _delimiter(text: str) -> str:
    """The character that divides the first rows into like numbers of cells, more than one; a comma when none does."""
    start = io.StringIO(text[:20_000], newline="").readlines()[:LOOKED_AT]

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(start, delimiter=delimiter) if row)
        except csv.Error:
            return 0.0, 0
        width, rows = widths.most_common(1)[0] if widths else (0, 0)
        return (rows / widths.total(), width) if width > 1 else (0.0, 0)

    return max(",;\t|", key=evenness)


def _names(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns. Of two columns only when the second is named by a word we know: tables
    says why."""
    known = {_key(cell) for cell in first}
    if known & (_QUESTION | _ANSWER | _TOPIC) or any(field(cell) for cell in first):
        return bool(rest)
    told = len(first) > 2 or (len(first) == 2 and bool(set(_key(first[1]).split()) & _VALUE))
    return told and bool(rest) and bool(first[0]) and names_columns(first)


def _faq(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The columns of questions and of answers, or (-1, -1)."""
    question = next((at for at, name in enumerate(names) if _is(name, _QUESTION)), -1)
    answer = next((at for at, name in enumerate(names) if at != question and _is(name, _ANSWER)), -1)
    if question >= 0 and answer >= 0:
        return question, answer
    asked = sum(row[0].endswith(("?", "？")) for row in rows)
    if len(names) == 2 and asked and asked * 2 >= len(rows):
        return 0, 1
    return -1, -1


def _asked(title: str, names: Sequence[str], row: Sequence[str], question: int, answer: int) -> Section:
    topics = [at for at, name in enumerate(names) if _is(name, _TOPIC) and at not in (question, answer)]
    rest = [at for at in range(len(names)) if at not in (question, answer, *topics) and row[at]]
    blocks: list[Block] = [block for lines in _paragraphs(row[answer]) for block in blocks_of(lines)]
    if rest:
        header = ("", *(names[at] for at in rest))
        blocks.append(Rows(header, (("", *(row[at] for at in rest)),)))
    return Section((title, *(row[at] for at in topics if row[at]), _line(row[question])), tuple(blocks))


def _told(title: str, names: Sequence[str], row: Sequence[str]) -> Section:
    if len(row) == 1:
        return Section((title,), (Paragraph(_line(row[0])),))
    label = _line(row[0])
    block = Rows(tuple(names), (tuple(_line(cell) for cell in row),))
    return Section((title, label) if label and len(label) <= 80 else (title,), (block,))


def _about(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[About, set[int], list[str]]:
    """What columns say of the document, which columns those are, and warnings on those that do not agree."""
    fields: dict[str, str] = {}
    told: set[int] = set()
    warnings: list[str] = []
    for at, name in enumerate(names):
        if not field(name):
            continue
        values = {row[at] for row in rows}
        if len(values) == 1:
            fields[name] = values.pop()
            told.add(at)
        else:
            warnings.append(f'its rows differ in "{name}", which is kept for whole documents only: divide it by that')
    return from_fields(fields), told, warnings


def _numbers(name: str, at: int, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column only numbers the rows."""
    return at == 0 and _key(name) in _NUMBERING and all(row[at].isdigit() or not row[at] for row in rows)


def _paragraphs(cell: str) -> list[list[str]]:
    return [part.split("\n") for part in re.split(r"\n\s*\n", cell.strip()) if part.strip()]


def _line(cell: str) -> str:
    return " ".join(cell.split())


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ø", "o"))
    return " ".join(re.sub(r"[^\w#]+|_", " ", "".join(c for c in plain if not unicodedata.combining(c))).split())


def _is(name: str, wanted: frozenset[str]) -> bool:
    """Whether a column is named with one of the words: "Question", "Customer question", "FAQ question (EN)"."""
    key = _key(name)
    return key in wanted or any(len(word) > 2 and word in wanted for word in key.split())
