"""Web pages: what a visitor reads, without the furniture around it.

The page's main part is read where it has one. Navigation, forms, footers, asides and cookie banners are dropped, and so
is what no visitor sees (display:none, hidden, aria-hidden, off the screen, the colour of its ground), since that is
how a page is poisoned; it is reported. A question and its answer in a dl, a details or behind a button read as a
heading and what stands under it.

The tree is walked step by step, never by recursion: how deeply it nests is the page's choice, not ours.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from voicectl.kb.formats import Document, Items, Paragraph, Rows, Unreadable, title_from
from voicectl.kb.formats.about import from_fields
from voicectl.kb.formats.about import language as language_of
from voicectl.kb.formats.furniture import Furniture
from voicectl.kb.formats.outline import Outline
from voicectl.kb.formats.tables import WIDEST, Cell, grid, has_header, table
from voicectl.kb.formats.text import decode

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

SUFFIXES = (".html", ".htm", ".xhtml")

LOWEST = 7
"""The rank of a question: under every heading proper."""

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big button cite code data del dfn em font i img input ins kbd label mark q ruby rb s "
    "samp small span strike strong sub sup svg time tt u var wbr".split()
)
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,30})|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]{1,30})", re.I
)
_ENCODING = re.compile(
    r"windows-125\d|cp125\d|iso-?8859-\d+|latin-?\d|macintosh|koi8-[ru]|shift[_-]?jis|sjis|euc-(?:jp|kr)|gb2312|gbk|"
    r"gb18030|big5|windows-874|tis-620",
    re.IGNORECASE,
)
_FIELDS = {"expires": "valid until", "dc.language": "language", "language": "language"}


def parse(data: bytes, name: str) -> Document:
    """Read a page. Raises Unreadable for what is no text."""
    text, warnings = _decoded(data)
    return document(text, name, warnings=warnings)


def document(html: str, name: str, *, warnings: tuple[str, ...] = (), title: str = "") -> Document:
    """Read a page that has been decoded; `title` is what it is called where it has no heading."""
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(html)
    apart = _apart(page)
    furniture = Furniture(page, apart)
    walk = _Walk(furniture, apart)
    main = _main(page)
    if main is not None:
        walk.over(main)
    named = page.css_first("title")
    title = walk.outline.first or title or (_words(named.text()) if named is not None else "") or title_from(name)
    about = from_fields(_fields(page))
    root = page.root
    spoken = language_of((root.attributes.get("lang") or root.attributes.get("xml:lang") or "") if root else "")
    return Document(
        title,
        walk.outline.sections(title),
        (*warnings, *furniture.warnings(), *about.warnings),
        spoken or about.language,
        about.valid_from,
        about.valid_until,
    )


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Text by its byte order mark, as UTF-8 if it is, else as the page says it is written."""
    match = _CHARSET.search(data[:4096])
    said = (match[1] or match[2]).decode("ascii", "replace") if match else ""
    if _ENCODING.fullmatch(said) and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            # Browsers read Latin-1 as Windows-1252, and so do those who write it.
            encoding = "cp1252" if said.lower() in ("iso-8859-1", "iso8859-1", "latin1", "latin-1") else said
            text = data.decode(encoding, "replace")
            odd = text.count("\ufffd")
            if odd > len(text) // 100:
                raise Unreadable(f"it says it is {said} text but is not") from None
            warnings = (f"{odd} characters are not {said}, as it says it is",) if odd else ()
            return decode(text.encode())[0], warnings
    return decode(data)


def _fields(page: LexborHTMLParser) -> dict[str, str]:
    """Meta elements that say what we want to know. http-equiv="expires" is about caches and not among them."""
    found = {}
    for meta in page.css("meta[name]"):
        name = (meta.attributes.get("name") or "").lower()
        found[_FIELDS.get(name, name)] = meta.attributes.get("content") or ""
    return found


def _main(page: LexborHTMLParser) -> LexborNode | None:
    body = page.body
    for main in page.css("main, [role=main]"):
        if main.text().strip():
            return main
    articles = page.css("article")
    if len(articles) == 1 and body is not None and len(articles[0].text()) * 3 >= len(body.text()):
        return articles[0]
    return body


def _apart(page: LexborHTMLParser) -> frozenset[int]:
    """Lists and tables that are there for the looks of a page: they hold headings, tables or questions."""
    found: set[int] = set()
    for node in page.css(f"{', '.join(_HEADINGS)}, summary, table, main, form h1"):
        above = node.parent
        while above is not None and above.mem_id not in found:
            found.add(above.mem_id)
            above = above.parent
    return frozenset(found)


class _Walk:
    """Takes the nodes of a page as they open and close, and puts an outline together."""

    def __init__(self, furniture: Furniture, apart: frozenset[int]) -> None:
        self.outline = Outline()
        self._furniture = furniture
        self._apart = apart
        self._said: list[str] = []
        """Words since the last border between blocks."""
        self._heading = ""
        self._lists = 0
        self._items: list[str] = []
        self._terms: list[tuple[str, list[str]]] | None = None
        self._rows: list[list[Cell]] | None = None
        self._cell: Cell | None = None
        self._bold = 0

    def over(self, root: LexborNode) -> None:
        node = root
        while True:
            if self._open(node):
                inside = node.first_child
                if inside is not None:
                    node = inside
                    continue
                self._close(node)
            while node.mem_id != root.mem_id and node.next is None:
                above = node.parent
                assert above is not None
                node = above
                self._close(node)
            following = node.next
            if node.mem_id == root.mem_id or following is None:
                break
            node = following
        self._border()

    def _open(self, node: LexborNode) -> bool:
        """Whether it is read, with what is inside."""
        if node.is_text_node:
            words = node.text_content or ""
            self._said.append(words)
            if self._cell is not None and not self._bold and words.strip():
                self._cell.plain = True
            return False
        tag = node.tag or ""
        if not node.is_element_node:
            return False
        if self._furniture.has(node, tag):
            if tag not in _INLINE:
                self._border()
            return False
        if tag == "br":
            self._pause()
        elif tag in ("b", "strong"):
            self._bold += 1
        elif tag == "button" and not self._heading:
            self._border()
        elif tag not in _INLINE:
            self._border()
            self._open_block(node, tag)
        return True

    def _open_block(self, node: LexborNode, tag: str) -> None:
        if tag in _HEADINGS or tag == "summary":
            self._heading = tag
        elif tag in ("ul", "ol") and node.mem_id not in self._apart and self._rows is None:
            self._lists += 1
        elif tag == "li" and self._lists == 1:
            self._items.append("")
        elif tag == "dl" and node.mem_id not in self._apart and self._terms is None and not self._inside():
            self._terms = []
        elif tag == "dt" and self._terms is not None:
            self._terms.append(("", []))
        elif tag == "table" and node.mem_id not in self._apart and not self._inside():
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in ("td", "th") and self._rows is not None:
            if not self._rows:
                self._rows.append([])
            self._cell = Cell(tag == "th", _span(node, "colspan"), _span(node, "rowspan"))
            self._rows[-1].append(self._cell)

    def _close(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "br":
            return
        if tag in ("b", "strong"):
            self._bold = max(0, self._bold - 1)
        elif tag == "button" and not self._heading:
            self._question(_words("".join(self._said)))
            self._said.clear()
        elif tag not in _INLINE:
            self._border(tag)
            self._close_block(node, tag)

    def _close_block(self, node: LexborNode, tag: str) -> None:
        if tag == self._heading:
            self._heading = ""
        elif tag == "details":
            self.outline.leave(LOWEST)
        elif tag in ("ul", "ol") and self._lists and node.mem_id not in self._apart and self._rows is None:
            self._lists -= 1
            if not self._lists:
                items = tuple(item for item in self._items if item)
                self._items = []
                if items:
                    self.outline.add(Items(items))
        elif tag == "dl" and self._terms is not None and node.mem_id not in self._apart:
            self._end_terms(self._terms)
            self._terms = None
        elif tag in ("td", "th"):
            self._cell = None
        elif tag == "table" and self._rows is not None and node.mem_id not in self._apart:
            rows, self._rows, self._cell = self._rows, None, None
            block = table([[cell.text for cell in row] for row in grid(rows)], header=has_header(rows))
            if block is not None:
                self.outline.add(block)

    def _inside(self) -> bool:
        return self._rows is not None or self._lists > 0

    def _border(self, tag: str = "") -> None:
        """The end of a block: what was said so far goes where it belongs."""
        words = _words("".join(self._said))
        self._said.clear()
        if not words:
            return
        if self._heading:
            self.outline.heading(LOWEST if self._heading == "summary" else int(self._heading[1]), words)
        elif self._cell is not None:
            self._cell.text = _joined(self._cell.text, words)
        elif self._lists and self._items:
            self._items[-1] = f"{self._items[-1]} {words}".strip()
        elif self._terms:
            if tag == "dt":
                self._terms[-1] = (_joined(self._terms[-1][0], words), self._terms[-1][1])
            else:
                self._terms[-1][1].append(words)
        else:
            self.outline.add(Paragraph(words))

    def _pause(self) -> None:
        said = "".join(self._said).rstrip()
        self._said = [said if not said or said[-1] in ".,;:!?" else f"{said},", " "]

    def _question(self, words: str) -> None:
        """A button that is a question opens its answer; any other is furniture."""
        if words.endswith("?") and not self._inside():
            self.outline.heading(LOWEST, words)

    def _end_terms(self, terms: list[tuple[str, list[str]]]) -> None:
        told = [(term, texts) for term, texts in terms if term or texts]
        if sum(term.endswith("?") for term, _ in told) * 2 > len(told):
            for term, texts in told:
                if term:
                    self.outline.heading(LOWEST, term)
                for text in texts:
                    self.outline.add(Paragraph(text))
            self.outline.leave(LOWEST)
        elif told:
            self.outline.add(Rows(("", ""), tuple((term, "; ".join(texts)) for term, texts in told)))


def _joined(before: str, words: str) -> str:
    if not before:
        return words
    return f"{before}{'' if before[-1] in '.,;:!?' else ','} {words}"


def _words(text: str) -> str:
    return " ".join(text.split())


def _span(node: LexborNode, name: str) -> int:
    said = node.attributes.get(name) or ""
    return min(max(int(said), 1), WIDEST) if said.isdecimal() and len(said) < 6 else 1
