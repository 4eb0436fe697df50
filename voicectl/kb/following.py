"""Keeps a process's shelf in step with the database, behind the answers.

Whether anything has changed costs one row to ask, and is asked every FRESH_SECONDS while there are questions. What has
changed is read, and put on a new shelf, in a thread; callers are answered from the old one until then. A knowledge base
of more than MOST passages is not held: its questions go to the database's full-text search.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from voicectl.errors import StoreError
from voicectl.kb.shelf import Shelf, digest, meant
from voicectl.ports import KnowledgeStore, VectorStore

log = logging.getLogger(__name__)

MOST = 200_000
"""Passages."""
FRESH_SECONDS = 2.0
"""So long after an ingest, at most, a caller is answered from what was there before."""


class Following:
    """The shelf of this process."""

    def __init__(self, store: KnowledgeStore, vectors: VectorStore | None, embedder: str) -> None:
        """`vectors`: where the meanings of `embedder` are kept; None where meanings are not compared."""
        self._store = store
        self._vectors = vectors
        self._embedder = embedder
        self._shelf: Shelf | None = None
        self._looked_at = float("-inf")
        self._first: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "voicectl-shelf")

    async def current(self) -> Shelf | None:
        """The shelf; None when the knowledge base is too large for one. Raises StoreError when it cannot be read.

        Only the first one is waited for; later looks at the store happen behind the answer.
        """
        loop = asyncio.get_running_loop()
        if self._looked_at < 0:
            if self._first is None or self._first.done():
                self._first = loop.create_task(self._look())
            await asyncio.shield(self._first)
        elif loop.time() - self._looked_at >= FRESH_SECONDS and (self._looking is None or self._looking.done()):
            self._looking = loop.create_task(self._look_again())
        return self._shelf

    async def close(self) -> None:
        """Let go of the store."""
        tasks = [task for task in (self._first, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look_again(self) -> None:
        try:
            await self._look()
        except StoreError:
            log.warning("the knowledge base could not be looked at again; answers come from what was there before")

    async def _look(self) -> None:
        version = await self._store.version()
        if self._looked_at < 0 or self._shelf is None or self._shelf.version != version:
            if await self._store.count() > MOST:
                self._shelf = None
            else:
                self._shelf = await self._filled()
        self._looked_at = asyncio.get_running_loop().time()

    async def _filled(self) -> Shelf:
        before = self._shelf or Shelf(-1, (), ())
        contents = await self._store.contents(before.documents)
        vectors = None
        if self._vectors is not None:
            passages = [each.passage for each in contents.passages]
            needed = list({digest(text) for passage in passages for text in meant(passage)})
            vectors = await self._vectors.load(self._embedder, needed)
        loop = asyncio.get_running_loop()
        shelf = await loop.run_in_executor(self._thread, before.grown, contents, vectors, self._embedder)
        if shelf.without_meaning:
            log.warning(
                "some passages are found by their words alone; ingest again to reckon their meanings",
                extra={"count": shelf.without_meaning},
            )
        return shelf
