"""What tests of the knowledge base share: asking in a line, and an embedder whose meanings a person can foresee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from voicectl.conversation.turns import Line, Passage
from voicectl.errors import ServiceError
from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import Inquiry

if TYPE_CHECKING:
    from voicectl.ports import Vector


def asked(*lines: str, **rest: object) -> Inquiry:
    """Caller and agent in turn, the caller last."""
    first = len(lines) % 2
    told = tuple(Line("caller" if at % 2 != first else "agent", text) for at, text in enumerate(lines))
    return Inquiry(told, **rest)  # type: ignore[arg-type]


async def found(index: KnowledgeIndex, question: str, limit: int = 4) -> list[Passage]:
    return list((await index.search(asked(question), limit=limit)).passages)


class TopicEmbedder:
    """A meaning is which of these topics a text names, by any of a topic's words; and a little of something else."""

    name = "topics"

    def __init__(self, *topics: str) -> None:
        self.topics = [topic.split() for topic in topics]
        self.fail = False
        self.asked: list[str] = []

    def vector(self, text: str) -> Vector:
        words = text.lower().replace("\n", " ").replace(".", " ").replace("?", " ").split()
        numbers = [float(any(word in words for word in topic)) for topic in self.topics] + [0.1]
        return np.asarray(numbers, dtype=np.float32) / np.float32(np.linalg.norm(numbers))

    async def warm_up(self) -> None:
        pass

    async def question(self, text: str, *, early: bool = False) -> Vector:
        self.asked.append(text)
        if self.fail:
            raise ServiceError("the embedder is not there")
        return self.vector(text)

    async def texts(self, texts: Sequence[str]) -> list[Vector]:
        if self.fail:
            raise ServiceError("the embedder is not there")
        return [self.vector(text) for text in texts]

    def known(self) -> dict[str, bytes]:
        return {}

    async def close(self) -> None:
        pass
