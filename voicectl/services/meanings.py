"""The meanings of a knowledge base: reckoned once for each text, and what tells an answer from none.

What has been reckoned is kept at once, by the text's digest, whether the ingest that asked for it comes to its end or
not: an ingest of a thousand files that is killed goes on where it was, a renamed file costs nothing, and a changed one
only what changed in it.

Several may ingest at the same time. One may then forget what another has reckoned and not yet stored the passages of;
so whoever is done looks at everything there is, and reckons again what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from voicectl.conversation.questions import to_the_point
from voicectl.kb.calibration import FOREIGN, calibrated, headings
from voicectl.kb.index import assess
from voicectl.kb.shelf import Shelf, digest, meant, packed, unpacked
from voicectl.ports import Calibration, Contents, Embedder, KnowledgeStore, VectorStore

if TYPE_CHECKING:
    from voicectl.ports import Vector

AT_ONCE = 32
"""Texts between two commits: as much is reckoned again after a crash."""

Progress = Callable[[int, int], None]
"""Called with how many texts are done and how many there are."""


class Meanings:
    """An embedder and the place where its vectors are kept."""

    def __init__(self, embedder: Embedder, vectors: VectorStore) -> None:
        self.embedder = embedder
        self.vectors = vectors

    async def reckon(self, texts: Iterable[str], progress: Progress | None = None) -> int:
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

    async def settle(self, store: KnowledgeStore, progress: Progress | None = None) -> tuple[Calibration | None, int]:
        """After an ingest: reckon what still has no meaning, and the threshold, if anything has changed since that was
        reckoned; forget what no text has any more. Gives the calibration, None for an empty knowledge base, and how
        many meanings were reckoned. Raises ServiceError and StoreError.
        """
        name = self.embedder.name
        contents = await store.contents({})
        if not contents.passages:
            await self.vectors.prune(name, ())
            return None, 0
        texts = [text for each in contents.passages for text in meant(each.passage)]
        reckoned = await self.reckon(texts, progress)
        found = contents.calibrations.get(name)
        if found is not None and found.version == contents.version:
            return found, reckoned
        asked = [to_the_point(text) for text in (*FOREIGN, *headings([each.passage for each in contents.passages]))]
        await self.reckon(asked)
        vectors = await self.vectors.load(name)
        await self.vectors.prune(name, {digest(text) for text in (*texts, *asked)})
        if await store.version() != contents.version:  # somebody else was done meanwhile: what is theirs may be gone
            found, later = await self.settle(store, progress)
            return found, reckoned + later
        of_asked = {text: await self._vector(text, vectors) for text in asked}
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(None, _calibration, contents, vectors, of_asked)
        await store.calibrate({name: found})
        return found, reckoned

    async def _vector(self, text: str, vectors: Mapping[str, bytes]) -> Vector:
        """Of a question; anew, where somebody else has just forgotten it."""
        stored = vectors.get(digest(text))
        return unpacked(stored) if stored is not None else (await self.embedder.texts([text]))[0]


def _calibration(contents: Contents, vectors: Mapping[str, bytes], asked: Mapping[str, Vector]) -> Calibration:
    shelf = Shelf(contents.version, contents.scopes, contents.passages, vectors)

    def confidence(texts: Sequence[str]) -> list[float]:
        return [assess(shelf, text, asked[to_the_point(text)]) for text in texts]

    return calibrated(shelf, confidence(FOREIGN), confidence(headings(shelf.passages)))
