"""A knowledge base as a process holds it: every passage, where each stem stands, and what each passage means.

Asking the database takes milliseconds of a pause in which a caller waits, and ranks differently on SQLite and on
PostgreSQL; arrays in memory take a tenth of that and rank alike. 10,000 passages of 100 words take about 45 MB. A shelf
never changes: a new one is made of the old one and of what is new, in a thread, while the old one answers.
"""

from __future__ import annotations

import copy
import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from voicectl.conversation.questions import ALIKE_COUNTS, Term, stem, stems
from voicectl.conversation.turns import Passage
from voicectl.ports import Calibration, Contents, Scope, ShelvedPassage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicectl.ports import Vector

    Floats = NDArray[np.float32]
    Places = NDArray[np.int32]

MANY = 5_000
"""Passages from which on a sketch of each is compared first."""
SKETCH = 64
"""Numbers of a sketch."""
SHORTLIST = 20
"""So many times as many passages as are wanted are compared by all numbers."""
_SAMPLE = 5_000
_BLOCK = 16


def digest(text: str) -> str:
    """By which the meaning of a text is stored."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def meant(passage: Passage) -> tuple[str, str]:
    """The two texts whose meanings stand for a passage: a title says what it answers, the whole what it holds."""
    return passage.title, f"{passage.title}\n{passage.text}"


def packed(vector: Vector) -> bytes:
    """A vector as it is stored: numbers of 16 bits, the lowest byte first."""
    return vector.astype("<f2").tobytes()


def unpacked(stored: bytes) -> Vector:
    """A vector as it is compared: numbers of 32 bits, which are multiplied much quicker."""
    return np.frombuffer(stored, dtype="<f2").astype(np.float32)


class Words:
    """Where each stem stands."""

    def __init__(self, held: Sequence[str]) -> None:
        """`held`: for each passage its stems, separated by spaces."""
        self._numbers: dict[str, int] = {}
        number = self._numbers.setdefault
        flat, lengths = array("i"), array("i")  # turning one long list into an array would hold the interpreter
        for text in held:
            each = [number(word, len(self._numbers)) for word in text.split()]
            flat.extend(each)
            lengths.append(len(each))
        of_stem = np.frombuffer(flat, dtype=np.int32) if flat else np.empty(0, dtype=np.int32)
        order = np.argsort(of_stem, kind="stable")
        places = np.repeat(np.arange(len(held), dtype=np.int32), np.asarray(lengths, dtype=np.int64))
        self._places: Places = places[order]
        self._starts = np.searchsorted(of_stem[order], np.arange(len(self._numbers) + 1))
        self._count = len(held)

    def places(self, word: str) -> Places:
        """The passages in which a word stands."""
        number = self._numbers.get(stem(word))
        if number is None:
            return self._places[:0]
        return self._places[self._starts[number] : self._starts[number + 1]]

    def held(self, word: str) -> int:
        """In how many passages a word stands."""
        return len(self.places(word))

    def evidence(self, terms: Iterable[Term]) -> tuple[Floats, Floats]:
        """For each passage, the share of the terms' worth that it holds, and the same of their worth squared: there
        the rare words count for even more."""
        plain = np.zeros(self._count, dtype=np.float32)
        squared = np.zeros(self._count, dtype=np.float32)
        total = total_squared = 0.0
        for term in terms:
            total += term.worth
            total_squared += term.worth**2
            said = self.places(term.word)
            found = said
            if term.also:
                alike = np.zeros(self._count, dtype=np.float32)
                for other in term.also:
                    alike[self.places(other)] = ALIKE_COUNTS
                alike[said] = 1.0
                plain += np.float32(term.worth) * alike
                squared += np.float32(term.worth**2) * alike
                continue
            plain[found] += np.float32(term.worth)
            squared[found] += np.float32(term.worth**2)
        if total:
            plain /= np.float32(total)
            squared /= np.float32(total_squared)
        return plain, squared


def top(figures: Floats, count: int) -> Places:
    """The places of the greatest figures, in any order. Most blocks of a long row have none of them: those are not
    looked into."""
    length = len(figures)
    if length <= count:
        return np.arange(length, dtype=np.int32)
    if length > _BLOCK * count * 4:
        whole = length - length % _BLOCK
        best = figures[:whole].reshape(-1, _BLOCK).max(axis=1)
        blocks = np.argpartition(best, -count)[-count:]
        places = (blocks[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
        places = np.concatenate([places, np.arange(whole, length)])
    else:
        places = np.arange(length)
    chosen = np.argpartition(figures[places], -count)[-count:]
    return places[chosen].astype(np.int32)


class Meanings:
    """What each passage means. Titles that several passages share are compared once.

    Many passages are compared twice: all of them by the SKETCH numbers that tell most of them apart (their principal
    components), then the best of those by all numbers. Reading 300 MB for a question would take 30 ms.
    """

    def __init__(self, titles: Floats, of_title: Places, texts: Floats, meant: NDArray[np.bool_]) -> None:
        """`meant`: for each passage whether its meaning has been reckoned."""
        self.titles, self.of_title, self.texts, self.meant = titles, of_title, texts, meant
        self._axes: Floats | None = None
        if len(texts) > MANY:
            sample = texts[:: max(1, len(texts) // _SAMPLE)]
            _, axes = np.linalg.eigh(sample.T @ sample)
            self._axes = np.ascontiguousarray(axes[:, -SKETCH:].T, dtype=np.float32)
            self._titles_sketched = titles @ self._axes.T
            self._texts_sketched = texts @ self._axes.T

    def cosines(self, question: Vector, places: Places | None = None) -> Floats:
        """How near the title or the text of each passage, or of those in `places`, comes to the question: the nearer
        of the two."""
        if places is None:
            return np.maximum(self.texts @ question, (self.titles @ question)[self.of_title])  # type: ignore[no-any-return]
        heads = self.titles[self.of_title[places]] @ question
        return np.maximum(self.texts[places] @ question, heads)  # type: ignore[no-any-return]

    def nearest(self, question: Vector, count: int, admitted: NDArray[np.bool_] | None = None) -> Places:
        """The places of the `count` passages that come nearest, among those that are admitted."""
        if self._axes is None:
            figures = self.cosines(question)
        else:
            sketch = self._axes @ question
            figures = np.maximum(self._texts_sketched @ sketch, (self._titles_sketched @ sketch)[self.of_title])
        if admitted is not None:
            figures = np.where(admitted, figures, -np.inf)
        places = top(figures, count if self._axes is None else SHORTLIST * count)
        places = places[figures[places] > -np.inf]
        if self._axes is None:
            return places
        return places[top(self.cosines(question, places), count)]


@dataclass(frozen=True, slots=True)
class Where:
    """Which documents a search may look at."""

    language: str = ""
    """Primary subtag; "": any."""
    collections: tuple[str, ...] = ()
    today: date | None = None

    def admits(self, scope: Scope) -> bool:
        """Whether a document may be looked at; its language apart, which is a matter of what else there is."""
        if self.collections and scope.collection and scope.collection not in self.collections:
            return False
        if self.today is None:
            return True
        begun = scope.valid_from is None or scope.valid_from <= self.today
        return begun and (scope.valid_until is None or self.today <= scope.valid_until)


class Shelf:
    """See the top of this file."""

    def __init__(
        self,
        version: int,
        scopes: Sequence[Scope],
        shelved: Sequence[ShelvedPassage],
        vectors: Mapping[str, bytes] | None = None,
        calibrations: Mapping[str, Calibration] | None = None,
        before: Shelf | None = None,
    ) -> None:
        """`vectors`: by digest; None where meanings are not compared. `before`: a shelf whose meanings are taken over.
        For a thread: 100,000 passages take seconds."""
        self.version = version
        self.calibrations = dict(calibrations or {})
        self.scopes = {scope.id: scope for scope in scopes}
        self.shelved = list(shelved)
        self.passages = [each.passage for each in self.shelved]
        self.place = {passage.id: place for place, passage in enumerate(self.passages)}
        self.words = Words([each.stems or " ".join(stems("\n".join(meant(each.passage)))) for each in self.shelved])
        self._documents = np.asarray([each.document for each in self.shelved], dtype=np.int64)
        self._admitted: dict[Where, NDArray[np.bool_]] = {}
        self.meanings = None if vectors is None else self._meanings(vectors, before)

    @property
    def documents(self) -> dict[int, int]:
        """Version of each document, by its id."""
        return {scope.id: scope.version for scope in self.scopes.values()}

    @property
    def without_meaning(self) -> list[Passage]:
        """Passages whose meaning has not been reckoned; all where none has."""
        if self.meanings is None:
            return self.passages
        return [self.passages[place] for place in np.flatnonzero(~self.meanings.meant)]

    def grown(self, contents: Contents, vectors: Mapping[str, bytes] | None) -> Shelf:
        """The shelf of newer contents, which lack the passages that are here already. `vectors`: of the new ones, and
        of those that had none."""
        if tuple(self.scopes.values()) == contents.scopes and not contents.passages and not vectors:
            same = copy.copy(self)
            same.version, same.calibrations = contents.version, dict(contents.calibrations)
            return same
        known = self.documents
        stay = {scope.id for scope in contents.scopes if known.get(scope.id) == scope.version}
        shelved = [each for each in self.shelved if each.document in stay] + list(contents.passages)
        shelved.sort(key=lambda each: each.passage.id)
        return Shelf(contents.version, contents.scopes, shelved, vectors, contents.calibrations, self)

    def admitted(self, where: Where) -> NDArray[np.bool_] | None:
        """For each passage whether a search may find it; None when it may find all.

        Documents in another language than the caller's are passed over where there are some in the caller's.
        """
        if where not in self._admitted:
            scopes = [scope for scope in self.scopes.values() if where.admits(scope)]
            if where.language and any(scope.language == where.language for scope in scopes):
                scopes = [scope for scope in scopes if scope.language in ("", where.language)]
            if len(self._admitted) > 100:
                self._admitted.clear()
            wanted = np.asarray([scope.id for scope in scopes], dtype=np.int64)
            self._admitted[where] = np.isin(self._documents, wanted)
        mask = self._admitted[where]
        return None if mask.all() else mask

    def _meanings(self, vectors: Mapping[str, bytes], before: Shelf | None) -> Meanings | None:
        """From `vectors` first, for they are newer; a vector of another size than the others is none."""
        old = before.meanings if before else None
        size = old.texts.shape[1] if old else len(next(iter(vectors.values()), b"")) // 2
        if not size or not self.passages:
            return None
        numbers: dict[str, int] = {}
        of_title = [numbers.setdefault(passage.title, len(numbers)) for passage in self.passages]
        texts = np.zeros((len(self.passages), size), dtype=np.float32)
        titles = np.zeros((len(numbers), size), dtype=np.float32)
        meant_at = np.zeros(len(self.passages), dtype=np.bool_)
        titled: set[int] = set()
        for place, (passage, number) in enumerate(zip(self.passages, of_title, strict=True)):
            was = before.place.get(passage.id) if before and old else None
            if before and old and was is not None and old.meant[was]:
                texts[place] = old.texts[was]
                meant_at[place] = True
                if number not in titled:
                    titles[number] = old.titles[old.of_title[was]]
            else:
                head, whole = (vectors.get(digest(text)) for text in meant(passage))
                if whole is not None and len(whole) == 2 * size:
                    texts[place] = np.frombuffer(whole, dtype="<f2")
                    meant_at[place] = True
                if head is not None and len(head) == 2 * size and number not in titled:
                    titles[number] = np.frombuffer(head, dtype="<f2")
            titled.add(number)
        return Meanings(titles, np.asarray(of_title, dtype=np.int32), texts, meant_at)
