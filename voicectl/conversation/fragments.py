"""A fragment put in the place of the part of a question that it is like.

    are you open on saturday           + on sundays           are you open on sundays
    how much is the lighthouse tour    + the harbor one       how much is the harbor tour
    how much is a road bike            + the e-bike           how much is the e-bike
    do you rent kids bikes             + a trailer            do you rent kids bikes a trailer

The last line is what becomes of a fragment that is like no part, or of one that holds more than one part: it is added.
Grammar is not known here, only how parts begin ("on", "for", "the", "my") and that they end where the next one does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voicectl.conversation.questions import days_in, stem
from voicectl.conversation.vocabulary import ARTICLES, COMMON, NUMBERS, PLACES, RELATIONAL, STOP

_ONE = ("one", "ones")


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a question: "for a week", "the harbor tour"."""

    begin: int
    end: int
    place: str
    article: str
    words: tuple[str, ...]

    @property
    def noun(self) -> int:
        """Which of its words the others describe, as near as can be told: the last one that is no common word."""
        rare = [at for at, word in enumerate(self.words) if word not in COMMON and word not in RELATIONAL]
        return rare[-1] if rare else len(self.words) - 1

    @property
    def kind(self) -> str:
        """What a mountain bike and an e-bike have in common."""
        return stem(self.words[self.noun].rpartition("-")[2])

    @property
    def day(self) -> bool:
        return bool(days_in(" ".join(self.words)))


def put_into(question: str, fragment: str, *, corrects: bool) -> str:
    """A question, both in plain words, with the fragment in it. A correction that is like no part replaces the last."""
    words, said = question.split(), fragment.split()
    short = bool(said) and said[-1] in _ONE
    if short:
        said = said[:-1]
    parts = _parts(said)
    if len(parts) != 1 or parts[0].end - parts[0].begin != len(said):
        return ", ".join(filter(None, (question, " ".join(said))))
    (new,) = parts
    if not short and all(word in RELATIONAL for word in new.words):  # "the price" is what is asked of a thing
        return ", ".join(filter(None, (question, " ".join(said))))
    short = short or all(word in NUMBERS or word.isdigit() for word in new.words)
    old = _like(new, _parts(words), short=short, corrects=corrects)
    if old is None:
        return ", ".join(filter(None, (question, " ".join(said))))
    kept = old.words[old.noun :] if short else tuple(word for word in old.words[old.noun + 1 :] if word in RELATIONAL)
    begin = (new.place or old.place, new.article or (old.article if short else ""))
    return " ".join([*words[: old.begin], *filter(None, begin), *new.words, *kept, *words[old.end :]])


def _parts(words: Sequence[str]) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    while at < len(words):
        begin, place, article = at, "", ""
        if words[at] in PLACES:
            place, at = words[at], at + 1
        if at < len(words) and words[at] in ARTICLES:
            article, at = words[at], at + 1
        first = at
        while at < len(words) and words[at] not in STOP | PLACES | ARTICLES and words[at] not in _ONE:
            at += 1
        if at > first:
            parts.append(_Part(begin, at, place, article, tuple(words[first:at])))
        elif at == begin:
            at += 1
    return parts


def _like(new: _Part, parts: Sequence[_Part], *, short: bool, corrects: bool) -> _Part | None:
    """The part that a fragment is like, the last one of several. `short`: it leaves its noun to that part."""

    def last(fits: Callable[[_Part], bool]) -> _Part | None:
        return next((part for part in reversed(parts) if fits(part)), None)

    if new.day and (day := last(lambda part: part.day)) is not None:
        return day
    if new.place:
        return last(lambda part: part.place == new.place) if new.place != "to" else None
    single = len(new.words) == 1
    found = last(lambda part: part.kind == new.kind) or last(
        lambda part: (
            part.article != "" and not part.place and (short or new.article != "" or (single and len(part.words) == 1))
        )
    )
    if found is None and (short or corrects):
        return last(lambda part: not all(word in RELATIONAL for word in part.words))  # "what do you charge" has none
    return found
