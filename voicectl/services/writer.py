"""Words on their way to the carrier: one writer per call, which sends what has gathered since its last turn as one
message. It holds words back in two cases only:

- the first words of a reply wait until the caller's turn is on disk (it has been written while the model was
  thinking, so in practice they do not wait), and
- the frame that closes a talk cycle waits until the agent's turn is.

Words that are taken back before they have left are thrown away, but for the rest of a word that has begun to leave.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from voicectl.conversation import effects as fx
from voicectl.conversation.turns import Closing
from voicectl.conversation.words import word_end
from voicectl.ports import CallerLine, Receipt

SLOW_READER_SECONDS = 2.0
SLOW_READER_CHARACTERS = 64 * 1024
"""A peer that has not taken a message for so long, while so much waits, is gone."""
_LONGEST_WORD = 40


@dataclass(slots=True)
class _Outgoing:
    """One thing to be sent; what is no words has no turn."""

    turn: int = -1
    text: str = ""
    last: bool = False
    preemptible: bool = False
    language: str = ""
    digits: str = ""
    closing: Closing | None = None
    destination: str = ""
    after: Receipt | None = None
    """Of a closing frame: leaves when this is on disk."""


class Writer:
    """`durable` waits for the disk, but not for long; `ended` is called when the call was given back to the carrier,
    `stuck` when the peer takes nothing any more."""

    def __init__(
        self,
        line: CallerLine,
        *,
        durable: Callable[[Receipt], Awaitable[None]],
        ended: Callable[[], None],
        stuck: Callable[[], None],
    ) -> None:
        self.words_after: Receipt | None = None
        """The next words leave when this is on disk."""
        self._line = line
        self._durable = durable
        self._ended = ended
        self._stuck = stuck
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[_Outgoing] = deque()
        self._wake = asyncio.Event()
        self._sent = (-1, "")
        """The turn that words were last handed over of, and the end of them."""
        self._sending_since: float | None = None

    def say(self, words: fx.Say, after: Receipt | None) -> None:
        """`after`: the frame that closes the talk cycle leaves when this is on disk."""
        if words.text:
            self._send(_Outgoing(words.turn, words.text, preemptible=words.preemptible))
        if words.last:
            self._send(_Outgoing(words.turn, last=True, preemptible=words.preemptible, after=after))

    def send_digits(self, digits: str) -> None:
        self._send(_Outgoing(digits=digits))

    def switch_language(self, language: str) -> None:
        self._send(_Outgoing(language=language))

    def end(self, closing: Closing, destination: str) -> None:
        self._send(_Outgoing(closing=closing, destination=destination))

    def unsay(self, keep: int) -> dict[int, int]:
        """Throw away the words that have not left, but for those of the turn `keep`. Returns how many characters of
        which turn that were."""
        lost: dict[int, int] = {}
        kept: deque[_Outgoing] = deque()
        turn, begun = self._sent
        for item in self._outbox:
            if not item.text or item.turn == keep:
                kept.append(item)
                continue
            end = _rest_of_word(begun, item.text) if item.turn == turn and item.turn not in lost else 0
            if end:
                kept.append(replace(item, text=item.text[:end]))
                begun += item.text[:end]
            if end < len(item.text):
                lost[item.turn] = lost.get(item.turn, 0) + len(item.text) - end
        self._outbox = kept
        return lost

    def _send(self, item: _Outgoing) -> None:
        self._outbox.append(item)
        self._wake.set()
        since = self._sending_since
        slow = since is not None and self._loop.time() - since > SLOW_READER_SECONDS
        if slow and sum(len(each.text) for each in self._outbox) > SLOW_READER_CHARACTERS:
            self._stuck()

    async def run(self) -> None:
        """Send for as long as the line holds: returns when it is gone."""
        try:
            while True:
                while not self._outbox:
                    self._wake.clear()
                    await self._wake.wait()
                await self._next(self._outbox[0])
        except ConnectionError:
            self._outbox.clear()  # the reader sees the same and finishes the call

    async def _next(self, item: _Outgoing) -> None:
        gate = item.after or (self.words_after if item.text else None)
        if gate is not None:
            if not gate.done:
                await self._durable(gate)
            # Waited for once: the next words go on without it.
            item.after = None
            if gate is self.words_after:
                self.words_after = None
            return  # while waiting the words may have been thrown away
        self._outbox.popleft()
        self._sending_since = self._loop.time()
        if item.closing is not None:
            await self._line.end(item.closing, item.destination)
            self._ended()
        elif item.turn >= 0:
            text, last = self._gather(item)
            if text:
                self._sent = (item.turn, text[-_LONGEST_WORD:])
            await self._line.say(text, last=last, preemptible=item.preemptible)
        elif item.digits:
            await self._line.send_digits(item.digits)
        else:
            await self._line.switch_language(item.language)
        self._sending_since = None

    def _gather(self, item: _Outgoing) -> tuple[str, bool]:
        """Everything that may leave with this item: what has gathered of the same turn since the last message."""
        parts, last = [item.text], item.last
        while self._outbox and not last:
            more = self._outbox[0]
            held = more.after is not None and not more.after.done
            if held or more.turn != item.turn:
                break
            self._outbox.popleft()
            parts.append(more.text)
            last = more.last
        return "".join(parts), last


def _rest_of_word(said: str, text: str) -> int:
    """How much of `text` belongs to the word that `said`, which comes before it, ends in."""
    return max(0, word_end(said + text, len(said)) - len(said)) if said else 0
