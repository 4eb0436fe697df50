"""What is wrong with a knowledge base, as far as can be told without knowing the business.

- An error is what makes callers be told something wrong: documents that contradict each other in a price, in opening
  hours or in a telephone number, or whose validity is over.
- A warning is what somebody should look at: copies, what is out of date, what cannot be read or is too long to be
  listened to, what reads like an order to the reply model.

Documents are compared where the same caller may hear both: in the same language, in the same collection or the common
one, and on the same day. Pure: today is an argument.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Passage
from voicectl.kb.claims import Place, headings, hours, phones, prices, statements, words
from voicectl.kb.duplicates import Twins, twins
from voicectl.kb.instructions import suspicious
from voicectl.kb.readable import too_long, unreadable
from voicectl.kb.stale import past, past_year
from voicectl.ports import StoredDocument

Severity = Literal["error", "warning"]
Kind = Literal["contradiction", "expired", "expiring", "outdated", "duplicate", "unreadable", "too long", "instruction"]

SOON = timedelta(days=14)
OLD = timedelta(days=365)
_FEW = 5
"""A word in so few passages is a rare one, however small the knowledge base."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what to do about it."""

    severity: Severity
    kind: Kind
    source: str
    problem: str
    advice: str
    passage: int | None = None
    """The passage's id; None where the whole document is meant."""
    sentence: str = ""
    other: Place | None = None
    """What it disagrees with, or repeats."""


def check(documents: Sequence[StoredDocument], passages: Sequence[Passage], *, today: date) -> list[Finding]:
    """All findings, errors first, then by document and passage."""
    known = {document.source: document for document in documents}
    found = [
        *_stale_documents(documents, today),
        *_contradictions(passages, known),
        *(finding for passage in passages for finding in _of_one(passage, known.get(passage.source), today)),
    ]
    disagreeing = {(each.passage, each.other.passage) for each in found if each.other is not None}
    found += _duplicates(twins(passages), known, disagreeing)
    return sorted(found, key=lambda each: (each.severity, each.source, each.passage or 0))


def _stale_documents(documents: Iterable[StoredDocument], today: date) -> Iterator[Finding]:
    for document in documents:
        until, read_at = document.valid_until, document.read_at
        if until is not None and until < today:
            yield Finding(
                "error",
                "expired",
                document.source,
                f"valid until {until}, which is past: callers are not told what it says",
                "bring it up to date, or remove it and ingest again",
            )
        elif until is not None and until - today <= SOON:
            yield Finding(
                "warning",
                "expiring",
                document.source,
                f"valid until {until}: from then on callers are not told what it says",
                "get ready what takes its place",
            )
        if read_at is not None and today - read_at.date() > OLD:
            yield Finding(
                "warning",
                "outdated",
                document.source,
                f"last read on {read_at.date()}, more than a year ago",
                "see whether it still holds, and ingest it again",
            )


def _of_one(passage: Passage, document: StoredDocument | None, today: date) -> Iterator[Finding]:
    """What can be told of a passage by itself."""

    def finding(kind: Kind, sentence: str, problem: str, advice: str) -> Finding:
        return Finding("warning", kind, passage.source, problem, advice, passage.id, sentence)

    year = past_year(passage.title, today)
    if year is not None:
        yield finding("outdated", passage.title, f"the heading speaks of {year}", "bring it up to date, or remove it")
    for line in passage.text.splitlines():
        for sentence in sentences(line) if "20" in line else ():
            ended = past(sentence, today)
            if ended is not None:
                yield finding("outdated", sentence, f"it came to an end on {ended}", "take the sentence out")
    if broken := unreadable(passage.text, document.language if document else ""):
        yield finding("unreadable", broken[0], broken[1], "mend the document, or take another format of it")
    elif long := too_long(passage.text):
        yield finding("too long", long[0], long[1], "divide it, with a heading for each question it answers")
    if order := suspicious(f"{passage.title}\n{passage.text}"):
        yield finding(
            "instruction",
            _first_order(passage),
            f"it reads like an order to the reply model: {order}",
            ("make sure you know who wrote it; documents should tell facts to callers"),
        )


def _first_order(passage: Passage) -> str:
    """The sentence that reads like an order."""
    every = (each for line in (passage.title, *passage.text.splitlines()) for each in sentences(line))
    return next((each for each in every if suspicious(each)), passage.text[:200])


def _contradictions(passages: Sequence[Passage], known: dict[str, StoredDocument]) -> Iterator[Finding]:
    costs: list[prices.Price] = []
    times: list[hours.Hours] = []
    numbers: list[phones.Phone] = []
    for passage in passages:
        for statement in statements(passage):
            costs += prices.read(statement)
            times += hours.read(statement)
            numbers += phones.read(statement)
    rare = _Rarity(passages)
    for cost, other_cost in prices.contradict(costs, rare):
        if _heard_together(cost.where, other_cost.where, known):
            yield _disagreement(cost.where, other_cost.where, f"{other_cost.shown} here, {cost.shown} there")
    merged: dict[tuple[Place, int], tuple[Place, list[str]]] = {}
    for time, other_time, days in hours.contradict(times):
        if _heard_together(time.where, other_time.where, known):
            said = f"{other_time.shown} here, {time.shown} there"
            named = hours.named(days)
            of_passage = merged.setdefault((other_time.where, time.where.passage), (time.where, []))
            of_passage[1].append(f"{named}: {said}" if named else said)
    for (where, _), (first, said_of_days) in merged.items():
        yield _disagreement(first, where, "; ".join(said_of_days))
    for number, other_number in phones.contradict(numbers):
        if _heard_together(number.where, other_number.where, known):
            yield _disagreement(number.where, other_number.where, f"{other_number.shown} here, {number.shown} there")


class _Rarity:
    """Whether few passages hold a word in title or text. Counted when first asked for."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._held: Counter[str] = Counter()

    def __call__(self, word: str) -> bool:
        if not self._held:
            for passage in self._passages:
                self._held.update(headings(passage.title) | words(passage.text))
        return self._held[word] <= max(_FEW, len(self._passages) // 10)


def _disagreement(first: Place, second: Place, problem: str) -> Finding:
    advice = "find out which is right, and correct the other"
    return Finding("error", "contradiction", second.source, problem, advice, second.passage, second.sentence, first)


def _duplicates(
    found: Iterable[Twins], known: dict[str, StoredDocument], disagreeing: set[tuple[int | None, int]]
) -> Iterator[Finding]:
    for each in found:
        first, second = each.first, each.second
        here = Place(first.source, first.id, first.text)
        there = Place(second.source, second.id, second.text)
        if (second.id, first.id) in disagreeing or not _heard_together(here, there, known):
            continue
        if any(each.figures):
            # What differs in its figures under other headings is about something else: products of one kind.
            if headings(first.title) == headings(second.title):
                theirs, ours = (" and ".join(figures) or "no figure" for figures in each.figures)
                yield _disagreement(here, there, f"the same passage but for {ours} here, {theirs} there")
            continue
        yield Finding(
            "warning",
            "duplicate",
            second.source,
            f"{'the same' if each.exact else 'nearly the same'} passage stands in {first.source}",
            "keep one of the two: a change will be made in one and forgotten in the other",
            second.id,
            re.sub(r"\s+", " ", second.text)[:200],
            here,
        )


def _heard_together(one: Place, two: Place, known: dict[str, StoredDocument]) -> bool:
    """Whether the same caller may be told what both places say."""
    first, second = known.get(one.source), known.get(two.source)
    if first is None or second is None or first is second:
        return True
    if first.language and second.language and first.language != second.language:
        return False
    if first.collection and second.collection and first.collection != second.collection:
        return False
    latest_start = max(each.valid_from or date.min for each in (first, second))
    first_end = min(each.valid_until or date.max for each in (first, second))
    return latest_start <= first_end
