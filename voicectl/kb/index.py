"""Finds passages, and knows when there are none.

Of a small knowledge base every passage is looked at (shelf.py); of a large one the store proposes those that hold any
of the question's words. They are judged by what they hold of it:

    worth(term)      how much English expects of the word (questions.py) times how rare it is among the passages;
                     a word that no passage holds is as rare as can be
    evidence         the share of the question's worth that a passage holds, in title and text: 0..1

A passage whose evidence is thin is dropped, however well it ranks among its like: "do you rent kayaks" finds many
passages about renting and none about kayaks, and the kayak is what was asked for. Ranking adds to the evidence where
the words stand (a title is an answer's own account of itself) and whether the passage holds the kind of thing that was
asked for: a price, a time of day.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import replace

from voicectl.conversation.questions import Ask, Question, bag, read_question, resemblance, share_found
from voicectl.conversation.turns import Passage
from voicectl.kb.query import search_terms
from voicectl.kb.shelf import Shelf, Shelves
from voicectl.ports import KnowledgeStore

CANDIDATES = 30
"""Passages taken from the store by each search, to be judged."""

AT_ONCE = 8
"""Passages judged between two looks at the event loop: a millisecond or two."""

ENOUGH = 0.4
"""Evidence below this is no evidence."""

BEHIND_BEST = 0.6
"""A passage must have this share of the best one's evidence."""

UNSEEN = 20
"""Passages reckoned to be there besides: in a small knowledge base a word that all hold need not be a common one."""

_KINDS: dict[Ask, re.Pattern[str]] = {
    "price": re.compile(r"\$\s?\d|\bfree\b|\bpercent\b"),
    "hours": re.compile(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b|\b[Cc]losed\b|\bnoon\b"),
    "when": re.compile(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b|day\b|\b(after|before|every)\b"),
    "duration": re.compile(r"\b(minutes?|hours?|days?|weeks?|months?|years?)\b"),
    "phone": re.compile(r"\d{3}[-. ]\d{4}"),
}


Judged = tuple[float, Passage]
"""A passage and its evidence."""


class KnowledgeIndex:
    """The Knowledge port over a store of passages."""

    def __init__(self, store: KnowledgeStore) -> None:
        self._store = store
        self._shelves = Shelves(store)

    async def warm_up(self) -> None:
        """Read what the first question should not wait for. Raises StoreError when the database fails."""
        await self._shelves.current()

    async def close(self) -> None:
        """Let go of the store."""
        await self._shelves.close()

    async def search(self, question: str, *, limit: int = 4) -> list[Passage]:
        """Up to `limit` passages that answer the question, or may, best first; `score` is comparable between questions.

        [] when nothing in the documents bears on it. Raises StoreError when the database fails.
        """
        asked = read_question(question)
        if not asked.terms:
            return []
        shelf = await self._shelves.current()
        asked, judged = self._from_shelf(shelf, asked) if shelf is not None else await self._from_store(asked)
        if not judged:
            return []
        bar = max(ENOUGH, BEHIND_BEST * max(evidence for evidence, _ in judged))
        kept = [
            replace(passage, score=round(evidence + _fit(asked, passage), 4))
            for evidence, passage in judged
            if evidence >= bar
        ]
        kept.sort(key=lambda passage: (-passage.score, passage.id))
        return _distinct(kept)[:limit]

    def _from_shelf(self, shelf: Shelf, asked: Question) -> tuple[Question, list[Judged]]:
        asked = _weighed(asked, shelf.held, len(shelf.passages))
        best = sorted(shelf.evidence(asked.terms).items(), key=lambda found: (-found[1], found[0]))[: 2 * CANDIDATES]
        return asked, [(evidence, shelf.passages[place]) for place, evidence in best]

    async def _from_store(self, asked: Question) -> tuple[Question, list[Judged]]:
        said = [term.word for term in asked.terms]
        every = list(dict.fromkeys(word for term in asked.terms for word in (term.word, *term.also)))
        # Searched twice: among many words that answer for it, a word that was said can be outvoted.
        found = await self._store.find([said, search_terms(asked)], every, limit=CANDIDATES)
        asked = _weighed(asked, found.held.__getitem__, found.count)
        judged: list[Judged] = []
        for at, passage in enumerate(found.passages):
            if at % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)  # other calls are talking
            judged.append((share_found(asked.terms, bag(f"{passage.title}\n{passage.text}")), passage))
        return asked, judged


def _weighed(question: Question, held: Callable[[str], int], count: int) -> Question:
    """The question with its terms' worth by how rare they are here."""
    return question.weighed(
        lambda term: term.worth * _rarity(max(held(word) for word in (term.word, *term.also)), count)
    )


def _rarity(held_by: int, count: int) -> float:
    """1.0 for a word in no passage, near 0 for a word in all of many."""
    total = count + UNSEEN
    return math.log(total / (held_by + 0.5)) / math.log(total / 0.5)


def _fit(question: Question, passage: Passage) -> float:
    """What speaks for a passage beyond its evidence."""
    above, _, heading = passage.title.rpartition(" > ")
    fit = 0.6 * resemblance(question, heading, above)
    kinds = [pattern for ask, pattern in _KINDS.items() if ask in question.asks]
    if kinds:
        fit += 0.2 * sum(bool(pattern.search(passage.text)) for pattern in kinds) / len(kinds)
    return fit


def _distinct(passages: list[Passage]) -> list[Passage]:
    """Without passages that say the same as a better one: a copy of a document tells nothing new."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.text, passage)
    return list(first.values())
