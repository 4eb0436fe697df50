"""Document formats: bytes in, sections out. One module per format, each with SUFFIXES and parse().

`parse(data, name)` gives a Document, or raises Unreadable with a reason that a person understands. A module imports
the library it needs inside parse(), so that knowing the formats costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list with the words that lead into it, if any."""

    items: tuple[str, ...]
    lead_in: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. Every row has as many cells as the header; cells may be empty."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Items | Rows


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `path` holds the headings above it, outermost first, its own last."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]
    page: int | None = None
    """The page it begins on, counted from 1, where the format has pages."""


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()
    language: str = ""
    """Primary subtag, lower case ("de"), where the document says so."""
    valid_from: date | None = None
    valid_until: date | None = None
    """First and last day on which what it says holds, where it says so."""


class Unreadable(Exception):
    """The bytes are not a document of this format. The message is the reason, without the file's name."""


def readers() -> dict[str, Callable[[bytes, str], Document]]:
    """The parse function for each suffix, in lower case with its dot."""
    return dict(_readers())


@lru_cache(maxsize=1)
def _readers() -> dict[str, Callable[[bytes, str], Document]]:
    from voicectl.kb.formats import delimited, docx, html, markdown, pdf, text

    modules = (markdown, text, html, pdf, docx, delimited)
    return {suffix: module.parse for module in modules for suffix in module.SUFFIXES}


def title_from(name: str) -> str:
    """A title for a document that has none: "opening-hours.md" -> "Opening hours"."""
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    words = " ".join(stem.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] or name
