"""Documents into passages: pieces small enough to be read to a model, or out loud, and whole enough to be understood.

- A passage never crosses a heading. Its title is the path of headings joined by " > ".
- A section of up to 150 words is one passage. A longer one is divided into pieces of like size, not below 60 words
  unless its parts are larger than the room left, between sentences, list items or rows, never inside one.
- A row reads as it would be said: "Basic tune-up: $75; ready in two working days."
- A list keeps its lead-in, also when it is divided.
- A section that goes on over pages is divided as one; each passage has the page it begins on.

Pure: no file, no clock. Changing what comes out means counting READING up, so that documents are read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from voicectl.conversation.sentences import sentences
from voicectl.kb.formats import Block, Items, Paragraph, Rows, Section
from voicectl.kb.formats.tables import PLAIN_HEADERS

READING = 3
"""The version of this reading; part of each stored document's digest."""

LONGEST = 150
SHORTEST = 60
WINDOW = 10_000
"""Characters of a paragraph that are looked at together."""


@dataclass(frozen=True, slots=True)
class Chunk:
    title: str
    text: str
    """Sentences of a paragraph run on; each list item and each row stands on a line of its own."""
    page: int | None = None


def chunk(sections: tuple[Section, ...], *, shortest: int = SHORTEST, longest: int = LONGEST) -> list[Chunk]:
    """The passages of a document, in order. Sizes are in words."""
    found: list[Chunk] = []
    for parts in _whole(sections):
        units = [unit for part in parts for block in part.blocks for unit in _units(block, longest, part.page)]
        title = " > ".join(parts[0].path)
        found += [Chunk(title, _joined(piece), piece[0].page) for piece in _pieces(units, shortest, longest)]
    return found


def _whole(sections: tuple[Section, ...]) -> Iterator[list[Section]]:
    """Sections, those that a page divides together."""
    parts: list[Section] = []
    for section in sections:
        if parts and (section.page is None or section.path != parts[-1].path):
            yield parts
            parts = []
        parts.append(section)
    if parts:
        yield parts


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never divided: a sentence, an item, a row."""

    text: str
    words: int
    lead_in: str = ""
    """The words that lead into the list this item belongs to."""
    opens: bool = False
    """Begins a new block, hence a new line."""
    line: bool = False
    """Stands on a line of its own."""
    page: int | None = None


def _units(block: Block, longest: int, page: int | None) -> Iterator[_Unit]:
    match block:
        case Paragraph(text):
            for at, sentence in enumerate(_sentences(text)):
                for part in _bounded(sentence, longest):
                    yield _Unit(part, len(part.split()), opens=at == 0, page=page)
        case Items(items, lead_in):
            for item in items:
                for part in _bounded(item, longest):
                    yield _Unit(f"- {part}", len(part.split()), lead_in=lead_in, line=True, page=page)
        case Rows(header, rows):
            for row in rows:
                for part in _bounded(row_text(header, row), longest):
                    yield _Unit(part, len(part.split()), line=True, page=page)


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph. A very long one is gone through window by window: looking for the end of a sentence
    takes time by what follows it."""
    start = 0
    while len(text) - start > WINDOW:
        window = text[start : start + WINDOW]
        found = sentences(window)
        # The last sentence may go on behind the window. One that fills it is cut at a space.
        whole = found[:-1] or [window[: window.rfind(" ") + 1] or window]
        yield from whole
        last = window.rfind(found[-1]) if len(found) > 1 else len(whole[0])
        start += last
    yield from sentences(text[start:])


def row_text(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    """A table's row as it would be said; "" for an empty one. The first cell is what the row is about."""
    label, *cells = (cell.strip().rstrip(".") for cell in row)
    said = []
    for name, cell in zip((name.strip() for name in header[1:]), cells, strict=False):
        if not cell or cell in ("-", "–", "—", "n/a"):
            continue
        bare = name.lower().strip(":")
        if not bare or (len(row) == 2 and bare in PLAIN_HEADERS) or cell.lower().startswith(bare):
            said.append(cell)
        else:
            said.append(f"{_lowered(name)} {cell}")
    if not said:
        return f"{label}." if label else ""
    return f"{label}: {'; '.join(said)}." if label else f"{'; '.join(said)}."


def _lowered(header: str) -> str:
    """A header inside a sentence: "Ready in" -> "ready in", "VAT" stays."""
    return header if header[1:2].isupper() else header[:1].lower() + header[1:]


def _bounded(text: str, longest: int) -> Iterator[str]:
    """The text, in parts of at most `longest` words; only text without sentences is ever longer."""
    words = text.split()
    for start in range(0, len(words), longest):
        yield " ".join(words[start : start + longest])


def _pieces(units: list[_Unit], shortest: int, longest: int) -> Iterator[list[_Unit]]:
    total = sum(unit.words for unit in units)
    if not total:
        return
    aim = max(shortest, total / ceil(total / longest))
    piece: list[_Unit] = []
    size = 0
    left = total
    for unit in units:
        full = size + unit.words > longest
        enough = size >= aim or (size + unit.words / 2 > aim and left >= shortest)
        if piece and (full or (enough and size >= shortest)):
            yield piece
            piece, size = [], 0
        piece.append(unit)
        size += unit.words
        left -= unit.words
    if piece:
        yield piece


def _joined(units: list[_Unit]) -> str:
    lines: list[str] = []
    lead_in = ""
    after_line = False
    for unit in units:
        if unit.lead_in and unit.lead_in != lead_in:
            lines.append(unit.lead_in)
        lead_in = unit.lead_in
        if lines and not (unit.line or unit.opens or after_line):
            lines[-1] += f" {unit.text}"
        else:
            lines.append(unit.text)
        after_line = unit.line
    return "\n".join(lines)
