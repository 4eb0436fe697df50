"""What the tests of the reply models share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from voicectl.conversation.turns import Line
from voicectl.errors import ReplyError
from voicectl.llm.openai import OpenAIModel
from voicectl.ports import CallInfo, ReplyEnd, ReplyModel, ReplyRequest
from voicectl.settings import AgentSettings, LlmSettings
from voicectl.simulator.model_server import ModelServer

KEY = "sk-very-secret-key"
QUESTION = "When do you close on Saturdays?"
CALL = CallInfo("CA0", "VX0", "+15550001", "+15550002")


def ask(question: str = QUESTION, **changes: Any) -> ReplyRequest:
    """A request with one question in it."""
    lines = (Line("agent", "Hello, how can I help?"), Line("caller", question))
    return replace(ReplyRequest(CALL, lines), **changes)


@dataclass
class Outcome:
    """One reply, to its end."""

    text: str
    pieces: list[str]
    end: ReplyEnd | None
    error: ReplyError | None
    seconds: float

    @property
    def kind(self) -> str:
        return self.error.kind if self.error else "ok"


async def collect(model: ReplyModel, request: ReplyRequest | None = None) -> Outcome:
    loop = asyncio.get_running_loop()
    started = loop.time()
    pieces: list[str] = []
    end: ReplyEnd | None = None
    error: ReplyError | None = None
    try:
        async for item in model.reply(request or ask()):
            assert end is None, "something came after the end"
            if isinstance(item, ReplyEnd):
                end = item
            else:
                pieces.append(item)
    except ReplyError as failed:
        error = failed
    return Outcome("".join(pieces), pieces, end, error, loop.time() - started)


@asynccontextmanager
async def served(
    *faults: str, reply: Any = "We close at five on Saturdays.", agent: AgentSettings | None = None, **llm: Any
) -> AsyncIterator[tuple[OpenAIModel, ModelServer]]:
    """A model and the server it talks to: tokens 20 ms apart, the first after 300 ms."""
    async with ModelServer(reply, first_token=0.3, per_token=0.02, faults=faults) as server:
        settings = LlmSettings(**{"api_key": KEY, "base_url": server.base_url, **llm})
        model = OpenAIModel(settings, agent or AgentSettings())
        try:
            yield model, server
        finally:
            await model.close()
