"""Whether words can be found in what was heard, as a listener would say.

Whole words, in order, whatever their case and the punctuation between them; number words up to ninety-nine equal their
digits, so "nine thirty" is found in "9:30"; hundreds are reckoned in, so "295"
is found in "two hundred and ninety-five".
"""

from __future__ import annotations

import re
import unicodedata

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: value for value, word in enumerate(_SMALL.split())} | {
    word: 10 * (value + 2) for value, word in enumerate(_TENS.split())
}
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def contains(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` are found in `text`, by the rules at the top of this file."""
    return count(text, phrase) > 0


def count(text: str, phrase: str) -> int:
    """How often the words of `phrase` are found in `text`, one after the other."""
    hay, needle = normal(text), normal(phrase)
    at, found = hay.find(needle), 0
    while at >= 0 and needle:
        before, after = hay[at - 1 : at], hay[at + len(needle) : at + len(needle) + 1]
        whole = not (_joined(before, needle[:1]) or _joined(needle[-1:], after))
        found += whole
        at = hay.find(needle, at + (len(needle) if whole else 1))
    return found


def normal(text: str) -> str:
    """The words of `text` as they are compared, with one blank between them; "" where there is none."""
    words: list[str] = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
    out: list[str] = []
    tens = False  # the number before was twenty, thirty …
    added_to = False  # … or hundreds
    for place, word in enumerate(words):
        value = _NUMBERS.get(word)
        if value is not None and ((tens and 0 < value < 10) or (added_to and value > 0)):
            out[-1] = str(int(out[-1]) + value)
            tens, added_to = not tens and value >= 20, False
        elif value is not None:
            out.append(str(value))
            tens, added_to = value >= 20, False
        elif word == "hundred" and place and words[place - 1] in _NUMBERS:
            out[-1] = str(int(out[-1]) * 100)
            tens, added_to = False, True
        elif added_to and word == "and" and place + 1 < len(words) and words[place + 1] in _NUMBERS:
            continue
        else:
            out.append(word)
            tens = added_to = False
    return " ".join(out)


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word. Scripts without spaces (Thai, CJK) have no such rule."""
    return left.isalnum() and right.isalnum() and (left < "\u0e00" or right < "\u0e00")
