"""Several reply models in a row: the next one answers when the one before it cannot.

Only as long as no word has gone out: a caller who has heard the beginning of one answer must not be given another
one's end. Each model has a first-token budget of its own, so that one that hangs leaves the next its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

from voicectl.errors import ReplyError
from voicectl.ports import ReplyEnd, ReplyModel, ReplyRequest

OnFailure = Callable[[str, ReplyError], None]


class Chain:
    """The first of `models` that gets a word out writes the reply.

    A model that has not written a word after `first_token_seconds` is given up; so is one that fails, or finishes
    without a word, without a call of a tool and without wish to close the call. `on_failure(name, error)` is told of
    each failure, also of the last model's and of one in the middle of a reply, both of which are raised as well.
    """

    def __init__(
        self, models: Sequence[ReplyModel], *, first_token_seconds: float, on_failure: OnFailure | None = None
    ) -> None:
        if not models:
            raise ValueError("a chain of no models")
        self.name = " > ".join(model.name for model in models)
        self._models = tuple(models)
        self._first_token = first_token_seconds
        self._on_failure = on_failure

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        """See ports.ReplyModel."""
        for model in self._models:
            items = model.reply(request)
            spoke = False
            try:
                item = await self._first(items)
                while True:
                    yield item
                    if isinstance(item, ReplyEnd):
                        return
                    spoke = True
                    item = await anext(items)
            except Exception as error:
                failure = _as_failure(error)
                if self._on_failure is not None:
                    self._on_failure(model.name, failure)
                if spoke or model is self._models[-1]:
                    raise failure from failure.__cause__
            finally:
                await _close(items)

    async def warm_up(self) -> None:
        """Warm all models up at once."""
        await asyncio.gather(*(model.warm_up() for model in self._models))

    async def close(self) -> None:
        """Close all models, even if one of them fails at it."""
        results = await asyncio.gather(*(model.close() for model in self._models), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _first(self, items: AsyncIterator[str | ReplyEnd]) -> str | ReplyEnd:
        try:
            async with asyncio.timeout(self._first_token):
                item = await anext(items)
        except TimeoutError:
            raise ReplyError("timeout", "the reply model wrote no first word in time") from None
        if isinstance(item, ReplyEnd) and item.closing is None and not item.calls:
            raise ReplyError("empty", "the reply has no words")
        return item


def _as_failure(error: Exception) -> ReplyError:
    if isinstance(error, ReplyError):
        return error
    if isinstance(error, StopAsyncIteration):
        return ReplyError("truncated", "the reply ended without saying why")
    failure = ReplyError("internal", "the reply model failed in a way it should not")
    failure.__cause__ = error
    return failure


async def _close(items: AsyncIterator[str | ReplyEnd]) -> None:
    if isinstance(items, AsyncGenerator):
        await items.aclose()


__all__ = ["Chain", "OnFailure"]
