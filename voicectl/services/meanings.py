"""The meanings of a knowledge base: reckoned once for each text, and what tells an answer from none.

What has been reckoned is kept at once, by the text's digest, whether the ingest that asked for it comes to its end or
not: an ingest of a thousand files that is killed goes on where it was, a renamed file costs nothing, and a changed one
only what changed in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from voicectl.conversation.questions import to_the_point
from voicectl.kb.calibration import FOREIGN, calibrated, headings
from voicectl.kb.index import assess
from voicectl.kb.shelf import Shelf, digest, packed, unpacked
from voicectl.ports import Calibration, Embedder, KnowledgeStore, VectorStore

AT_ONCE = 32
"""Texts between two commits: as much is reckoned again after a crash."""


class Meanings:
    """An embedder and the place where its vectors are kept."""

    def __init__(self, embedder: Embedder, vectors: VectorStore) -> None:
        self.embedder = embedder
        self.vectors = vectors

    async def reckon(self, texts: Iterable[str], progress: Callable[[int, int], None] | None = None) -> int:
        """See to it that each text has its vector; say how many had none. Raises ServiceError and StoreError; what
        was reckoned until then is kept."""
        have = await self.vectors.have(self.embedder.name)
        wanted = {digest(text): text for text in texts}
        lacking = wanted.keys() - have
        if lacking:
            known = await asyncio.to_thread(self.embedder.known)
            await self.vectors.keep(self.embedder.name, {key: known[key] for key in lacking if key in known})
            lacking -= known.keys()
        missing = [(key, text) for key, text in wanted.items() if key in lacking]
        for start in range(0, len(missing), AT_ONCE):
            if progress:
                progress(start, len(missing))
            batch = missing[start : start + AT_ONCE]
            found = await self.embedder.texts([text for _, text in batch])
            rows = {key: packed(vector) for (key, _), vector in zip(batch, found, strict=True)}
            await self.vectors.keep(self.embedder.name, rows)
        if progress and missing:
            progress(len(missing), len(missing))
        return len(missing)

    async def settle(self, store: KnowledgeStore) -> Calibration | None:
        """After a change: reckon the threshold and forget what no text has any more. None for an empty knowledge base.

        Raises ServiceError and StoreError.
        """
        name = self.embedder.name
        contents = await store.contents({})
        if not contents.passages:
            await self.vectors.prune(name, ())
            return None
        loop = asyncio.get_running_loop()
        vectors = await self.vectors.load(name)
        shelf = await loop.run_in_executor(None, Shelf, contents.version, contents.scopes, contents.passages, vectors)
        own = headings(shelf.passages)
        asked = [to_the_point(text) for text in (*FOREIGN, *own)]
        await self.reckon(asked)
        vectors = await self.vectors.load(name, [digest(text) for text in asked])
        await self.vectors.prune(name, shelf.digests() | set(vectors))

        def confidence(texts: Sequence[str]) -> list[float]:
            return [assess(shelf, text, unpacked(vectors[digest(to_the_point(text))])) for text in texts]

        def reckoned() -> Calibration:
            return calibrated(shelf, confidence(FOREIGN), confidence(own))

        found = await loop.run_in_executor(None, reckoned)
        await store.calibrate({name: found})
        return found

    async def settled(self, store: KnowledgeStore) -> Calibration | None:
        """What was reckoned for the contents as they are; None where they have changed since."""
        contents = await store.contents({scope.id: scope.version for scope in (await store.contents({})).scopes})
        found = contents.calibrations.get(self.embedder.name)
        return found if found is not None and found.version == contents.version else None
