"""How text becomes chunks of speech, and how long they take.

Twilio joins the tokens of a talk cycle and cuts them into chunks; each chunk is one request to the voice and one
`tokensPlayed`. Recordings show cuts

- after `.`, `!`, `?` and `:` when a blank follows; the blank opens the next chunk;
- in a long clause, between a comma and "so" or "and"; the blank stays with the chunk before. Other words after a
  comma ("every", "no", "that") bring no cut, and a greeting is never cut.

The measured length of a chunk is about 0.28 s plus 45 ms per character (within 27 % for 5 to 103 characters, default
voice). Words begin at their share of the characters; a word that has begun counts as heard. For kana and Han, which
no recording has, each character is a word three times as long, and 。！？ end a chunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar

LEAD = 0.28
PER_CHARACTER = 0.045
LONG_CLAUSE = 40
KEY_SECONDS = 0.38
PAUSE_SECONDS = 0.5
"""A `w` among digits."""

_SOLID = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SOLID}]|[^\s{_SOLID}]+")
_WIDE = re.compile(f"[{_SOLID}]")
_SENTENCE = re.compile(r"[.!?:]+[\"')\]\u201d\u2019]*(?=\s)|[。！？]+")
_CLAUSE = re.compile(r",\s+(?=(?:so|and)\s)", re.IGNORECASE)
_LOOKBACK = 16
"""How far behind a new token a cut may lie that only this token makes certain."""


def seconds_to_say(text: str) -> float:
    """How long a voice takes for `text`; 0 for blanks."""
    text = text.strip()
    return LEAD + PER_CHARACTER * _weight(text) if text else 0.0


def seconds_to_dial(digits: str) -> float:
    pauses = digits.count("w")
    return KEY_SECONDS * (len(digits) - pauses) + PAUSE_SECONDS * pauses


def heard(text: str, seconds: float, elapsed: float) -> str:
    """The part of a chunk that has been audible after `elapsed` of its `seconds`: every word that has begun.

    A blank in front is kept, one behind is not.
    """
    if elapsed < 0:
        return ""
    share = elapsed / seconds + 1e-9 if seconds > 0 else 1.0
    if share >= 1:
        return text.rstrip()
    end = 0
    for begins, word_end in _words(text):
        if begins > share:
            break
        end = word_end
    return text[:end]


def _weight(text: str) -> int:
    return len(text) if text.isascii() else len(text) + 2 * len(_WIDE.findall(text))


def _words(text: str) -> Iterator[tuple[float, int]]:
    """For each word: the share of the chunk at which it begins, and where it ends in `text`."""
    lead = len(text) - len(text.lstrip())
    total = max(1, _weight(text.strip()))
    for word in _WORD.finditer(text):
        yield _weight(text[lead : word.start()]) / total, word.end()


Mark = TypeVar("Mark")


class Chunker(Generic[Mark]):
    """Cuts a stream of tokens. A chunk carries the `mark` of the token that its first visible character came with."""

    def __init__(self) -> None:
        self._text = ""
        self._marks: list[tuple[int, Mark]] = []

    def __bool__(self) -> bool:
        return bool(self._text.strip())

    @property
    def mark(self) -> Mark:
        """What the words held back would be marked with. Only where there are any."""
        visible = len(self._text) - len(self._text.lstrip())
        return next(mark for start, mark in reversed(self._marks) if start <= visible)

    def add(self, token: str, mark: Mark) -> list[tuple[str, Mark]]:
        """More text; returns the chunks that it makes certain."""
        if not token:
            return []
        search_from = max(0, len(self._text) - _LOOKBACK)
        self._marks.append((len(self._text), mark))
        self._text += token
        chunks: list[tuple[str, Mark]] = []
        while (cut := self._cut(search_from)) is not None:
            chunks.append(self._take(cut))
            search_from = 0
        return chunks

    def flush(self) -> list[tuple[str, Mark]]:
        """Whatever is held back, at most one chunk; blanks alone are dropped."""
        chunks = [self._take(len(self._text))] if self else []
        self._text = ""
        self._marks.clear()
        return chunks

    def _cut(self, search_from: int) -> int | None:
        cuts = [
            found.end()
            for found in (_SENTENCE.search(self._text, search_from), self._clause(search_from))
            if found is not None
        ]
        return min(cuts, default=None)

    def _clause(self, search_from: int) -> re.Match[str] | None:
        for found in _CLAUSE.finditer(self._text, search_from):
            if len(self._text[: found.start()].lstrip()) >= LONG_CLAUSE:
                return found
        return None

    def _take(self, cut: int) -> tuple[str, Mark]:
        mark = self.mark
        chunk, self._text = self._text[:cut], self._text[cut:]
        self._marks = [(max(0, start - cut), each) for start, each in self._marks]
        while len(self._marks) > 1 and self._marks[1][0] == 0:
            del self._marks[0]
        return chunk, mark
