"""Questions that were not answered, put together by what they ask: a list of what to write next.

Questions are alike by their meanings where there are vectors, else by the rare words they share. Each is given to the
cluster whose middle is nearest, the most frequent questions first, or begins one of its own; when all clusters are
known, every question is given once more to the nearest. A cluster is named by the question nearest to its middle. Pure,
and the same for the same questions.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from voicectl.conversation.questions import plain, read_question, without_fillers
from voicectl.kb.claims import canonical
from voicectl.ports import Gap

if TYPE_CHECKING:
    from voicectl.ports import Vector

ALIKE_MEANING = 0.6
"""Cosine of meanings from which two questions ask the same."""
ALIKE_WORDS = 0.45
"""The same of their words."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions that ask the same thing."""

    question: str
    """The most central of them."""
    count: int
    """How often it was asked."""
    calls: int
    """In how many calls."""
    last: datetime
    """When it was asked last."""
    questions: tuple[str, ...]
    """Its different wordings, the most frequent first."""


class _Middles(Protocol):
    """Clusters' middles, and how near questions are to them."""

    def nearest(self, item: int) -> tuple[int, float]:
        """The cluster whose middle is nearest, and how near; (-1, 0.0) when there is none."""

    def add(self, item: int, cluster: int) -> None: ...

    def near(self, item: int, cluster: int) -> float: ...


def wording(question: str) -> str:
    """A question without what makes no difference: fillers, capitals, punctuation."""
    return without_fillers(question) or plain(question).strip()


def cluster(gaps: Sequence[Gap], vectors: Sequence[Vector] | None = None) -> list[Cluster]:
    """What was asked, the most frequent first. `vectors`: the gaps' meanings, in their order, each of length 1."""
    if not gaps:
        return []
    same: dict[str, list[int]] = defaultdict(list)
    for at in sorted(range(len(gaps)), key=lambda at: (len(gaps[at].question), gaps[at].question)):
        same[wording(gaps[at].question)].append(at)
    order = sorted(same.values(), key=lambda members: (-len(members), gaps[members[0]].question))
    weights = [len(members) for members in order]
    space: _Words | _Meanings
    if vectors is None:
        space, alike = _Words([gaps[members[0]].question for members in order], weights), ALIKE_WORDS
    else:
        space, alike = _Meanings([vectors[members[0]] for members in order], weights), ALIKE_MEANING
    groups = _grouped(space, len(order), alike)
    found = [_cluster(gaps, space, [order[at] for at in group], group) for group in groups]
    return sorted(found, key=lambda each: (-each.count, -each.last.timestamp(), each.question))


def _grouped(space: _Words | _Meanings, many: int, alike: float) -> list[list[int]]:
    """Items by cluster."""
    middles = space.middles()
    clusters = 0
    for item in range(many):
        nearest, near = middles.nearest(item)
        if near < alike:
            nearest, clusters = clusters, clusters + 1
        middles.add(item, nearest)
    # What came first shaped the clusters; now that all are known, each goes where it belongs.
    groups: dict[int, list[int]] = defaultdict(list)
    for item in range(many):
        nearest, _ = middles.nearest(item)
        groups[nearest].append(item)
    return list(groups.values())


def _cluster(gaps: Sequence[Gap], space: _Words | _Meanings, members: list[list[int]], items: list[int]) -> Cluster:
    middles = space.middles()
    for item in items:
        middles.add(item, 0)
    best = max(range(len(items)), key=lambda at: (middles.near(items[at], 0), len(members[at]), -at))
    every = [gaps[at] for same in members for at in same]
    questions = [gaps[same[0]].question for same in sorted(members, key=len, reverse=True)]
    return Cluster(
        question=gaps[members[best][0]].question,
        count=len(every),
        calls=len({gap.call_sid for gap in every}),
        last=max(gap.at for gap in every),
        questions=tuple(questions),
    )


class _Meanings:
    """Questions as vectors."""

    def __init__(self, vectors: Sequence[Vector], weights: Sequence[int]) -> None:
        import numpy as np

        self.np = np
        self.vectors = np.array(vectors, dtype=np.float32).reshape(len(vectors), -1)
        self.weights = weights

    def middles(self) -> _Middles:
        return _MeaningMiddles(self)


class _MeaningMiddles:
    def __init__(self, space: _Meanings) -> None:
        self._space = space
        self._sums = space.np.zeros((16, space.vectors.shape[1]), dtype=space.np.float32)
        self._units = self._sums.copy()
        self._count = 0

    def nearest(self, item: int) -> tuple[int, float]:
        if not self._count:
            return -1, 0.0
        near = self._units[: self._count] @ self._space.vectors[item]
        best = int(near.argmax())
        return best, float(near[best])

    def add(self, item: int, cluster: int) -> None:
        np = self._space.np
        if cluster >= len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._units = np.concatenate([self._units, np.zeros_like(self._units)])
        self._sums[cluster] += self._space.vectors[item] * self._space.weights[item]
        self._units[cluster] = self._sums[cluster] / (np.linalg.norm(self._sums[cluster]) or 1.0)
        self._count = max(self._count, cluster + 1)

    def near(self, item: int, cluster: int) -> float:
        return float(self._units[cluster] @ self._space.vectors[item])


class _Words:
    """Questions as their words, the rare ones counting for more."""

    def __init__(self, questions: Sequence[str], weights: Sequence[int]) -> None:
        bags = [
            {canonical(term.word): term.worth for term in read_question(question).terms} or {wording(question): 1.0}
            for question in questions
        ]
        held = Counter(word for bag in bags for word in bag)
        self.vectors = [
            _unit({word: worth * math.log(1 + len(bags) / held[word]) for word, worth in bag.items()}) for bag in bags
        ]
        self.weights = weights

    def middles(self) -> _Middles:
        return _WordMiddles(self)


class _WordMiddles:
    def __init__(self, space: _Words) -> None:
        self._space = space
        self._sums: list[dict[str, float]] = []
        self._norms: list[float] = []
        self._holding: dict[str, set[int]] = defaultdict(set)

    def nearest(self, item: int) -> tuple[int, float]:
        candidates = {cluster for word in self._space.vectors[item] for cluster in self._holding[word]}
        found = [(self.near(item, cluster), -cluster) for cluster in candidates]
        if not found:
            return -1, 0.0
        near, cluster = max(found)
        return -cluster, near

    def add(self, item: int, cluster: int) -> None:
        if cluster == len(self._sums):
            self._sums.append({})
            self._norms.append(0.0)
        total = self._sums[cluster]
        for word, worth in self._space.vectors[item].items():
            total[word] = total.get(word, 0.0) + worth * self._space.weights[item]
            self._holding[word].add(cluster)
        self._norms[cluster] = math.sqrt(sum(worth * worth for worth in total.values()))

    def near(self, item: int, cluster: int) -> float:
        total = self._sums[cluster]
        product = sum(worth * total.get(word, 0.0) for word, worth in self._space.vectors[item].items())
        return product / (self._norms[cluster] or 1.0)


def _unit(vector: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(worth * worth for worth in vector.values())) or 1.0
    return {word: worth / length for word, worth in vector.items()}
