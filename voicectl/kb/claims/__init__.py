"""What documents claim: prices, opening hours, telephone numbers. Two claims on the same thing can contradict.

A claim is read from a statement, which is a sentence, a list item or a table's row, in the words of the statement
and under the headings above it. What a reader would have to guess is not read: a contradiction reported by mistake
costs the owner more trust than one that is missed.

One module for each kind of claim, with read() and contradict(). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from voicectl.conversation.questions import days_in, phrased, plain, stem
from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Passage
from voicectl.conversation.vocabulary import ALIKE, DAYS, NUMBERS, STOP

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_ROW = re.compile(r"([^:.?!]{1,80}): +(\S.*)")
_LABEL_WORDS = 8

GENERIC = frozenset(
    """
    about address answer around business charge company contact current customer detail direction door fact faq find
    flyer guide handbook house general hello help home info information leaflet location new normal note notice old our
    overview page place policy question regular schedule shop short standard store summary update usual visit visitor
    website welcome yes
    """.split()
)
"""Words of headings and sentences that do not say what a claim is about."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, list item or row of a passage."""

    passage: Passage
    text: str
    label: str = ""
    """Of a row: what it is about."""
    cells: tuple[str, ...] = ()
    """Of a row: what stands behind the label."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands."""

    source: str
    passage: int
    sentence: str


def statements(passage: Passage) -> Iterator[Statement]:
    """The statements of a passage, in order."""
    for line in passage.text.splitlines():
        line = line.strip().removeprefix("- ").strip()
        found = sentences(line)
        row = _ROW.fullmatch(line) if len(found) == 1 else None
        if row and len(row[1].split()) <= _LABEL_WORDS:
            yield Statement(passage, line, row[1], tuple(cell.strip() for cell in row[2].rstrip(".").split("; ")))
        else:
            for sentence in found:
                yield Statement(passage, sentence)


def place(statement: Statement) -> Place:
    return Place(statement.passage.source, statement.passage.id, statement.text)


@lru_cache(maxsize=50_000)
def words(text: str) -> frozenset[str]:
    """What a text names: its words without grammar, each as the first of those that mean the same."""
    found = _WORD.findall(phrased(plain(text)))
    return frozenset(canonical(word) for word in found if word.removesuffix("'s") not in STOP and len(word) > 1) | {
        word for word in found if word.isdigit()
    }


@lru_cache(maxsize=20_000)
def canonical(word: str) -> str:
    """One stem for all words that answer for one another; digits for numbers that are written out."""
    word = word.removesuffix("'s").removesuffix("'")
    return NUMBERS.get(word) or _firsts().get(stem(word), stem(word))


@lru_cache(maxsize=1)
def _firsts() -> dict[str, str]:
    firsts: dict[str, str] = {}
    for group in ALIKE:
        members = group.split()
        for member in members:
            firsts.setdefault(stem(member), stem(members[0]))
    return firsts


_PUBLICATIONS = frozenset(
    stem(word)
    for word in "announcement blog brochure catalog catalogue flyer handbook leaflet letter magazine"
    " mailing memo news newsletter poster press".split()
)


@lru_cache(maxsize=10_000)
def headings(title: str) -> frozenset[str]:
    """What the headings over a passage name. "Spring flyer" names a piece of paper, not what it says."""
    return frozenset[str]().union(*(words(each) for each in title.split(" > ") if not words(each) & _PUBLICATIONS))


@lru_cache(maxsize=1)
def day_words() -> frozenset[str]:
    short = ("mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun")
    often = ("day", "daily", "week", "weekday", "weekend", "weekends", "everyday")
    return frozenset(canonical(form) for day in DAYS for form in (day, f"{day}s")) | frozenset(
        canonical(word) for word in (*short, *often)
    )


__all__ = ["Place", "Statement", "canonical", "day_words", "days_in", "headings", "place", "statements", "words"]
