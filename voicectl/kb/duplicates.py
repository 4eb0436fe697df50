"""Passages that say the same, or nearly, in different documents.

Two passages are nearly the same when they share most runs of three words. Only those that share one of their sketches
are compared: a sketch is the runs with the lowest hashes, so that what is alike has some in common, however many
passages there are (A. Broder, "On the resemblance and containment of documents", 1997). Pure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from voicectl.conversation.turns import Passage

SHORTEST = 8
"""Words; less may well be said twice."""
ALIKE = 0.75
"""Share of all runs of words that both hold."""
_RUN = 3
_SKETCH = 8
_AT_ONCE = 30
"""Passages with the same run looked at: one that stands in more of them is a formula."""

_WORD = re.compile(r"[^\W_]+(?:['.,:-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Twins:
    """Two passages of different documents that say the same."""

    first: Passage
    second: Passage
    figures: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """The numbers that only the one holds, and those that only the other does."""
    exact: bool = True


def twins(passages: Sequence[Passage]) -> Iterator[Twins]:
    """Each passage that repeats an earlier one of another document, with that one."""
    same: dict[tuple[str, ...], Passage] = {}
    near: dict[int, list[int]] = defaultdict(list)
    runs: list[frozenset[int]] = []
    kept: list[Passage] = []
    for passage in passages:
        words = tuple(word.lower() for word in _WORD.findall(passage.text))
        if len(words) < SHORTEST:
            continue
        first = same.setdefault(words, passage)
        if first is not passage:
            if first.source != passage.source:
                yield Twins(first, passage)
            continue
        mine = frozenset(crc32(" ".join(words[at : at + _RUN]).encode()) for at in range(len(words) - _RUN + 1))
        sketch = sorted(mine)[:_SKETCH]
        twin = _nearest(passage, mine, sketch, near, runs, kept)
        if twin is not None:
            yield Twins(twin, passage, _figures(twin.text, passage.text), exact=False)
        for run in sketch:
            if len(near[run]) < _AT_ONCE:
                near[run].append(len(kept))
        runs.append(mine)
        kept.append(passage)


def _nearest(
    passage: Passage,
    mine: frozenset[int],
    sketch: list[int],
    near: dict[int, list[int]],
    runs: list[frozenset[int]],
    kept: list[Passage],
) -> Passage | None:
    best, found = ALIKE, None
    shared = Counter(at for run in sketch for at in near[run])
    for at in sorted(at for at, count in shared.items() if count > 1 or len(sketch) == 1):
        if kept[at].source != passage.source:
            alike = len(mine & runs[at]) / len(mine | runs[at])
            if alike > best or (alike == best and found is None):
                best, found = alike, kept[at]
    return found


def _figures(one: str, two: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    figures = re.compile(r"[$€£]?\d[\d.,:]*\d|[$€£]?\d")
    first, second = figures.findall(one), figures.findall(two)
    return (
        tuple(dict.fromkeys(each for each in first if each not in second)),
        tuple(dict.fromkeys(each for each in second if each not in first)),
    )
