"""Words as they are compared here: lower case, straight quotes, no punctuation, accents kept.

"si" and "sí", "ou" and "où" are different words, and whether an utterance is finished can hang on that. Transcripts
carry their accents, so the tables do too. Tables are written as text, one phrase after another, "_" for a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from voicectl.conversation.languages import primary

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "‑": "-", "‐": "-"})
_NOT_WORD = re.compile(r"[^\w'+]+")
_LONE_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
T = TypeVar("T")


def straight(text: str) -> str:
    """With straight quotes and plain hyphens; every character keeps its place."""
    return text.translate(_QUOTES)


def lowered(text: str) -> str:
    """Lower case with straight quotes; the punctuation stays."""
    return text.translate(_QUOTES).lower()


def bare(text: str) -> str:
    """Words with single blanks between them. Hyphens part words: "mm-hmm" is two."""
    said = lowered(text)
    if "'" in said:
        said = _LONE_QUOTE.sub(" ", said)
    return _NOT_WORD.sub(" ", said).strip()


def bare_tail(text: str, characters: int) -> str:
    """The same of no more than the end of a text, from a whole word on."""
    if len(text) <= characters:
        return bare(text)
    return bare(text[-characters:].partition(" ")[2])


def phrases(table: str) -> tuple[str, ...]:
    """The phrases of a table, each as bare() would have it."""
    return tuple(dict.fromkeys(bare(each.replace("_", " ")) for each in table.split()))


def any_of(table: Iterable[str]) -> str:
    """A pattern for any of these phrases, the longest first."""
    return "|".join(re.escape(each) for each in sorted(set(table), key=lambda each: (-len(each), each)))


def by_language(table: Mapping[str, T], language: str) -> T:
    """The entry of a language, told by its primary subtag; the one of English for a language that has none."""
    return table.get(primary(language), table["en"])
