"""Markdown, with tables: read by markdown-it, flattened to what a voice could say.

Marks, images, comments and tags are dropped, links keep their words, code keeps its text. The first heading of the
highest rank is the document's title, unless its front matter names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from voicectl.kb.formats import Block, Document, Items, Paragraph, Rows, title_from
from voicectl.kb.formats.about import About, from_fields
from voicectl.kb.formats.outline import Outline
from voicectl.kb.formats.text import decode

if TYPE_CHECKING:
    from markdown_it.token import Token

SUFFIXES = (".md", ".markdown", ".mdown")

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z][\w \t-]{0,40}):[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def parse(data: bytes, name: str) -> Document:
    """Read Markdown. Raises Unreadable for what is no text."""
    from markdown_it import MarkdownIt

    text, warnings = decode(data)
    title, about = "", About()
    front = _FRONT_MATTER.match(text)
    if front:
        fields = {name.strip().lower(): value for name, value in _FIELD.findall(front[1])}
        title = fields.get("title", "").strip("\"'")
        about = from_fields(fields)
        text = text[front.end() :]
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)

    outline = Outline()
    for heading, block in _read(tokens):
        if heading is not None:
            outline.heading(*heading)
        elif block is not None:
            outline.add(block)
    title = title or outline.first or title_from(name)
    return Document(
        title,
        outline.sections(title),
        (*warnings, *about.warnings),
        about.language,
        about.valid_from,
        about.valid_until,
    )


def _read(tokens: list[Token]) -> Iterator[tuple[tuple[int, str] | None, Block | None]]:
    """Headings and blocks in order. Nested lists are told in one breath with the item above them."""
    depth = 0
    items: list[str] = []
    table: list[list[str]] = []
    in_heading = in_cell = False
    level = 0
    for token in tokens:
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif kind in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
            if depth == 0:
                whole = tuple(item for item in items if item)
                items = []
                if whole:
                    yield None, Items(whole)
        elif kind == "list_item_open" and depth == 1:
            items.append("")
        elif kind == "heading_open":
            in_heading, level = True, int(token.tag[1])
        elif kind == "heading_close":
            in_heading = False
        elif kind == "table_open":
            table = []
        elif kind == "tr_open":
            table.append([])
        elif kind in ("th_open", "td_open"):
            in_cell = True
        elif kind in ("th_close", "td_close"):
            in_cell = False
        elif kind == "table_close":
            if len(table) > 1:
                yield None, Rows(tuple(table[0]), tuple(tuple(row) for row in table[1:]))
        elif kind in ("inline", "fence", "code_block", "html_block"):
            words = _words(token)
            if in_cell:
                table[-1].append(words)
            elif in_heading:
                if words:
                    yield (level, words), None
            elif depth and items:
                items[-1] = f"{items[-1]} {words}".strip()
            elif words:
                yield None, Paragraph(words)


def _words(token: Token) -> str:
    if token.type == "html_block":
        return " ".join(_TAG.sub(" ", token.content).split())
    if token.type != "inline":
        return " ".join(token.content.split())
    words = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            words.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif child.type == "html_inline" and child.content.lower().startswith("<br"):
            words.append(", ")
    return " ".join("".join(words).split())
