"""A reply model with one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from voicectl.ports import ReplyEnd, ReplyRequest


@dataclass
class Canned:
    answer: str = "Yes."
    each: float = 0.0
    end: ReplyEnd = field(default_factory=ReplyEnd)
    name: str = "canned"
    asked: list[ReplyRequest] = field(default_factory=list)
    running: int = 0

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked.append(request)
        self.running += 1
        try:
            for n, word in enumerate(self.answer.split(" ")):
                yield word if n == 0 else " " + word
                if self.each:
                    await asyncio.sleep(self.each)
            yield self.end
        finally:
            self.running -= 1

    async def warm_up(self) -> None: ...

    async def close(self) -> None: ...
