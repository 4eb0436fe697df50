"""A spoken question into the words to search for.

Fillers, courtesies and grammar are left out, number words stay. Each word brings those that answer for it, and a day
of the week brings the others, because "Tuesday through Saturday" holds it without naming it.
"""

from __future__ import annotations

from voicectl.conversation.questions import Question, plain, read_question, standalone_question, without_fillers
from voicectl.conversation.vocabulary import DAYS

MOST = 40
"""Words in one search; who says more than this has said what it is about."""

_ASKED = {"price": ("price", "cost"), "hours": ("hours", "open"), "place": ("address",), "phone": ("phone",)}


def search_terms(question: str) -> list[str]:
    """The words to search for, those that were said first; [] only for a question without a word in it."""
    return terms_of(read_question(question)) or without_fillers(question).split() or plain(question).split()


def terms_of(question: Question) -> list[str]:
    """The words to search for, of a question already taken apart."""
    said = [term.word for term in question.terms]
    also = [other for term in question.terms for other in term.also]
    if question.days:
        also += [*DAYS, "weekdays", "weekends", "daily"]
    for ask, words in _ASKED.items():
        if ask in question.asks:
            also += words
    return list(dict.fromkeys(said + also))[:MOST]


__all__ = ["MOST", "search_terms", "standalone_question", "terms_of"]
