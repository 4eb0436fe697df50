"""A small knowledge base, held in memory.

Asking the database takes milliseconds of a pause in which a caller waits. Up to MOST passages are cheap to hold, so
each process keeps a copy, with the stems that each passage holds, and asks the database only whether it is still the
same, now and then. A larger knowledge base is not held: its questions go to the full-text search.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from voicectl.conversation.questions import ALIKE_COUNTS, Term, bag, stem
from voicectl.conversation.turns import Passage
from voicectl.errors import StoreError
from voicectl.ports import KnowledgeStore

log = logging.getLogger(__name__)

MOST = 2_000
"""Passages."""
FRESH_SECONDS = 2.0
"""So long after an ingest, at most, a caller is answered from what was there before."""
_AT_ONCE = 8


class Shelf:
    """Passages and where each stem stands."""

    def __init__(self, stamp: str) -> None:
        self.stamp = stamp
        self.passages: list[Passage] = []
        self._places: dict[str, set[int]] = {}

    def put(self, passage: Passage) -> None:
        place = len(self.passages)
        self.passages.append(passage)
        for each in bag(f"{passage.title}\n{passage.text}"):
            self._places.setdefault(each, set()).add(place)

    def held(self, word: str) -> int:
        """In how many passages a word stands."""
        return len(self._places.get(stem(word), ()))

    def evidence(self, terms: Iterable[Term]) -> dict[int, float]:
        """By place, the share of the terms' worth that each passage holds; passages that hold none are left out."""
        total = 0.0
        found: dict[int, float] = {}
        for term in terms:
            total += term.worth
            said = self._places.get(stem(term.word), set())
            alike: set[int] = set().union(*(self._places.get(stem(other), set()) for other in term.also)) - said
            for place in said:
                found[place] = found.get(place, 0.0) + term.worth
            for place in alike:
                found[place] = found.get(place, 0.0) + term.worth * ALIKE_COUNTS
        return {place: worth / total for place, worth in found.items()} if total else {}


class Shelves:
    """The shelf of this process, kept in step with a store."""

    def __init__(self, store: KnowledgeStore) -> None:
        self._store = store
        self._shelf: Shelf | None = None
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def current(self) -> Shelf | None:
        """The shelf; None when the knowledge base is too large for one. Raises StoreError when it cannot be read.

        Only the first one is waited for; later looks at the store happen behind the answer.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at >= FRESH_SECONDS:
            if self._looked_at < 0:
                await self._look()
            elif self._looking is None or self._looking.done():
                self._looking = loop.create_task(self._look_again())
        return self._shelf

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_again(self) -> None:
        try:
            await self._look()
        except StoreError:
            log.warning("the knowledge base could not be looked at again; answers come from what was there before")

    async def _look(self) -> None:
        stamp = await self._store.stamp(MOST)
        if stamp is None:
            self._shelf = None
        elif self._shelf is None or self._shelf.stamp != stamp:
            self._shelf = await self._filled(stamp)
        self._looked_at = asyncio.get_running_loop().time()

    async def _filled(self, stamp: str) -> Shelf:
        shelf = Shelf(stamp)
        for at, passage in enumerate(await self._store.passages()):
            shelf.put(passage)
            if at % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)  # other calls are talking
        return shelf
