"""Figures made into words while the text streams.

Theory of operation
- Text waits in one buffer, `_held`. Words that cannot begin anything are said as they come, even in part. Where
  something may begin (a digit, a sign, an abbreviation, capitals that may be a code, a mark inside a word that may be
  an address) a stretch begins: that word, and the following ones as long as they may belong to it ("10:30" and "p.m.").
- Where a stretch ends is seen from the text alone: at a word that no pattern knows, after at most one of its letters
  more than is needed to know it, or after REACH characters. Only then is it rewritten. So what is said does not depend
  on how the text was cut into tokens, and never more than REACH characters and the beginning of a word wait.
- The rules of the language (language.py) are tried in turn at each place of a stretch; what none of them matches is
  said as it is. They see the text in front of the place as it was written: "Room", "Nov", "order number".
- What is rewritten holds no figures, so it is not rewritten again.
"""

from __future__ import annotations

import re

from voicectl.conversation.numerals.language import REACH, Language
from voicectl.conversation.numerals.tongues import language_of

_LETTERS = re.compile(r"[^\W\d_¹²³\u00bc-\u00be\u2150-\u215f]+")
_WORD = re.compile(r"[!-;=?-Z\\^_a-z{}~\u00a1-\u024f\u2010-\u2033\u20a0-\u20bf\u2150-\u215f\u2212]+")
"""What a stretch is made of. No other script, which may have no blanks between its words."""
_BEGINS = re.compile(r"[0-9$€£¥%@°&#+\u2212\u00bc-\u00be\u2150-\u215f]")
_GOES_ON = re.compile(r"[0-9$€£¥%@°&+(–—\u2212\u00bc-\u00be\u2150-\u215f-]")
_PAUSES = frozenset(".,;:!?")
_FIGURE = re.compile(r"[0-9$€£¥]")
_SIGN = re.compile(r"[-._(]")
_IN_A_WORD = re.compile(r"[A-Za-z0-9._+@-]*")
_ADDRESS = re.compile(r"[^@]*(?:@|\.[a-z]{2})")
_is_plain = re.compile(r" ?+(?:([A-Z]?+[a-z\u00df-\u00f6\u00f8-\u00ff]++)[,!?]?+|,)").fullmatch
"""A word, or a comma."""
_MARKED = re.compile(r"[!;:?]\Z")


class _Undecided(Exception):
    """What stands at the front of the buffer depends on text still to come."""


class SpokenNumbers:
    """Streamed text in; the same with its figures in words out. `language` is a tag: "en-GB", "de"."""

    def __init__(self, language: str = "en-US") -> None:
        self._language: Language = language_of(language)
        self._suspects = self._language.suspects
        self._held = ""
        self._before = ""  # what was taken from `_held`, its last characters
        self._last = ""  # the character said last
        self._joining = False  # the words said last were made here: a letter behind them needs a blank
        self._final = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """What can be said now that `text` has come; may be ""."""
        if not self._held and not self._joining:
            plain = _is_plain(text)
            if plain and plain[1] not in self._suspects:
                self._before = (self._before + text)[-REACH:]
                self._last = text[-1]
                return text
        self._held += text
        return self._taken()

    def finish(self) -> str:
        """What was held back. The stream is over; the object is not used again."""
        self._final = True
        return self._taken()

    def _taken(self) -> str:
        at = 0
        try:
            while at < len(self._held):
                at = self._step(at)
        except _Undecided:
            pass
        self._before, self._held = self._context(at), self._held[at:]
        said = "".join(self._out)
        self._out.clear()
        return said

    # --- the scanner -------------------------------------------------------------------------------------------

    def _context(self, at: int) -> str:
        """The text in front of `at`."""
        if at >= REACH:
            return self._held[at - REACH : at]
        return (self._before + self._held[:at])[-REACH:]

    def _step(self, at: int) -> int:
        """Take what stands at `at`; returns where to go on."""
        held = self._held
        previous = held[at - 1] if at else self._before[-1:]
        if letters := _LETTERS.match(held, at):
            if not (previous.isalnum() or previous in ("'", "’", "_")) and self._opens(letters):
                return self._stretch(at)
            self._say(letters[0])
            return letters.end()
        char = held[at]
        if _BEGINS.match(char):
            return self._stretch(at)
        if _SIGN.match(char) and self._sign_begins(char, previous, at):
            return self._stretch(at)
        self._say(char)
        return at + 1

    def _opens(self, letters: re.Match[str]) -> bool:
        """A word that may begin something. Raises _Undecided where it may become one."""
        word, language = letters[0], self._language
        capitals = language.speaks and word.isupper() and word.isascii() and len(word) < 12
        if letters.end() == len(self._held):
            if not self._final and (capitals or word in language.beginnings):
                raise _Undecided
            return word in language.openers
        following = self._held[letters.end()]
        if capitals and (following == "-" or "0" <= following <= "9" or following in "$€£"):
            return True
        return word in language.openers or (following == "." and word in language.dotted)

    def _sign_begins(self, char: str, previous: str, at: int) -> bool:
        """A point, dash or parenthesis in front of a figure, or inside an address."""
        inside = previous.isascii() and previous.isalnum()
        word = _IN_A_WORD.match(self._held, at, at + REACH)
        end = word.end() if char != "(" and word else at + 1
        if not self._final and end == len(self._held):
            raise _Undecided
        if _FIGURE.match(self._held, at + 1):
            return True
        return inside and bool(_ADDRESS.match(self._held, at, end))

    def _stretch(self, at: int) -> int:
        end, whole = self._stretch_end(at)
        held = self._held
        peek = held[end : end + 2] if whole and held[end : end + 1] == " " else held[end : end + 1] if whole else ""
        self._read(self._context(at), held[at:end], peek)
        return end

    def _stretch_end(self, start: int) -> tuple[int, bool]:
        """Where the stretch ends that begins at `start`, and whether what follows it could be looked at."""
        held, limit = self._held, start + REACH
        language, end, names = self._language, start, 0
        while True:
            names = language.names if language.named.match(held, end, limit) else names
            word = _WORD.match(held, end, limit)
            end = word.end() if word else end + 1
            if end >= limit:
                return limit, False
            if end == len(held):
                if self._final:
                    return end, True
                raise _Undecided
            if held[end] != " " or _MARKED.match(held, end - 1):
                return end, True
            if end + 1 == len(held):
                if self._final:
                    return end, True
                raise _Undecided
            following = held[end + 1]
            if _GOES_ON.match(following):
                end += 1
            elif names and held[end - 1] not in ".," and language.name.match(following):
                names -= 1
                end += 1
            elif self._continues(end + 1):
                end += 1
            else:
                return end, True

    def _continues(self, at: int) -> bool:
        letters = _LETTERS.match(self._held, at)
        if not letters:
            return False
        if letters.end() == len(self._held) and not self._final and letters[0] in self._language.goings_on:
            raise _Undecided
        return letters[0] in self._language.continuations

    # --- the voice ---------------------------------------------------------------------------------------------

    def _read(self, context: str, stretch: str, peek: str) -> None:
        text = context + stretch + peek
        at, end = len(context), len(context) + len(stretch)
        while at < end:
            for pattern, say in self._language.rules:
                if (match := pattern.match(text, at, end)) and (words := say(match)) is not None:
                    self._replace(words)
                    at = match.end()
                    break
            else:
                letters = _LETTERS.match(text, at, end)
                to = letters.end() if letters else at + 1
                self._say(text[at:to])
                at = to

    def _replace(self, words: str) -> None:
        if words:
            apart = (self._last.isalnum() or self._last in _PAUSES) and words[0].isalnum()
            self._out.append(" " + words if apart else words)
            self._last = words[-1]
            self._joining = words[-1].isalnum()

    def _say(self, text: str) -> None:
        if self._joining and text[0].isalnum():
            self._out.append(" ")
        self._joining = False
        self._out.append(text)
        self._last = text[-1]


def spoken_numbers(text: str, language: str = "en-US") -> str:
    """The whole of `text` as a voice should say it."""
    numbers = SpokenNumbers(language)
    return numbers.feed(text) + numbers.finish()
