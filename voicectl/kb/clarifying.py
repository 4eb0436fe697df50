"""Which of two things does the caller mean?

Asked only where it costs less than guessing: the question names nothing of its own ("how long does it take", "what's
the price"), it wants one kind of answer, and the passages that could give it stand under different headings and come
nearly equal. The choices are those headings, as they can be said aloud.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from voicectl.conversation.excerpts import HOLDS
from voicectl.conversation.questions import Ask, Question, read_question
from voicectl.conversation.turns import Passage
from voicectl.conversation.vocabulary import RELATIONAL

EQUAL = 0.06
"""Scores no further apart than this are nearly equal."""
MOST = 3
LONGEST = 4
"""Words of a choice; a longer heading is no name for a thing."""
RARE = 0.3
"""A common word that is worth as much here names something after all."""
_SAYABLE = re.compile(r"[^\W_][\w '&-]{1,39}")
"""What a name may look like. It is said aloud, and told to the model as a thing, not as a document's text."""

_ASKABLE: frozenset[Ask] = frozenset({"price", "hours", "when", "duration", "place", "phone"})
_NO_NAME = re.compile(r"[?!:]|^(how|what|when|where|who|why|is|are|do|does|can|our|your|general|overview|faq)\b", re.I)
_THE_HOUSE = re.compile(r"\b(you|your|you're|guys)\b", re.I)
"""Hours, places and numbers of whoever is called are clear: "when are you open"."""


def choices(question: Question, passages: Sequence[Passage]) -> tuple[str, ...]:
    """Two or three things the caller may mean, best first; () where the question is clear, or nothing tells them
    apart."""
    asks = question.asks & _ASKABLE
    if not asks or not passages or _names_something(question):
        return ()
    if not asks & {"price", "duration"} and _THE_HOUSE.search(question.text):
        return ()
    near = [each for each in passages if each.score >= passages[0].score - EQUAL and _may_tell(each, asks)]
    names = list(dict.fromkeys(filter(None, (_name(passage.title) for passage in near))))
    return tuple(names[:MOST]) if len(names) > 1 else ()


def _names_something(question: Question) -> bool:
    """Whether a question says of what it asks, beyond the words for what it asks: "price", "hours", "open"."""
    rare_here = {term.word for term in question.terms if term.worth >= RARE}
    plainly = read_question(question.text).terms
    return any((term.worth == 1.0 or term.word in rare_here) and not _only_asks(term.word) for term in plainly)


@lru_cache(maxsize=4096)
def _only_asks(word: str) -> bool:
    return word in RELATIONAL or bool(read_question(word).asks & _ASKABLE) or word in _MEASURES


_MEASURES = frozenset("time times long late early number money pay".split())


def _may_tell(passage: Passage, asks: frozenset[Ask]) -> bool:
    """Whether a passage asks for this kind of answer in its heading, and holds one."""
    asked = read_question(passage.title.rpartition(" > ")[2]).asks
    return bool(asks & asked) and any(ask not in HOLDS or HOLDS[ask].search(passage.text) for ask in asks)


def _name(title: str) -> str:
    """What a passage is about, for the ear; "" where its headings do not say it in a few words."""
    for heading in reversed(title.split(" > ")):
        words = heading.strip().rstrip(".").split()
        if 0 < len(words) <= LONGEST and _SAYABLE.fullmatch(" ".join(words)) and not _NO_NAME.search(heading):
            return " ".join(words) if heading.isupper() else " ".join([words[0][:1].lower() + words[0][1:], *words[1:]])
    return ""
