"""PDF: text that was drawn on pages, put back into headings, paragraphs, lists and tables.

A page holds characters at places; everything else is inferred from where they stand and how large they are:

- A line in larger type than most of the document, or alone in bold, is a heading; of several sizes the largest is the
  highest rank. Where all type is of one size, no heading is guessed beyond the ones that any text has.
- A wider gap above, an indented bullet, another size of type begin a new block. Lines that all end early are a list.
- Gaps within lines, in the same number on several of them, are the columns of a table.
- What stands at the top or the bottom of most pages, and page numbers, are not part of the text.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from voicectl.kb.formats import Block, Document, Items, Paragraph, Unreadable, title_from
from voicectl.kb.formats.about import from_line, language
from voicectl.kb.formats.outline import Outline
from voicectl.kb.formats.tables import table
from voicectl.kb.formats.text import blocks_of, looks_like_heading

SUFFIXES = (".pdf",)

MOST_PAGES = 2_000
LARGER = 1.15
"""Times the usual size of type: a heading."""
COLUMN_GAP = 1.5
"""Times the size of type: the gap between two columns. Justified text stays below 1."""
EDGE = 3
"""Lines at the top and at the bottom of a page among which running heads are looked for."""

_BULLETS = "•‣◦●○■□▪▫–—*·\uf0b7\uf0a7\uf0d8\uf076\uf0fc"
_SIGN = re.compile(rf"^\s*[{re.escape(_BULLETS)}-]\s+(?=\S)")
_BULLET = re.compile(rf"{_SIGN.pattern}|^\s*\(?\d{{1,2}}[.)]\s+(?=\S)")
_LEADER = re.compile(r"\s*(?:(?:\. ?){4,}|…{2,})\s*")
_PAGE_NUMBER = re.compile(
    r"[-–— ]*(?:(?:page|seite|página|pagina|pág\.?|p\.|s\.) ?)?(?:\d{1,4}|[ivxl]{1,6})"
    r"(?: ?(?:/|of|von|de|di|van|sur|\|) ?\d{1,4})?[-–— ]*",
    re.IGNORECASE,
)
_JUNK_TITLE = re.compile(r"^(?:untitled|microsoft word.*|.*\.(?:docx?|pdf|indd|xlsx?|pptx?|odt))?$", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    cells: list[str]
    """Its text, divided where there is a gap wide enough for a column."""
    size: float
    """Of its type, in points."""
    bold: bool
    left: float
    right: float
    bottom: float
    page: int
    led: bool
    """Dots lead over the gap."""
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = " ".join(self.cells)


def parse(data: bytes, name: str) -> Document:
    """Read a PDF. Raises Unreadable for what is none, has a password, or is a scan."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as bad:
        if bad.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise Unreadable("it is protected with a password: save a copy without one") from bad
        raise Unreadable("it is not a PDF, or it is damaged") from bad
    try:
        count = len(pdf)
        if count > MOST_PAGES:
            raise Unreadable(f"it has more than {MOST_PAGES:,} pages: divide it")
        pages: list[list[_Line]] = []
        pictures: list[int] = []
        damaged: list[int] = []
        for number in range(1, count + 1):
            try:
                lines, pictured = _page(pdf, number)
            except pypdfium2.PdfiumError:
                damaged.append(number)
                continue
            pages.append(lines)
            if not lines and pictured:
                pictures.append(number)
        said = (pdf.get_metadata_dict().get("Title") or "").strip()
        spoken = language(_language(pdf))
    finally:
        pdf.close()
    if pictures and not any(pages):
        raise Unreadable("it holds only pictures of pages: run text recognition (OCR) on it first")
    if damaged and not any(pages):
        raise Unreadable("it is a PDF whose pages are damaged")
    warnings = []
    if pictures:
        warnings.append(f"{_pages(pictures)} only a picture without text: run text recognition (OCR) on it")
    if damaged:
        warnings.append(f"{_pages(damaged)} damaged and left out")
    outline = _outlined(_without_contents(_without_running_heads(pages)))
    title = outline.first or ("" if _JUNK_TITLE.match(said) else said) or title_from(name)
    return Document(title, outline.sections(title), tuple(warnings), spoken)


# --- what stands on a page ---------------------------------------------------------------------------------


def _page(pdf: Any, number: int) -> tuple[list[_Line], bool]:
    """The lines of a page in reading order, and whether anything is pictured on it."""
    page = pdf[number - 1]
    try:
        text = page.get_textpage()
        try:
            lines = list(_lines(text, number, page.get_bbox()))
        finally:
            text.close()
        return lines, not lines and next(iter(page.get_objects(max_depth=3)), None) is not None
    finally:
        page.close()


def _lines(text: Any, page: int, box: Sequence[float]) -> Iterator[_Line]:
    from pypdfium2 import raw

    line = _Drawn(text, page, box)
    for at in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, at)
        if code in (0x0A, 0x0D):
            # A hyphen at the end of a line is marked; the word goes on in the next one.
            if not line.hyphen and (done := line.taken()):
                yield done
        else:
            line.add(at, code)
    line.hyphen = False
    if done := line.taken():
        yield done


class _Drawn:
    """A line while its characters come in."""

    def __init__(self, text: Any, page: int, box: Sequence[float]) -> None:
        from pypdfium2 import raw

        self._raw = raw
        self._text = text
        self._page = page
        self._box = box
        self._places = [ctypes.c_double() for _ in range(4)]
        self._clear()

    def _clear(self) -> None:
        self._cells: list[list[str]] = [[]]
        self._size = 0.0
        self._bold = False
        self._left = self._bottom = self._right = 0.0
        self._spaced = False
        self._last = 0
        self.hyphen = False

    def add(self, at: int, code: int) -> None:
        if code == 0x02:
            self.hyphen = True
            return
        if self.hyphen and code <= 0x20:
            return
        character = chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"
        if character.isspace() or code == 0xA0:
            self._spaced = True
            return
        place = self._place(at)
        if place is None:
            return
        left, right, bottom = place
        if not self._size:
            self._size = self._type_size(at)
            self._bold = self._is_bold(at)
            self._left, self._bottom = left, bottom
        if self._spaced and not self.hyphen:
            if self._cells[-1] and left - self._right > COLUMN_GAP * self._size:
                self._cells.append([])
            elif self._cells[-1]:
                self._cells[-1].append(" ")
        self._spaced = self.hyphen = False
        self._right = right
        self._last = at
        self._cells[-1].append(character)

    def taken(self) -> _Line | None:
        drawn = ["".join(cell) for cell in self._cells]
        cells = [part for cell in drawn for part in _LEADER.split(cell) if part.strip()]
        line = None
        if cells:
            bold = self._bold and self._is_bold(self._last)
            led = any(_LEADER.search(cell) for cell in drawn)
            line = _Line(cells, self._size, bold, self._left, self._right, self._bottom, self._page, led)
        self._clear()
        return line

    def _place(self, at: int) -> tuple[float, float, float] | None:
        """Left, right and bottom of a character; None when it stands off the page or is too small to be seen."""
        left, right, bottom, top = self._places
        if not self._raw.FPDFText_GetCharBox(self._text, at, left, right, bottom, top):
            return None
        if right.value < self._box[0] or left.value > self._box[2]:
            return None
        if top.value < self._box[1] or bottom.value > self._box[3]:
            return None
        return left.value, right.value, bottom.value

    def _is_bold(self, at: int) -> bool:
        return bool(self._raw.FPDFText_GetFontWeight(self._text, at) >= 600)

    def _type_size(self, at: int) -> float:
        """The size a character is drawn at: that of its font, scaled as its text is."""
        matrix = self._raw.FS_MATRIX()
        size = float(self._raw.FPDFText_GetFontSize(self._text, at))
        if self._raw.FPDFText_GetMatrix(self._text, at, matrix):
            size *= (matrix.c**2 + matrix.d**2) ** 0.5
        return round(max(size, 0.1), 1)


def _language(pdf: Any) -> str:
    from pypdfium2 import raw

    length = raw.FPDFCatalog_GetLanguage(pdf, None, 0)
    if not 2 < length < 100:
        return ""
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFCatalog_GetLanguage(pdf, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw.decode("utf-16-le", "replace").strip("\x00")


# --- what it means -----------------------------------------------------------------------------------------


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """The pages without what their tops and bottoms have in common, and without their numbers."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(line) for line in _edges(page)})
    running = {shape for shape, times in seen.items() if times >= 3 and times * 2 >= len(pages)}

    def dropped(line: _Line) -> bool:
        return bool(_PAGE_NUMBER.fullmatch(line.text)) or _shape(line) in running

    kept = []
    for page in pages:
        edges = {id(line) for line in _edges(page) if dropped(line)}
        kept.append([line for line in page if id(line) not in edges])
    return kept


def _edges(page: list[_Line]) -> list[_Line]:
    """The lines at the top and the bottom of a page, wherever the file keeps them."""
    standing = sorted(page, key=lambda line: -line.bottom)
    return standing[:EDGE] + standing[EDGE:][-EDGE:]


def _shape(line: _Line) -> str:
    """What a running head has in common with itself on other pages; the title it repeats is in larger type."""
    return f"{line.size:.0f} {re.sub(r'[0-9]+', '#', line.text.casefold())}"


def _without_contents(pages: list[list[_Line]]) -> list[list[_Line]]:
    """The pages without a table of contents: dots that lead to numbers which only grow."""
    led = [line for page in pages for line in page if line.led]
    last = [line.cells[-1] for line in led]
    if len(led) < 4 or not all(cell.isdecimal() for cell in last):
        return pages
    numbers = [int(cell) for cell in last]
    if numbers != sorted(numbers) or numbers[-1] > len(pages) + 20:
        return pages
    return [[line for line in page if not line.led] for page in pages]


def _outlined(pages: list[list[_Line]]) -> Outline:
    outline = Outline()
    lines = [line for page in pages for line in page]
    if not lines:
        return outline
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    usual = sizes.most_common(1)[0][0]
    ranks = {
        size: rank
        for rank, size in enumerate(
            sorted({line.size for line in lines if line.size >= usual * LARGER and _may_head(line)}, reverse=True), 1
        )
    }
    lowest = len(ranks) + 1
    mostly_bold = sum(len(line.text) for line in lines if line.bold) * 2 > sum(sizes.values())
    widths = {
        page[0].page: max(line.right for line in page) - min(line.left for line in page) for page in pages if page
    }
    for group in _groups(lines):
        first = group[0]
        words = " ".join(line.text for line in group)
        heads = len(words) <= 160 and all(_may_head(line) for line in group)
        alone = heads and len(group) == 1 and len(first.cells) == 1
        rank = 0
        if heads and first.size in ranks:
            rank = ranks[first.size]
        elif alone and (not mostly_bold if first.bold else not ranks and looks_like_heading(words)):
            rank = lowest
        if rank:
            outline.heading(min(rank, 6), words, page=first.page)
        else:
            for block in _blocks(group, widths[first.page]):
                outline.add(block, page=first.page)
    return outline


def _may_head(line: _Line) -> bool:
    return (
        len(line.text.split()) <= 14
        and line.text[-1:] not in ".,;"
        and any(character.isalpha() for character in line.text)
        and not _SIGN.match(line.text)
        and from_line(line.text) is None
    )


def _groups(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Lines that stand together. A sentence that goes on over the page keeps its lines together."""
    group = lines[:1]
    for before, line in pairwise(lines):
        if _goes_on(before, line, group):
            group.append(line)
        else:
            yield group
            group = [line]
    yield group


def _goes_on(before: _Line, line: _Line, group: list[_Line]) -> bool:
    if abs(before.size - line.size) > 0.6 or before.bold != line.bold:
        return False
    if line.page != before.page or line.bottom > before.bottom + before.size:  # the next page or column
        return line.text[:1].islower() and before.text[-1:] not in ".!?:"
    gap = before.bottom - line.bottom
    usual = group[-2].bottom - before.bottom if len(group) > 1 and group[-2].page == before.page else 1.5 * line.size
    return gap <= max(1.25 * usual, 1.5 * line.size) if usual > 0 else gap <= 1.5 * line.size


def _blocks(lines: list[_Line], width: float) -> list[Block]:
    """What lines that stand together are: a table, a list, or a paragraph. `width` is that of the text on the page."""
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        columns = len(lines[at].cells)
        end = at + 1
        while end < len(lines) and len(lines[end].cells) == columns:
            end += 1
        part = lines[at:end]
        if columns > 1 and len(part) > 1:
            block = table([line.cells for line in part], header=_bold_header(part))
            if block is not None:
                blocks.append(block)
        else:
            blocks += _prose(part, width)
        at = end
    return blocks


def _bold_header(lines: list[_Line]) -> bool | None:
    return True if lines[0].bold and not any(line.bold for line in lines[1:]) else None


def _prose(lines: list[_Line], width: float) -> list[Block]:
    texts = [line.text for line in lines]
    if any(_BULLET.match(text) for text in texts):
        # blocks_of knows the bullets that text files use.
        return blocks_of([_BULLET.sub("- ", text) for text in texts])
    found = blocks_of(texts)
    if len(lines) > 2 and isinstance(found[0], Paragraph) and width:
        early = sum(line.right - line.left < 0.75 * width for line in lines)
        short = all(len(line.text.split()) <= 10 for line in lines)
        if short and early * 2 >= len(lines) and not any(text[-1:] in ",;" for text in texts):
            return [Items(tuple(texts))]
    return found


def _pages(numbers: list[int]) -> str:
    """ "page 3 is", "pages 3, 4 and 9 are" """
    shown = [str(number) for number in numbers[:20]]
    if len(numbers) == 1:
        return f"page {shown[0]} is"
    more = f" and {len(numbers) - 20} more" if len(numbers) > 20 else f" and {shown.pop()}"
    return f"pages {', '.join(shown)}{more} are"
