"""The reply being written: what the model wrote, what of it was made speakable and said, and when it is long enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voicectl.conversation.events import ReplyFinished
from voicectl.conversation.sentences import sentence_ends
from voicectl.conversation.spoken import SpokenText
from voicectl.conversation.turns import Turn
from voicectl.conversation.words import word_boundary, word_count

MOST_WORDS = 200
"""No reply is longer, whatever it was allowed."""
CHARACTERS_PER_TOKEN = 4
"""Of English, in the vocabularies of the models in use."""
CHARACTERS_PER_WORD = 15
"""More than that on average is no language: a reply is cut by its characters then."""


class Stage(Protocol):
    """Makes streamed text fit for a voice, in one respect."""

    def feed(self, text: str) -> str: ...

    def finish(self) -> str: ...


class Reply:
    """One reply, from the question on. Times are seconds into the call."""

    __slots__ = (
        "_said",
        "_stages",
        "_words",
        "_written",
        "asked_at",
        "finished",
        "first_at",
        "first_audio_at",
        "full",
        "gained_ms",
        "generation",
        "kept",
        "language",
        "latest_at",
        "order",
        "pieces",
    )  # fmt: skip

    def __init__(
        self, generation: int, order: int, asked_at: float, *, language: str = "", stages: Sequence[Stage] = ()
    ) -> None:
        """`order` is the place its turn will have among the call's turns; `stages` follow the taking out of markup."""
        self.generation = generation
        self.order = order
        self.asked_at = asked_at
        self.language = language
        self.first_at: float | None = None
        self.first_audio_at: float | None = None
        self.latest_at = asked_at
        self.gained_ms: float | None = None
        self.pieces = 0
        """How often the model wrote something: about its tokens."""
        self.full = False
        """It has said as much as it may. What comes now is not said."""
        self.kept: list[str] = []
        """Words that wait, because the caller goes on speaking."""
        self.finished: ReplyFinished | None = None
        """The model was through while they waited."""
        self._stages: tuple[Stage, ...] = (SpokenText(), *stages)
        self._written: list[str] = []
        self._said: list[str] = []
        self._words = 0

    @property
    def said(self) -> str:
        if len(self._said) > 1:
            self._said[:] = ["".join(self._said)]
        return self._said[0] if self._said else ""

    @property
    def tokens(self) -> int:
        """What has been written, in tokens; reckoned, for no model counts what was cancelled. What a stream brings at
        once may be several."""
        return max(self.pieces, -(-sum(map(len, self._written)) // CHARACTERS_PER_TOKEN))

    @property
    def begun(self) -> bool:
        """Some of it has been handed to the carrier."""
        return bool(self._said)

    def write(self, text: str, at: float) -> str:
        """The model wrote `text`; returns what can be said now, which may be nothing."""
        if self.first_at is None:
            self.first_at = at
        self.latest_at = at
        self.pieces += 1
        self._written.append(text)
        for stage in self._stages:
            if not text:
                break
            text = stage.feed(text)
        return text

    def rest(self) -> str:
        """The model writes no more; returns what had been held back."""
        text = ""
        for stage in self._stages:
            text = (stage.feed(text) if text else "") + stage.finish()
        return text

    def confirmed(self, order: int, at: float) -> None:
        """It was begun before the caller's words were final, and they are now."""
        started, first = self.asked_at, self.first_at
        self.order = order
        self.asked_at = at
        self.gained_ms = ((at if first is None else min(first, at)) - started) * 1000
        if first is not None:
            self.first_at = at
            self.latest_at = at

    def say(self, words: str) -> None:
        """`words` are handed to the carrier."""
        if words:
            self._said.append(words)
            self._words += words.count(" ") if words.isascii() else word_count(words)

    def end_within(self, words: str, limit: int) -> int | None:
        """Where in `words`, which come next, a reply of more than `limit` words is to end: at the first sentence end
        behind the limit; at twice the limit, or MOST_WORDS, between any two words; None where neither is reached. Text
        without words ends at CHARACTERS_PER_WORD times the limit."""
        most = max(limit, min(2 * limit, MOST_WORDS))
        coming = words.count(" ") if words.isascii() else word_count(words)
        characters = CHARACTERS_PER_WORD * limit
        if self._words + coming < limit and sum(map(len, self._said)) + len(words) < characters:
            return None  # a cheap count that is never too high
        before = self.said
        for end in sentence_ends(before + words):
            if end > len(before):
                count = word_count((before + words)[:end])
                if count > most:
                    break
                if count >= limit:
                    return end - len(before)

        def too_long(end: int) -> bool:
            text = before + words[:end]
            return word_count(text) >= most or len(text) >= characters

        if not too_long(len(words)):
            return None
        low, high = 0, len(words)
        while low < high:  # the shortest beginning that is too long
            middle = (low + high) // 2
            low, high = (low, middle) if too_long(middle) else (middle + 1, high)
        return word_boundary(words, low) or low

    def turn(self, *, heard: str, at: float, failure: str) -> Turn:
        """The turn that it makes, ended `at`; `failure` is empty when it is whole."""
        return Turn(
            self.order,
            "agent",
            "reply",
            self.asked_at,
            "".join(self._written),
            heard=heard,
            said=self.said,
            done=True,
            generation=self.generation,
            first_token_at=self.first_at,
            first_audio_at=self.first_audio_at,
            finished_at=at,
            failure=failure,
            lang=self.language,
            gained_ms=self.gained_ms,
        )
