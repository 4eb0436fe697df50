"""What the knowledge base is asked on a call: for the question that is to be answered, in advance for the one that is
being asked, and what becomes of those it has no answer to.

Keys that the caller has pressed are looked up nowhere and kept as nobody's question: they may be a PIN.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from voicectl.conversation.questions import asks
from voicectl.conversation.turns import Line, Passage, Turn
from voicectl.conversation.wishes import asks_source
from voicectl.llm.smalltalk import act_of
from voicectl.ports import CallInfo, Gap, GapStore, Inquiry, ReplyRequest, Retrieval

if TYPE_CHECKING:
    from voicectl.services.agents import Agent

log = logging.getLogger(__name__)

_KEYED = re.compile(r"\(pressed keys[^)]*\)")


class Research:
    """Of one call. `gaps`: where questions are kept that were not answered; None keeps none. `turns` are those of the
    whole call; `failed` is told in one word how a search failed that somebody waits for."""

    def __init__(
        self,
        agent: Agent,
        info: CallInfo,
        gaps: GapStore | None,
        *,
        turns: Callable[[], Sequence[Turn]],
        failed: Callable[[str], None],
    ) -> None:
        self._agent = agent
        self._info = info
        self._gaps = gaps
        self._turns = turns
        self._failed = failed

    async def search(self, lines: tuple[Line, ...], language: str) -> Retrieval | None:
        """What there is on the question; None when the knowledge base could not be asked."""
        limits = self._agent.limits
        said = " ".join(line.text for line in lines[-1:] if line.role == "caller")
        if asks_source(said):
            return Retrieval("answer", self._recent(), question=said)
        try:
            async with asyncio.timeout(limits.search_seconds):
                return await self._agent.knowledge.search(self._inquiry(lines, language), limit=limits.passages)
        except TimeoutError:
            self._failed("timeout")
        except Exception:
            log.exception("the knowledge base failed")
            self._failed("internal")
        return None

    async def in_advance(self, lines: tuple[Line, ...], language: str) -> None:
        """Look up what the caller has said so far. What is found is thrown away, but the next to ask the same has it
        at once."""
        try:
            async with asyncio.timeout(self._agent.limits.search_seconds):
                await self._agent.knowledge.search(self._inquiry(lines, language, early=True))
        except Exception:  # nobody waits for it; the search that somebody waits for tells what is wrong
            log.debug("nothing was looked up in advance")

    def unanswered(self, request: ReplyRequest, found: Retrieval) -> None:
        """Keep a question that was not answered. What is no question is no gap, and may be a name or a number."""
        if self._gaps is None or _KEYED.search(found.question):
            return
        if not asks(found.question) or act_of(request.question) is not None:
            return
        now, language = datetime.now(UTC), request.language or self._info.language
        collections = self._agent.limits.collections
        gap = Gap(now, self._info.sid, found.question, found.confidence, language, collections)
        try:
            self._gaps.record_gap(gap)
        except Exception:
            log.exception("a question without an answer was not kept")

    def _inquiry(self, lines: tuple[Line, ...], language: str, *, early: bool = False) -> Inquiry:
        told = tuple(line for line in lines if not _KEYED.match(line.text)) or lines[-1:]
        collections = self._agent.limits.collections
        return Inquiry(told, language or self._info.language, collections, self._recent(), early)

    def _recent(self) -> tuple[Passage, ...]:
        """What the last reply that used any was made of."""
        return next((turn.passages for turn in reversed(self._turns()) if turn.passages), ())
