"""Where words begin and end, in text with blanks between words and in text without.

A boundary is where a voice could have been cut off: behind a word, never inside one. Numbers keep their points and
commas ("1,250.00", "10:30"), words their apostrophes, letters their accents. Scripts without blanks between words
may be cut between any two characters.
"""

from __future__ import annotations

import unicodedata

_INSIDE_NUMBER = ".,:/"
_INSIDE_WORD = "'’."
_SIGNS = "$€£¥#@+"


def word_boundary(text: str, offset: int) -> int:
    """The nearest place at or before `offset` that is not inside a word. The ends of `text` always qualify."""
    offset = max(0, min(offset, len(text)))
    while 0 < offset < len(text) and _joined(text, offset):
        offset -= 1
    return offset


def word_end(text: str, offset: int) -> int:
    """The nearest place at or after `offset` that is not inside a word."""
    offset = max(0, min(offset, len(text)))
    while 0 < offset < len(text) and _joined(text, offset):
        offset += 1
    return offset


def word_count(text: str) -> int:
    """Words as a voice says them; two characters of a script without blanks make about one."""
    if text.isascii():
        return len(text.split())
    unspaced = sum(map(is_unspaced, text))
    rest = "".join(" " if is_unspaced(c) else c for c in text) if unspaced else text
    spaced = sum(any(c.isalnum() for c in word) for word in rest.split())
    return spaced + (unspaced + 1) // 2


def is_unspaced(char: str) -> bool:
    """A character of a script that puts no blanks between words."""
    code = ord(char)
    return (
        0x0E00 <= code <= 0x0EFF  # Thai, Lao
        or 0x1000 <= code <= 0x109F  # Myanmar
        or 0x1780 <= code <= 0x17FF  # Khmer
        or 0x3005 <= code <= 0x3007
        or 0x3040 <= code <= 0x30FF  # Kana
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF  # CJK
        or 0xF900 <= code <= 0xFAFF
        or 0xFF66 <= code <= 0xFF9F
        or 0x20000 <= code <= 0x3FFFF
    )


def _joined(text: str, at: int) -> bool:
    """No voice could stop between text[at - 1] and text[at]."""
    before, after = text[at - 1], text[at]
    if before.isspace() or after.isspace():
        return False
    if before == "\u200d" or unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf", "Sk"):
        return True
    if is_unspaced(before) or is_unspaced(after):
        return False
    if before == "-":
        return False
    if _wordlike(before) and _wordlike(after):
        return True
    if before in _SIGNS and after.isalnum():
        return True
    following = text[at + 1] if at + 1 < len(text) else ""
    if before.isdigit() and after in _INSIDE_NUMBER + "%":
        return after == "%" or following.isdigit()
    if after.isdigit() and before in _INSIDE_NUMBER:
        return at >= 2 and text[at - 2].isdigit()
    if _wordlike(before) and after in _INSIDE_WORD:
        return _wordlike(following)
    return _wordlike(after) and before in _INSIDE_WORD and at >= 2 and _wordlike(text[at - 2])


def _wordlike(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_" or unicodedata.category(char).startswith("M"))
