"""Text into the tokens of BERT's uncased vocabulary, as the MiniLM embedder was trained on them.

Sixty lines instead of the `tokenizers` package, which brings a client of a model hub with it; the test compares the two
over words that are easy to get wrong. A word is lower-cased, stripped of accents and cut greedily into the longest
pieces that the vocabulary has; punctuation and CJK characters are words of their own.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

UNKNOWN, BEGIN, END = 100, 101, 102
LONGEST_WORD = 100
"""Characters; a longer word is unknown."""
_REMEMBERED = 50_000

_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """A vocabulary: one token a line, its number the line's, from 0."""

    def __init__(self, vocabulary: Path) -> None:
        """Raises OSError when the file cannot be read."""
        with vocabulary.open(encoding="utf-8") as lines:
            self._ids = {token.rstrip("\n"): number for number, token in enumerate(lines)}
        self._words: dict[str, list[int]] = {}

    def ids(self, text: str, longest: int) -> list[int]:
        """The tokens' numbers between BEGIN and END, at most `longest` in all."""
        found = [BEGIN]
        for word in _words(text):
            found += self._pieces(word)
            if len(found) >= longest:
                break
        del found[longest - 1 :]
        found.append(END)
        return found

    def _pieces(self, word: str) -> list[int]:
        known = self._words.get(word)
        if known is None:
            known = self._cut(word)
            if len(self._words) < _REMEMBERED:
                self._words[word] = known
        return known

    def _cut(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [UNKNOWN]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._ids.get(word[start:end] if not start else f"##{word[start:end]}")
                if number is not None:
                    break
            else:
                return [UNKNOWN]
            pieces.append(number)
            start = end
        return pieces


def _words(text: str) -> list[str]:
    if text.isascii():
        text = text.lower()
        if text.isalnum():
            return [text]
    else:
        text = "".join(
            char for char in unicodedata.normalize("NFD", text).lower() if unicodedata.category(char) != "Mn"
        )
    spaced = [_spaced(char) for char in text] if not text.replace(" ", "").isalnum() or not text.isascii() else [text]
    return "".join(spaced).split()


def _spaced(char: str) -> str:
    """A character as it stands between words: punctuation and CJK alone, control characters not at all."""
    if char.isascii():
        if char.isalnum():
            return char
        if char in " \t\n\r":
            return " "
        return f" {char} " if "!" <= char <= "~" else ""
    kind = unicodedata.category(char)
    if kind == "Zs":
        return " "
    if kind[0] == "C" or char == "\ufffd":
        return ""
    if kind[0] == "P" or any(low <= ord(char) <= high for low, high in _CJK):
        return f" {char} "
    return char
