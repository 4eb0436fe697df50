"""A reply that was begun on what the caller had said so far, before that was final.

It is kept to itself: its words wait here. When the caller's words are final and ask the same, it becomes the reply and
its words are said at once; otherwise it is thrown away, and what it cost is counted.
"""

from __future__ import annotations

from voicectl.conversation import events as ev
from voicectl.conversation.reply import Reply


class Guess:
    """`text` is what the caller had said."""

    __slots__ = ("finished", "reply", "text", "words")

    def __init__(self, text: str, reply: Reply) -> None:
        self.text = text
        self.reply = reply
        self.words: list[str] = []
        self.finished: ev.ReplyFinished | None = None
        """The model was through before the caller was."""

    @property
    def generation(self) -> int:
        return self.reply.generation

    def write(self, text: str, at: float) -> None:
        """The model wrote something."""
        words = self.reply.write(text, at)
        if words:
            self.words.append(words)

    @property
    def tokens(self) -> int:
        """What it has cost in tokens written."""
        if self.finished is not None and self.finished.usage is not None:
            return self.finished.usage.completion_tokens
        return self.reply.tokens
