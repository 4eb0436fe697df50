"""How well a knowledge base answers a set of questions, in figures.

    R@1, R@3      share of questions for which what was expected is found first, among the first three
    MRR           mean of 1/place of what was expected, 0 where it is not among the first ten
    right         share of questions that are answered, and answered right
    refused       share of the unknown questions to which it says that it does not know
    AUC           chance that a question it has an answer to is trusted more than one it has none to
    kept at 5 %   share of the questions with an answer that pass when the bar is so high that 5 % of the others do

Ranks count what was looked at, also where it was not good enough to be told; `right` counts what a caller is told.
Pure.
"""

from __future__ import annotations

import math
import re
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from voicectl.ports import Retrieval

DEPTH = 10
"""Places looked at."""
FALSE_ANSWERS = 0.05

_FILLERS = ("um", "so yeah", "uh hi", "could you please tell me", "well", "hi um", "okay so", "uh")


class Malformed(ValueError):
    """A file of questions that cannot be understood. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a set."""

    question: str
    expected: tuple[str, ...] = ()
    """Sources, ends of sources or passage ids of which any will do; () when nothing has the answer."""
    say: str = ""
    """Pattern that the answer must match, ignoring case."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    known: tuple[Asked, ...]
    unknown: tuple[Asked, ...] = ()
    documents: tuple[tuple[str, str], ...] = ()
    """Title and text of the documents to be asked, where the set brings its own; its `expected` are their numbers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    asked: Asked
    retrieval: Retrieval
    milliseconds: float | None = None
    """What the search took; None where it does not count, because the same was asked a moment ago."""
    said: str | None = None
    """The answer, where one was wanted."""

    @property
    def rank(self) -> int | None:
        """The place of what was expected, from 1."""
        found = [each.passage for each in self.retrieval.judged] or list(self.retrieval.passages)
        for place, passage in enumerate(found[:DEPTH], 1):
            if any(_is(expected, passage.source, passage.id) for expected in self.asked.expected):
                return place
        return None

    @property
    def refused(self) -> bool:
        return self.retrieval.outcome == "unknown"

    @property
    def right(self) -> bool:
        """An answer was expected and given, of the right source, and in the words it should have."""
        if self.refused or not any(
            _is(expected, each.source, each.id) for expected in self.asked.expected for each in self.retrieval.passages
        ):
            return False
        return self.said is None or re.search(self.asked.say, self.said, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Figures:
    """See the top of this file; None where there was nothing to reckon it from."""

    questions: int
    unknown: int
    r1: float | None
    r3: float | None
    mrr: float | None
    right: float | None
    refused: float | None
    auc: float | None
    kept: float | None
    median_ms: float | None
    p95_ms: float | None
    partial: int
    """Answers for which time ran out."""


def figures(known: Sequence[Outcome], unknown: Sequence[Outcome]) -> Figures:
    """The figures of one way of asking."""
    ranks = [each.rank for each in known]
    times = sorted(each.milliseconds for each in (*known, *unknown) if each.milliseconds is not None)
    if 2 * len(times) < len(known) + len(unknown):
        times = []  # a few are no sample
    trusted = [each.retrieval.confidence for each in known]
    foreign = [each.retrieval.confidence for each in unknown]
    return Figures(
        questions=len(known),
        unknown=len(unknown),
        r1=_share([rank == 1 for rank in ranks]),
        r3=_share([rank is not None and rank <= 3 for rank in ranks]),
        mrr=statistics.fmean(1 / rank if rank else 0.0 for rank in ranks) if ranks else None,
        right=_share([each.right for each in known]),
        refused=_share([each.refused for each in unknown]),
        auc=auc(trusted, foreign),
        kept=kept(trusted, foreign),
        median_ms=statistics.median(times) if times else None,
        p95_ms=times[math.ceil(0.95 * len(times)) - 1] if times else None,
        partial=sum(each.retrieval.partial for each in (*known, *unknown)),
    )


def auc(known: Sequence[float], unknown: Sequence[float]) -> float | None:
    """The chance that one of `known` is greater than one of `unknown`; equals count half (Mann and Whitney, 1947)."""
    if not known or not unknown:
        return None
    lower = sorted(unknown)
    won = sum(bisect_left(lower, each) + bisect_right(lower, each) for each in known) / 2
    return won / (len(known) * len(unknown))


def kept(known: Sequence[float], unknown: Sequence[float], false_answers: float = FALSE_ANSWERS) -> float | None:
    """The share of `known` above a bar that at most this share of `unknown` passes."""
    if not known or not unknown:
        return None
    allowed = int(false_answers * len(unknown) + 1e-9)
    bar = sorted(unknown, reverse=True)[allowed] if allowed < len(unknown) else -math.inf
    return sum(each > bar for each in known) / len(known)


def spoken(question: str) -> str:
    """A question as the telephone delivers it: lower case, no punctuation, a filler or two in front. The same one for
    the same question, always."""
    words = "".join(char if char.isalnum() or char in "'-$%" else " " for char in question.lower()).split()
    number = crc32(question.encode())
    fillers = [_FILLERS[number % len(_FILLERS)]]
    if number // 8 % 2:
        fillers.append(_FILLERS[number // 16 % len(_FILLERS)])
    return " ".join((*dict.fromkeys(fillers), *words))


def sampled(asked: Sequence[Asked], most: int | None) -> tuple[Asked, ...]:
    """At most `most` questions, evenly spread over the set."""
    if most is None or len(asked) <= most:
        return tuple(asked)
    return tuple(asked[at * len(asked) // most] for at in range(most))


def question_set(data: Any) -> QuestionSet:
    """A set from what a YAML or JSON file holds. Raises Malformed.

    Either `known` (each with `ask`, `find` and perhaps `say`) and `unknown` (questions), or `docs` (each with `title`
    and `text`) and `q` (each a question and the numbers of the documents that answer it).
    """
    if not isinstance(data, dict):
        raise Malformed("it must be a mapping with `known` and `unknown`, or with `docs` and `q`")
    if "docs" in data or "q" in data:
        return _with_documents(data)
    strange = sorted(set(map(str, data)) - {"known", "unknown"})
    if strange:
        raise Malformed(f"{strange[0]!r} is neither `known` nor `unknown`")
    known = tuple(_known(at, each) for at, each in enumerate(_list(data, "known"), 1))
    unknown = tuple(_unknown(at, each) for at, each in enumerate(_list(data, "unknown"), 1))
    if not known and not unknown:
        raise Malformed("there are no questions in it")
    return QuestionSet(known, unknown)


def _with_documents(data: dict[Any, Any]) -> QuestionSet:
    documents = []
    for at, each in enumerate(_list(data, "docs")):
        if not isinstance(each, dict) or not isinstance(each.get("text"), str):
            raise Malformed(f"docs {at}: must have `title` and `text`")
        documents.append((str(each.get("title") or ""), each["text"]))
    known = []
    for at, each in enumerate(_list(data, "q")):
        match each:
            case [str(question), [*right]] if all(type(n) is int and 0 <= n < len(documents) for n in right):
                known.append(Asked(question, tuple(f"#{number}" for number in right)))
            case _:
                raise Malformed(f"q {at}: must be a question and the numbers of its documents")
    return QuestionSet(tuple(known), (), tuple(documents))


def _known(at: int, each: Any) -> Asked:
    if not isinstance(each, dict) or not isinstance(each.get("ask"), str):
        raise Malformed(f"known {at}: must have `ask`")
    strange = sorted(set(map(str, each)) - {"ask", "find", "say"})
    if strange:
        raise Malformed(f"known {at}: {strange[0]!r} is none of `ask`, `find` and `say`")
    find = each.get("find")
    expected = tuple(str(one) for one in find) if isinstance(find, list) else (str(find),)
    if not find:
        raise Malformed(f"known {at}: must have `find`, the document or documents that answer it")
    say = str(each.get("say") or "")
    try:
        re.compile(say)
    except re.error as bad:
        raise Malformed(f"known {at}: `say` is no pattern: {bad}") from None
    return Asked(each["ask"], expected, say)


def _unknown(at: int, each: Any) -> Asked:
    question = each.get("ask") if isinstance(each, dict) else each
    if not isinstance(question, str):
        raise Malformed(f"unknown {at}: must be a question")
    return Asked(question)


def _list(data: dict[Any, Any], name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list):
        raise Malformed(f"`{name}` must be a list")
    return value


def _is(expected: str, source: str, passage: int) -> bool:
    """Whether a passage is what was expected: by its id, its source, or the end of its source's path."""
    return expected == source or source.endswith(f"/{expected}") or (expected.isdigit() and int(expected) == passage)


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
