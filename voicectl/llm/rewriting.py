"""A question that leans on the conversation, made whole by a model: one short call, only where the owner wants it.

What fails, or takes too long, falls back to the rules (conversation/follow_up.py): a caller waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.turns import Line
from voicectl.settings import LlmSettings

log = logging.getLogger(__name__)

LINES = 8
"""Lines of the conversation that are told."""
LONGEST = 300
"""Characters; what is longer is no question."""
_TASK = (
    "You are given the last lines of a telephone call. Write the caller's last question so that it can be understood "
    "without the others, in the caller's language, in one short sentence. Answer nothing. If it can be understood as "
    "it is, repeat it."
)


class ModelRewriter:
    """See ports.Rewriter."""

    def __init__(self, llm: LlmSettings, seconds: float) -> None:
        """`seconds`: how long the call may take."""
        self._llm = llm
        self._seconds = seconds
        self._client: Any = None

    async def warm_up(self) -> None:
        """See ports.Rewriter. The SDK's import and its client take a fifth of a second."""
        await asyncio.get_running_loop().run_in_executor(None, self._opened)

    async def standalone(self, lines: Sequence[Line]) -> str:
        """See ports.Rewriter."""
        try:
            async with asyncio.timeout(self._seconds):
                said = await self._ask(lines)
        except Exception as bad:  # whatever it is, the rules answer
            log.warning("the model did not make a question whole; the rules do", extra={"kind": type(bad).__name__})
            said = ""
        return said if 0 < len(said) <= LONGEST else standalone_question(lines)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _ask(self, lines: Sequence[Line]) -> str:
        client = self._opened()
        told = "\n".join(f"{line.role}: {line.text}" for line in lines[-LINES:])
        answer = await client.chat.completions.create(
            model=self._llm.model,
            messages=[{"role": "system", "content": _TASK}, {"role": "user", "content": told}],
        )
        return " ".join((answer.choices[0].message.content or "").split()).strip("\"'")

    def _opened(self) -> Any:
        if self._client is None:
            from openai import AsyncOpenAI

            self._client = AsyncOpenAI(
                api_key=self._llm.api_key or "none", base_url=self._llm.base_url or None, max_retries=0
            )
        return self._client
