"""What of a passage is worth saying to a question.

A passage is taken apart once into what can be said by itself: sentences, the items of a list, the rows of a table. An
excerpt then leaves out what has nothing to do with the question, so that a reply model reads less before its first
word. What it needs must never be missing, so that a passage stays whole

- when it is short, or asked for as a whole ("the cheapest", "all of them", "the difference"), or
- when a word of the question stands in none of the passages found: then meaning found them, and words cannot tell
  their parts apart.

Rows are left out where others hold more of the question; what they were called is still told, for the model to offer.
Sentences are left out that hold no word of the question and not the kind of thing that was asked for, and stand next to
none that does. Lists stay: a step left out of five is worse than five steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from voicectl.conversation.questions import Ask, Question, Term, bag, plain
from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Passage

SHORT = 240
"""Characters; a shorter text is never cut."""

WORTH_CUTTING = 0.15
"""The share that must go for an excerpt to take the place of the whole."""

FEW_ROWS = 3
"""So many rows are read whole."""

NAMED = 8
"""So many of the rows left out are named."""

TIME = r"\d{1,2}(?::\d\d)? ?[AaPp]\.?[Mm]\b|\bnoon\b|\bmidnight\b"
HOLDS: dict[Ask, re.Pattern[str]] = {
    "price": re.compile(r"[$€£]\s?\d|\bfree\b|\bpercent\b|\bno charge\b|\b(costs?|pays?) nothing\b|\bincluded\b", re.I),
    "hours": re.compile(rf"{TIME}|\bclosed?\b|\bopen\b|\bopening (time|hours)\b", re.I),
    "when": re.compile(rf"{TIME}|day\b|days\b|\b(after|before|every|month|year|spring|winter|summer|fall)\b", re.I),
    "duration": re.compile(
        r"\b(minutes?|hours?|days?|weeks?|months?|years?|overnight|lifetime|forever|as long as)\b", re.I
    ),
    "phone": re.compile(r"\d{3}[-. ]\d{4}"),
}
"""What shows that a text holds the kind of thing that was asked for."""

_WHOLE = re.compile(
    r"\b(all|any|anything|every(?:thing)?|each|both|other|others|else|more|less|most|least|than|rest|between|compare\w*"
    r"|difference|different|cheap\w*|expensive|\w{3,}est|best|which|kinds?|types?|sorts?|range|list|options?|choices?"
    r"|overview|except|instead|without|not|only|total|together|same|never)\b"
)
"""Such a question is about more than the words it names."""

_ROW = re.compile(r"^([^:]{1,80}): ((?:(?!: ).)+)\.$")

_MESS = re.compile(r"[|•·▪●■◦‣*_=~`]|\.{4}|\. \. \.|-{3}|…{2}|\[\[")
_TIDYING: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[ \t]*(?:\.{4,}|(?:\. ){3,}\.?|…{2,}|_{3,})[ \t]*(?=\S)"), ": "),  # "Tune-up ........ $75"
    (re.compile(r"^[ \t]*[•·▪●■◦‣*][ \t]+", re.MULTILINE), "- "),
    (re.compile(r"[-=_*~]{3,}|\*\*|__|`+|\[\[|\]\]"), ""),
    (re.compile(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"(?<=[.;:,])[ \t]*\|[ \t]*"), " "),
    (re.compile(r"[ \t]*\|[ \t]*"), "; "),
    (re.compile(r"[ \t]{2,}"), " "),
    (re.compile(r"\n{2,}"), "\n"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What can be said by itself."""

    text: str
    line: int
    """The line of the passage that it stands in."""
    bag: frozenset[str]
    item: bool = False
    """Of a list; `lead_in` are the words that lead into it."""
    lead_in: str = ""
    row: tuple[str, str] | None = None
    """Label and value of a table's row."""


@lru_cache(maxsize=2048)
def parts_of(text: str) -> tuple[Part, ...]:
    """A passage's text, as chunking.py writes it, taken apart in order."""
    found: list[Part] = []
    lead_in = ""
    for at, line in enumerate(tidy(text).split("\n")):
        row = _ROW.match(line) if len(sentences(line)) == 1 else None
        if line.startswith("- "):
            found.append(Part(line[2:], at, bag(line[2:]), item=True, lead_in=lead_in))
        elif line.endswith(":"):
            lead_in = line
        elif row:
            found.append(Part(line, at, bag(line), row=(row[1], row[2])))
        else:
            lead_in = ""
            found += [Part(sentence, at, bag(sentence)) for sentence in _with_their_yes(sentences(line))]
    return tuple(found)


def tidy(text: str) -> str:
    """Without what only the eye needs: dot leaders, bars between cells, rulers, marks of emphasis."""
    if not _MESS.search(text):
        return text
    for pattern, instead in _TIDYING:
        text = pattern.sub(instead, text)
    return text.strip()


def excerpts(question: Question, passages: Sequence[Passage]) -> list[str]:
    """What of each passage bears on the question; the whole of it when in doubt."""
    terms = [term for term in question.terms if term.worth == 1.0]
    known = frozenset[str]().union(*(bag(passage.title) | bag(passage.text) for passage in passages))
    if not terms or _WHOLE.search(plain(question.text)) or not all(term.found_in(known) for term in terms):
        return [tidy(passage.text) for passage in passages]
    return [_excerpt(question, terms, passage.text) for passage in passages]


def _excerpt(question: Question, terms: Sequence[Term], text: str) -> str:
    whole = tidy(text)
    if len(whole) <= SHORT:
        return whole
    parts = parts_of(text)
    holds = [frozenset(term.word for term in terms if term.found_in(part.bag)) for part in parts]
    dropped = _rows_apart(parts, holds) | _sentences_apart(question, parts, holds)
    if not dropped:
        return whole
    left = _joined(whole, parts, dropped)
    return left if len(left) <= (1 - WORTH_CUTTING) * len(whole) else whole


def _rows_apart(parts: Sequence[Part], holds: Sequence[frozenset[str]]) -> set[int]:
    """The rows that hold less of the question than another one does."""
    rows = [at for at, part in enumerate(parts) if part.row]
    if len(rows) <= FEW_ROWS:
        return set()
    return {at for at in rows if any(holds[at] < holds[other] for other in rows)}


def _sentences_apart(question: Question, parts: Sequence[Part], holds: Sequence[frozenset[str]]) -> set[int]:
    """The sentences that have nothing of the question, and no neighbour that has."""
    kinds = [HOLDS[ask] for ask in question.asks if ask in HOLDS]
    prose = [at for at, part in enumerate(parts) if not part.row and not part.item]
    bears = {at for at in prose if holds[at] or any(kind.search(parts[at].text) for kind in kinds)}
    if not any(holds[at] for at in prose):
        return set()
    return {at for at in prose[1:] if not bears & {at - 1, at, at + 1}}


def _joined(whole: str, parts: Sequence[Part], dropped: set[int]) -> str:
    """The text without the dropped parts. Where sentences went stands "…", where rows went, what they were called."""
    by_line: dict[int, list[int]] = {}
    for at, part in enumerate(parts):
        by_line.setdefault(part.line, []).append(at)
    said: list[str] = []
    names: list[str] = []
    for number, line in enumerate(whole.split("\n")):
        here = by_line.get(number, [])
        if names and not (here and here[0] in dropped and parts[here[0]].row):
            said.append(_named(names))
            names = []
        gone = [at for at in here if at in dropped]
        if not gone:
            said.append(line)
            continue
        row = parts[here[0]].row
        if row:
            names.append(row[0])
            continue
        kept: list[str] = []
        for at in here:
            if at not in dropped:
                kept.append(parts[at].text)
            elif kept[-1:] != ["…"]:
                kept.append("…")
        if kept != ["…"] or said[-1:] != ["…"]:
            said.append(" ".join(kept))
    if names:
        said.append(_named(names))
    return "\n".join(said)


def _named(names: Sequence[str]) -> str:
    more = f"; and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"(Also listed: {'; '.join(names[:NAMED])}{more}.)"


def _with_their_yes(found: list[str]) -> list[str]:
    """Sentences, with a bare "Yes." put to the one it belongs to."""
    joined: list[str] = []
    before = ""
    for sentence in found:
        if len(sentence.split()) <= 2 and not before:
            before = sentence
            continue
        joined.append(f"{before} {sentence}".strip())
        before = ""
    return [*joined, before] if before else joined


__all__ = ["HOLDS", "TIME", "Part", "excerpts", "parts_of", "tidy"]
