"""Finds passages, and knows when there are none.

A passage is judged in two ways, each blind where the other sees:

    words       the share of the question's worth that a passage holds, in title and text: 0..1. Worth is how much
                English expects of a word (questions.py) times how rare it is among the passages.
    meaning     the cosine of the question's meaning and the passage's, or its title's, whichever is nearer

and ranked by their sum, to which words that are common add little:

    score = meaning + WORDS * words(worth squared)^2 * information

where information is what the question's words can tell at all: total / (1 + total) of their worth squared. "Linear
beats rank fusion" (measured; a rank forgets how near), and both figures mean the same for every question, so nothing
is stretched to fit the candidates of one.

    confidence = (meaning + EVIDENCE * words - UNSEEN * unseen) / (1 + EVIDENCE)

where unseen is the share of worth that stands in no passage at all.

"Do you rent kayaks" comes near to everything about renting; that no document has ever heard of kayaks is what tells.
Below the knowledge base's threshold (calibration.py) there is no answer. Without an embedder, or when it is not done
in time, words have to do: evidence, plus what stands in headings and whether the kind of thing asked for is there.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.leaning import leans_back
from voicectl.conversation.questions import (
    Ask,
    Question,
    Term,
    bag,
    read_question,
    resemblance,
    share_found,
    to_the_point,
)
from voicectl.conversation.turns import Passage
from voicectl.errors import ServiceError
from voicectl.kb.clarifying import choices
from voicectl.kb.following import Following
from voicectl.kb.query import search_terms
from voicectl.kb.shelf import Shelf, Where, top
from voicectl.ports import Embedder, Inquiry, Judgement, KnowledgeStore, Outcome, Retrieval, Rewriter, VectorStore

if TYPE_CHECKING:
    from voicectl.ports import Vector

CANDIDATES = 30
"""Passages taken by each way of judging."""

WORDS = 0.2
EVIDENCE = 0.3
UNSEEN = 0.2
"""Weights; see the top of this file."""

LOOKED_INTO = 15
"""Passages whose text is read before they are ranked."""

KIND = 0.06
"""For holding the kind of thing that was asked for: a price, a time of day."""

RECENT = 0.03
"""For having been found a moment ago, where the question leans on that."""

WITHIN = 0.2
"""A passage must come as near as this to the best."""

THRESHOLD = 0.31
"""Confidence below this is no answer, where nothing was calibrated. For words alone: ENOUGH."""

ENOUGH = 0.4
BEHIND_BEST = 0.6
"""By words alone: evidence below this is no evidence, and a passage must have this share of the best one's."""

UNSEEN_PASSAGES = 20
"""Passages reckoned to be there besides: in a small knowledge base a word that all hold need not be a common one."""

BUDGET_SECONDS = 0.02
SERVICE_BUDGET = 0.25
"""For the embedder to answer a caller who waits: one in this process, and one that is a round trip away."""

INLINE = 2_000
"""Passages whose meanings are compared without a thread: a millisecond or two."""

LONGEST = 80
"""Words of a question that are looked up, from its end: who says more has come to the point last."""

AT_ONCE = 8
"""Passages of the database judged between two looks at the event loop."""

_KINDS: dict[Ask, re.Pattern[str]] = {
    "price": re.compile(r"[$€£]\s?\d|\bfree\b|\bpercent\b"),
    "hours": re.compile(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b|\b[Cc]losed\b|\bnoon\b"),
    "when": re.compile(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b|day\b|\b(after|before|every)\b"),
    "duration": re.compile(r"\b(minutes?|hours?|days?|weeks?|months?|years?)\b"),
    "phone": re.compile(r"\d{3}[-. ]\d{4}"),
}


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate, its score for ranking and how sure it makes us."""

    passage: Passage
    score: float
    confidence: float
    words: float
    meaning: float | None = None


class KnowledgeIndex:
    """The Knowledge port over a store of passages."""

    def __init__(
        self,
        store: KnowledgeStore,
        *,
        vectors: VectorStore | None = None,
        embedder: Embedder | None = None,
        rewriter: Rewriter | None = None,
        today: Callable[[], date] | None = None,
        budget: float = BUDGET_SECONDS,
        threshold: float | None = None,
        clarify: bool = True,
    ) -> None:
        """`embedder`, whose meanings are kept in `vectors`: without, words alone are compared. `rewriter` makes
        questions whole that lean on the conversation; without, rules do. `today`: the day by which documents are
        valid. `budget`: seconds the embedder has. `threshold`: confidence that takes the place of the calibrated
        one. `clarify`: ask back at all.
        """
        self._store = store
        self._embedder = embedder if vectors is not None else None
        self._name = self._embedder.name if self._embedder else ""
        self._following = Following(store, vectors if self._embedder else None, self._name)
        self._rewriter = rewriter
        self._today = today
        self._budget = budget
        self._threshold = threshold
        self._clarify = clarify

    async def warm_up(self) -> None:
        """Read what the first question should not wait for. Raises StoreError when the database fails."""
        await self._following.current()
        if self._embedder is not None:
            await self._embedder.warm_up()

    async def close(self) -> None:
        """Let go of the store."""
        await self._following.close()

    async def shelf(self) -> Shelf | None:
        """What this process holds; None when the knowledge base is too large. Raises StoreError."""
        return await self._following.current()

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        """See ports.Knowledge. `score` of the passages is comparable between questions."""
        leans = _leans(inquiry)
        if leans and self._rewriter is not None and not inquiry.early:
            text = await self._rewriter.standalone(inquiry.lines)
        else:
            text = standalone_question(inquiry.lines)
        text = " ".join(text.split()[-LONGEST:])
        asked = read_question(text)
        shelf = await self._following.current()
        if not (asked.terms or asked.asks):
            return Retrieval("unknown", question=text, threshold=self._bar(shelf, meant=self._embedder is not None))
        where = Where(
            inquiry.language.partition("-")[0].lower(), inquiry.collections, self._today() if self._today else None
        )
        if shelf is None:
            asked, judged, meant = *await self._from_store(asked, where), False
        else:
            vector = await self._meaning(text, shelf, early=inquiry.early)
            recent = frozenset(passage.id for passage in inquiry.recent) if leans else frozenset()
            meant = vector is not None
            if vector is not None and len(shelf.passages) <= INLINE:
                asked, judged = _judge(shelf, asked, where, vector, recent)
            else:
                loop = asyncio.get_running_loop()
                asked, judged = await loop.run_in_executor(None, _judge, shelf, asked, where, vector, recent)
        partial = not meant and self._embedder is not None and shelf is not None and shelf.meanings is not None
        return self._outcome(text, asked, judged, self._bar(shelf, meant=meant), limit, meant=meant, partial=partial)

    async def _meaning(self, text: str, shelf: Shelf, *, early: bool) -> Vector | None:
        """The question's meaning; None when there is none to be had in time. Who is early has time."""
        if self._embedder is None or shelf.meanings is None:
            return None
        try:
            async with asyncio.timeout(None if early else self._budget):
                vector = await self._embedder.question(to_the_point(text), early=early)
        except (TimeoutError, ServiceError):
            return None
        return vector if len(vector) == shelf.meanings.texts.shape[1] else None

    def _bar(self, shelf: Shelf | None, *, meant: bool) -> float:
        if self._threshold is not None and (meant or self._embedder is None):
            return self._threshold
        if not meant:
            return ENOUGH
        calibration = shelf.calibrations.get(self._name) if shelf is not None else None
        return calibration.threshold if calibration is not None else THRESHOLD

    def _outcome(
        self, text: str, asked: Question, judged: list[_Judged], bar: float, limit: int, *, meant: bool, partial: bool
    ) -> Retrieval:
        judged.sort(key=lambda each: (-each.score, each.passage.id))
        confidence = max((each.confidence for each in judged[:limit]), default=0.0)
        if meant:
            kept = [
                each for each in judged if each.score >= judged[0].score - WITHIN and each.confidence >= bar - WITHIN
            ]
        else:
            best = max((each.words for each in judged), default=0.0)
            kept = [each for each in judged if each.words >= max(bar, BEHIND_BEST * best)]
        outcome: Outcome = "answer" if kept and confidence >= bar else "unknown"
        found = [replace(each.passage, score=round(each.score, 4)) for each in kept] if outcome == "answer" else []
        passages = tuple(_distinct(found)[:limit])
        asking = choices(asked, passages) if outcome == "answer" and self._clarify else ()
        if not asked.terms and not asking:  # "how much is it": whatever is found, it would be no answer
            outcome, passages = "unknown", ()
        return Retrieval(
            "clarify" if asking else outcome,
            passages,
            asking,
            text,
            tuple(
                Judgement(replace(each.passage, score=round(each.score, 4)), each.words, each.meaning)
                for each in judged[: max(limit, 10)]
            ),
            confidence,
            bar,
            partial,
        )

    async def _from_store(self, asked: Question, where: Where) -> tuple[Question, list[_Judged]]:
        said = [term.word for term in asked.terms]
        every = list(dict.fromkeys(word for term in asked.terms for word in (term.word, *term.also)))
        # Searched twice: among many words that answer for it, a word that was said can be outvoted.
        found = await self._store.find([said, search_terms(asked)], every, limit=CANDIDATES)
        asked = _weighed(asked, found.held.__getitem__, found.count)
        judged: list[_Judged] = []
        for at, passage in enumerate(found.passages):
            if at % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)  # other calls are talking
            scope = self._following.scopes.get(passage.source)
            if scope is None or not where.admits(scope) or scope.language not in ("", where.language or scope.language):
                continue
            held = share_found(asked.terms, bag(f"{passage.title}\n{passage.text}"))
            judged.append(_Judged(passage, held + _fit(asked, passage), held, held))
        return asked, judged


def _judge(
    shelf: Shelf, asked: Question, where: Where, vector: Vector | None, recent: frozenset[int]
) -> tuple[Question, list[_Judged]]:
    """The best passages of a shelf, and the question with the worth of its words by how rare they are here."""
    asked = _weighed(asked, shelf.words.held, len(shelf.passages))
    evidence, squared = shelf.words.evidence(asked.terms)
    mask = shelf.admitted(where)
    if mask is not None:
        evidence = np.where(mask, evidence, 0)
        squared = np.where(mask, squared, 0)
    hold = np.flatnonzero(evidence)
    places = {int(place) for place in hold[top(evidence[hold], CANDIDATES)]}
    if vector is None or shelf.meanings is None:
        return asked, [
            _Judged(passage, share + _fit(asked, passage), share, share)
            for place in places
            for passage, share in ((shelf.passages[place], float(evidence[place])),)
        ]
    places.update(int(place) for place in shelf.meanings.nearest(vector, CANDIDATES, mask))
    chosen = np.asarray(sorted(places), dtype=np.int32)
    held = evidence[chosen]
    # What is reckoned later is judged by its words until then.
    near = np.where(shelf.meanings.meant[chosen], shelf.meanings.cosines(vector, chosen), held)
    total = sum(term.worth for term in asked.terms)
    tells = sum(term.worth**2 for term in asked.terms)
    unseen = sum(term.worth for term in asked.terms if not _seen(shelf, term)) / total if total else 0.0
    scores = near + WORDS * squared[chosen] ** 2 * tells / (1 + tells)
    confidences = np.clip((near + EVIDENCE * held - UNSEEN * unseen) / (1 + EVIDENCE), 0, 1)
    judged = []
    for at in np.argsort(-scores, kind="stable")[:LOOKED_INTO].tolist():
        passage = shelf.passages[chosen[at]]
        score = float(scores[at]) + KIND * _kinds(asked, passage) + RECENT * (passage.id in recent)
        judged.append(_Judged(passage, score, float(confidences[at]), float(held[at]), float(near[at])))
    return asked, judged


def assess(shelf: Shelf, text: str, vector: Vector) -> float:
    """How sure a shelf is that it holds an answer to a question of this meaning."""
    _, judged = _judge(shelf, read_question(text), Where(), vector, frozenset())
    judged.sort(key=lambda each: -each.score)
    return max((each.confidence for each in judged[:4]), default=0.0)


def _seen(shelf: Shelf, term: Term) -> bool:
    return any(shelf.words.held(word) for word in (term.word, *term.also))


def _leans(inquiry: Inquiry) -> bool:
    if not any(line.role == "agent" for line in inquiry.lines):
        return False
    return leans_back(next((line.text for line in reversed(inquiry.lines) if line.role == "caller"), ""))


def _weighed(question: Question, held: Callable[[str], int], count: int) -> Question:
    """The question with its terms' worth by how rare they are here."""
    return question.weighed(
        lambda term: term.worth * _rarity(max(held(word) for word in (term.word, *term.also)), count)
    )


def _rarity(held_by: int, count: int) -> float:
    """1.0 for a word in no passage, near 0 for a word in all of many."""
    total = count + UNSEEN_PASSAGES
    return math.log(total / (held_by + 0.5)) / math.log(total / 0.5)


def _fit(question: Question, passage: Passage) -> float:
    """What speaks for a passage beyond its evidence, where words are all there is."""
    above, _, heading = passage.title.rpartition(" > ")
    return 0.6 * resemblance(question, heading, above) + 0.2 * _kinds(question, passage)


def _kinds(question: Question, passage: Passage) -> float:
    """How many of the kinds of thing that were asked for a passage holds: 0..1."""
    kinds = [pattern for ask, pattern in _KINDS.items() if ask in question.asks]
    return sum(bool(pattern.search(passage.text)) for pattern in kinds) / len(kinds) if kinds else 0.0


def _distinct(passages: list[Passage]) -> list[Passage]:
    """Without passages that say the same as a better one: a copy of a document tells nothing new."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.text, passage)
    return list(first.values())
