"""Which of two things does the caller mean?

Asked only where it costs less than guessing: the question names nothing of its own ("how long does it take", "what
does that cost"), it wants one kind of answer, and the passages that could give it stand under different headings and
come equally near. The choices are those headings, as they can be said aloud.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicectl.conversation.questions import Question
from voicectl.conversation.turns import Passage

EQUAL = 0.03
"""Scores no further apart than this are equal."""
MOST = 3
LONGEST = 4
"""Words of a choice; a longer heading is no name for a thing."""
_SAYABLE = re.compile(r"[^\W_][\w '&-]{1,39}")
"""What a name may look like. It is said aloud, and told to the model as a thing, not as a document's text."""

_ASKABLE = frozenset({"price", "hours", "when", "duration", "place", "phone"})
_NO_NAME = re.compile(r"[?!:]|^(how|what|when|where|who|why|is|are|do|does|can|our|your|general|overview|faq)\b", re.I)


def choices(question: Question, passages: Sequence[Passage]) -> tuple[str, ...]:
    """Two or three things the caller may mean, best first; () where the question is clear, or nothing tells them
    apart."""
    if not question.asks & _ASKABLE or any(term.worth >= 0.3 for term in question.terms):
        return ()
    near = [passage for passage in passages if passage.score >= passages[0].score - EQUAL]
    names = list(dict.fromkeys(_name(passage.title) for passage in near))
    return tuple(names) if 2 <= len(names) <= MOST and all(names) else ()


def _name(title: str) -> str:
    """What a passage is about, for the ear; "" where its headings do not say it in a few words."""
    for heading in reversed(title.split(" > ")):
        words = heading.strip().rstrip(".").split()
        if 0 < len(words) <= LONGEST and _SAYABLE.fullmatch(" ".join(words)) and not _NO_NAME.search(heading):
            return " ".join(words) if heading.isupper() else " ".join([words[0][:1].lower() + words[0][1:], *words[1:]])
    return ""
