"""The words to search for.

A question's own words come first, in the order they were said; each brings those that answer for it. A day of the week
brings the others, because "Tuesday through Saturday" holds it without naming it. A question of nothing but fillers and
grammar ("how much is it") has no words to search for: whatever they found, it would be no answer.
"""

from __future__ import annotations

from voicectl.conversation.questions import Question
from voicectl.conversation.vocabulary import DAYS

MOST = 60
"""Words in one search."""

_ASKED = {"price": ("price", "cost"), "hours": ("hours", "open"), "place": ("address",), "phone": ("phone",)}


def search_terms(question: Question) -> list[str]:
    """At most MOST distinct words; [] only for a question without terms."""
    if not question.terms:
        return []
    said = [term.word for term in question.terms]
    also = [other for term in question.terms for other in term.also]
    if question.days:
        also += [*DAYS, "weekdays", "weekends", "daily"]
    for ask, words in _ASKED.items():
        if ask in question.asks:
            also += words
    return list(dict.fromkeys(said + also))[:MOST]
