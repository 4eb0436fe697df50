"""Keeps a process's shelf in step with the database, behind the answers.

Whether anything has changed costs one row to ask, and is asked every FRESH_SECONDS while there are questions. What has
changed is read, and put on a new shelf, in a thread; callers are answered from the old one until then. A knowledge base
of more than MOST passages is not held: its questions go to the database's full-text search.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from voicectl.kb.shelf import Shelf, digest, meant
from voicectl.ports import Contents, KnowledgeStore, Scope, VectorStore

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
        self._version: int | None = None
        self.scopes: dict[str, Scope] = {}
        """By source; of a knowledge base too large for a shelf."""
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
        except Exception as bad:  # nobody waits for this task
            log.warning(
                "the knowledge base could not be looked at again; answers come from what was there before",
                extra={"kind": type(bad).__name__},
            )
            self._looked_at = asyncio.get_running_loop().time()

    async def _look(self) -> None:
        version = await self._store.version()
        if version != self._version:
            if await self._store.count() > MOST:
                if self._shelf is not None or self._version is None:
                    log.warning("the knowledge base is too large to be held; its words are looked for in the database")
                self._shelf = None
                self.scopes = {scope.source: scope for scope in (await self._store.contents(None)).scopes}
            else:
                self._shelf = await self._filled()
            self._version = version
        self._looked_at = asyncio.get_running_loop().time()

    async def _filled(self) -> Shelf:
        before = self._shelf or Shelf(-1, (), ())
        contents = await self._store.contents(before.documents)
        loop = asyncio.get_running_loop()
        vectors = None
        if self._vectors is not None:
            needed = await loop.run_in_executor(self._thread, _needed, before, contents)
            vectors = await self._vectors.load(self._embedder, needed)
        shelf = await loop.run_in_executor(self._thread, before.grown, contents, vectors)
        if self._vectors is not None and shelf.without_meaning:
            log.warning(
                "some passages are found by their words alone; ingest again to reckon their meanings",
                extra={"count": len(shelf.without_meaning)},
            )
        return shelf


def _needed(before: Shelf, contents: Contents) -> list[str]:
    """The digests of what has no meaning on the shelf: what is new, and what had none."""
    passages = [*before.without_meaning, *(each.passage for each in contents.passages)]
    return list({digest(text) for passage in passages for text in meant(passage)})
