"""Markdown, with tables: read by markdown-it, flattened to what a voice could say.

Marks, images, comments and tags are dropped, links keep their words, code keeps its text. The outermost heading is the
document's title. A list keeps the paragraph before it as its lead-in when that ends with a colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from voicectl.kb.formats import Block, Document, Items, Paragraph, Rows, Section, title_from
from voicectl.kb.formats.text import decode

if TYPE_CHECKING:
    from markdown_it.token import Token

SUFFIXES = (".md", ".markdown", ".mdown")

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def parse(data: bytes, name: str) -> Document:
    """Read Markdown. Raises Unreadable for what is no text."""
    from markdown_it import MarkdownIt

    text, warnings = decode(data)
    title = ""
    front = _FRONT_MATTER.match(text)
    if front:
        found = _FRONT_TITLE.search(front[1])
        title = found[1].strip("\"'") if found else ""
        text = text[front.end() :]
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)

    headings: list[tuple[int, str]] = []
    parts: list[tuple[tuple[str, ...], list[Block]]] = [((), [])]
    for heading, block in _read(tokens):
        if heading is not None:
            level, words = heading
            headings = [above for above in headings if above[0] < level] + [(level, words)]
            if not title:
                title = words
            parts.append((tuple(above[1] for above in headings), []))
        elif block is not None:
            _add(parts[-1][1], block)
    title = title or title_from(name)
    sections = []
    for path, blocks in parts:
        if blocks:
            sections.append(Section(path if path[:1] == (title,) else (title, *path), tuple(blocks)))
    return Document(title, tuple(sections), warnings)


def _add(blocks: list[Block], block: Block) -> None:
    before = blocks[-1] if blocks else None
    if isinstance(block, Items) and isinstance(before, Paragraph) and before.text.endswith(":"):
        blocks[-1] = Items(block.items, before.text)
    else:
        blocks.append(block)


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
