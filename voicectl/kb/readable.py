"""Whether a passage can be read, and said: what went wrong when a document was made, scanned or decoded. Pure."""

from __future__ import annotations

import re

from voicectl.conversation.sentences import sentences
from voicectl.conversation.words import word_count

LONGEST_PASSAGE = 180
"""Words: over a minute of speech, and more than a passage ever has that could be divided."""
LONGEST_SENTENCE = 60
"""Words: twenty seconds without a stop."""

_LONG_TOKEN = re.compile(r"(?<![\w@/.:-])[A-Za-z]{24,}(?![\w@/]|[.:-]\w)")
_GLUED = re.compile(r"\b[A-Za-z][a-z]{3,}[A-Z][a-z]{3,}\b|\b[a-z]{2,}[.,;!?][A-Z][a-z]+|[a-z]{3,}\d{1,2}[A-Z][a-z]{2,}")
_LETTERS_APART = re.compile(r"(?:\b[^\W\d_] ){5,}[^\W\d_]\b")
_ENOUGH = 40
"""Characters, below which nothing can be said about what a passage consists of."""


def unreadable(text: str, language: str = "") -> tuple[str, str] | None:
    """The first place in a passage that cannot be read, and what is wrong with it; None where there is none.

    Long words are suspicious in English only, which `language` "" is taken for.
    """
    if "\ufffd" in text:
        return _around(text, "\ufffd"), "characters are missing (\ufffd)"
    for word in text.split():
        if not word.isascii() and (meant := _meant(word)):
            return _around(text, word), f"“{word}” was written as “{meant}”: the file was read in the wrong encoding"
    if controls := re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        return _around(text, controls.group()), "it holds control characters"
    if apart := _LETTERS_APART.search(text):
        return _around(text, apart.group()), "letters stand apart"
    if language in ("", "en"):
        if found := _LONG_TOKEN.search(text):
            return _around(text, found.group()), "words run together"
        glued = list(dict.fromkeys(found.group() for found in _GLUED.finditer(text)))
        if len(glued) >= 3 and len(glued) * 12 > len(text.split()):
            return _around(text, glued[0]), f"words run together: {', '.join(glued[:3])}"
    solid = "".join(text.split())
    if len(solid) >= _ENOUGH and sum(map(str.isalpha, solid)) < 0.4 * len(solid):
        return _around(text, text[:60]), "it is mostly numbers and symbols"
    return None


def too_long(text: str) -> tuple[str, str] | None:
    """The part of a passage that is too long to be listened to, and why; None where there is none."""
    for line in text.splitlines():
        for sentence in sentences(line):
            if (count := word_count(sentence)) > LONGEST_SENTENCE:
                return sentence, f"a sentence of {count} words: about {round(count / 2.6)} seconds without a stop"
    if (count := word_count(text)) > LONGEST_PASSAGE:
        return text, f"{count} words in one piece"
    return None


def _meant(word: str) -> str | None:
    """What a word was before its UTF-8 was read as Windows' or ISO's Latin alphabet."""
    for encoding in ("cp1252", "latin-1"):
        try:
            meant = word.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if len(meant) < len(word):
            return meant
    return None


def _around(text: str, part: str) -> str:
    """The sentence or line that holds a part of a text."""
    for line in text.splitlines():
        for sentence in sentences(line):
            if part in sentence:
                return sentence
        if part in line:
            return line
    return part
