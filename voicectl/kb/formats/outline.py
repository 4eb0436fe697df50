"""Headings and blocks as they come, put together as the sections of a document.

A heading stands under the last one of a higher rank; 1 is the highest. A list takes the paragraph before it as its
lead-in when that ends with a colon.
"""

from __future__ import annotations

from voicectl.kb.formats import Block, Items, Paragraph, Section


class Outline:
    def __init__(self) -> None:
        self.first = ""
        """The first heading of the highest rank; a document that has no other title is named by it."""
        self._first_rank = 0
        self._headings: list[tuple[int, str]] = []
        self._parts: list[tuple[tuple[str, ...], int | None, list[Block]]] = [((), None, [])]

    def heading(self, rank: int, words: str, *, page: int | None = None) -> None:
        self._headings = [above for above in self._headings if above[0] < rank] + [(rank, words)]
        if not self.first or rank < self._first_rank:
            self.first, self._first_rank = words, rank
        self._begin(page)

    def leave(self, rank: int) -> None:
        """What follows no longer stands under a heading of this rank or a lower one."""
        left = [above for above in self._headings if above[0] < rank]
        if left != self._headings:
            self._headings = left
            self._begin(None)

    def add(self, block: Block, *, page: int | None = None) -> None:
        """A block, on the page given; a section that goes on over pages gets a part for each."""
        _, began, blocks = self._parts[-1]
        if page is not None and page != began:
            blocks = self._begin(page)
        before = blocks[-1] if blocks else None
        if isinstance(block, Items) and not block.lead_in and _leads_in(before):
            assert isinstance(before, Paragraph)
            blocks[-1] = Items(block.items, before.text)
        else:
            blocks.append(block)

    def sections(self, title: str) -> tuple[Section, ...]:
        """The sections that have something in them; the title stands first in every path."""
        found = []
        for path, page, blocks in self._parts:
            if blocks:
                found.append(Section(path if path[:1] == (title,) else (title, *path), tuple(blocks), page))
        return tuple(found)

    def _begin(self, page: int | None) -> list[Block]:
        blocks: list[Block] = []
        self._parts.append((tuple(words for _, words in self._headings), page, blocks))
        return blocks


def _leads_in(block: Block | None) -> bool:
    return isinstance(block, Paragraph) and block.text.endswith(":")
