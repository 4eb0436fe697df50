"""What a caller wants to know.

A transcribed question is taken apart once, and everybody who looks for its answer looks for the same thing:

    "um hi could you tell me how much a tune up is on sundays"
        terms   tune-up, sunday         what must be found; each with the words that answer for it
        asks    price                   what kind of answer it wants
        days    {6}                     Monday is 0

A text that may answer is read into a bag of stems. Days count where a range covers them: "Tuesday through Saturday"
holds Thursday. Stems are cut more roughly than a dictionary would cut them, the same way on both sides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from voicectl.conversation import vocabulary

Ask = Literal["price", "hours", "when", "duration", "place", "person", "phone", "offer", "yes_no"]

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_FILLER = re.compile(
    r"(?<![\w'-])(?:"
    + "|".join(re.escape(f) for f in sorted(vocabulary.FILLERS, key=len, reverse=True))
    + r")(?![\w'-])"
)
_OPENING = re.compile(
    r"^(?:"
    + "|".join(re.escape(f).replace("'", "['’]") for f in sorted(vocabulary.FILLERS, key=len, reverse=True))
    + r")(?![\w'’-])[\s,.!–-]*",
    re.IGNORECASE,
)
_PHRASES = tuple((cue, re.compile(pattern), words) for cue, pattern, words in vocabulary.PHRASES)

# Whole names in any case; short ones only as "Mon", for "sun" and "sat" are words too.
_DAY_NAME = r"((?i:mon|tues|wednes|thurs|fri|satur|sun)(?i:days?)|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
_DAY = re.compile(rf"\b{_DAY_NAME}\b")
_DAY_RANGE = re.compile(rf"\b{_DAY_NAME}\b\.?\s*(?:-|–|(?i:to|through|thru|until|till)\b)\s*{_DAY_NAME}\b")
_EVERY_DAY = re.compile(r"\b(every ?day|daily|all week|(seven|7) days a week)\b")
_SHORT_DAY = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}

_ASKS: tuple[tuple[Ask, re.Pattern[str]], ...] = (
    ("price", re.compile(r"\bhow much (?!time|longer|notice)|\bhow much$|\bfor free\b")),
    ("price", re.compile(r"\b(prices?|pric(ing|ey)|costs?|charges|fees?|rates?|expensive|cheap(er|est)?)\b")),
    ("price", re.compile(r"\b(you|they|a|extra) charge\b|\bcharge (for|extra)\b")),
    ("duration", re.compile(r"\bhow (long|soon|quickly|fast)\b|\bturnaround\b")),
    ("duration", re.compile(r"\bhow (many|much) (days?|weeks?|hours?|minutes?|time|longer)\b")),
    ("hours", re.compile(r"\bwhat time\b|\bhow (late|early)\b|\b(hours|open(s|ing)?|clos(e|es|ed|ing))\b")),
    ("when", re.compile(r"\bwhen\b|\bwhat (day|days|date|time)\b")),
    ("place", re.compile(r"\bwhere\b|\b(address|located|location|directions)\b")),
    ("person", re.compile(r"\bwho('s)?\b")),
    ("phone", re.compile(r"\bphone\b(?! call)|\bnumber to call\b")),
    ("offer", re.compile(r"\b(do|are|would|will) (you|they) (sell|carry|stock|have|keep|offer|make|do)\b|\bgot any\b")),
    (
        "yes_no",
        re.compile(r"^(and |but |so |then )*(is|are|am|do|does|did|can|could|will|would|may|should|have|has)\b"),
    ),
)
"""What kind of answer a question wants, by the plain words it is asked in."""

_NUMBER_RANGE = re.compile(r"(?<![\d.,$:])(\d{1,3}) ?(?:to|-) ?(\d{1,3})(?![\d.,:]*\d)")
_HOLDS = (
    ("pric", re.compile(r"[$€£]\s?\d")),
    ("hour", re.compile(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b")),
)

_KINDS: frozenset[Ask] = frozenset({"price", "hours", "when", "duration", "place", "person", "phone"})


@dataclass(frozen=True, slots=True)
class Term:
    """A word the question is about, the words that answer for it, and how much English expects of it (0..1)."""

    word: str
    also: tuple[str, ...] = ()
    worth: float = 1.0

    def found_in(self, bag: frozenset[str]) -> float:
        """1.0 where the word itself occurs, less where only one that answers for it does, 0.0 where neither."""
        if stem(self.word) in bag:
            return 1.0
        return ALIKE_COUNTS if any(stem(other) in bag for other in self.also) else 0.0


ALIKE_COUNTS = 0.8
MOST_TERMS = 40
"""Who says more than this has said what it is about."""

COMMON_WORTH = 0.35


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart; see the top of this file."""

    text: str
    terms: tuple[Term, ...]
    asks: frozenset[Ask]
    days: frozenset[int]
    bag: frozenset[str]
    """The stems of its own words."""

    def weighed(self, worth: Callable[[Term], float]) -> Question:
        """The same question with its terms' worth reckoned anew, by somebody who knows how rare they are."""
        return replace(self, terms=tuple(replace(term, worth=worth(term)) for term in self.terms))


def plain(text: str) -> str:
    """Lower case, without accents and with straight quotes."""
    text = text.replace("’", "'").replace("‘", "'").replace("‑", "-").replace("–", "-")
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def without_fillers(text: str) -> str:
    """The words that are left when those said while thinking, or to be polite, are taken out; plain, unpunctuated."""
    bare = re.sub(r"[^\w'$%@.-]+|\.(?!\w)", " ", plain(text))
    return " ".join(_FILLER.sub(" ", " ".join(bare.split())).split())


def to_the_point(text: str) -> str:
    """The text as it was said, without the fillers it begins with; all of it where it is nothing else."""
    text = text.strip()
    while True:
        rest = _OPENING.sub("", text, count=1)
        if rest == text or not rest:
            return text
        text = rest


def phrased(text: str) -> str:
    """Plain text with turns of phrase put into the words that documents use."""
    for cue, pattern, words in _PHRASES:
        if cue in text:
            text = pattern.sub(words, text)
    return text


_SHORT = re.compile(r"[^aeiou]+[aeiouy][^aeiouwxy]")
"""hir(ing), tun(ed): what has lost its e."""


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What an English word keeps when its ending is cut off: repairs, repaired, repairing -> repair."""
    word = word.removesuffix("'s").removesuffix("'")
    if len(word) <= 3 or word[-1].isdigit():
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for ending in ("ing", "ed"):
        cut = word[: -len(ending)]
        if word.endswith(ending) and len(cut) >= 3 and re.search("[aeiouy]", cut):
            if len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] not in "lsz":
                word = cut[:-1]
            else:
                word = f"{cut}e" if _SHORT.fullmatch(cut) else cut
            break
    for ending in ("ment", "ly"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            word = word[: -len(ending)]
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("y"):
        word = word[:-1] + "i"
    return word


_ALIKE: dict[str, tuple[str, ...]] = {}


def alike(word: str) -> tuple[str, ...]:
    """Other words that answer for this one, besides its own endings."""
    if not _ALIKE:
        groups: dict[str, list[str]] = {}
        for group in vocabulary.ALIKE:
            members = group.split()
            for member in members:
                known = groups.setdefault(stem(member), [])
                known += [other for other in members if stem(other) != stem(member) and other not in known]
        for number, digits in vocabulary.NUMBERS.items():
            groups.setdefault(stem(number), []).append(digits)
            groups.setdefault(digits, []).append(number)
        _ALIKE.update({key: tuple(others) for key, others in groups.items()})
    return _ALIKE.get(stem(word), ())


def read_question(text: str) -> Question:
    """Take a spoken question apart. The terms stand in the order they were said, each once."""
    bare = without_fillers(text)
    said = phrased(bare)
    words = [word.removesuffix("'s") for word in _WORD.findall(said)]
    kept = [word for word in words if word not in vocabulary.STOP and (len(word) > 1 or word.isdigit())]
    terms: dict[str, Term] = {}
    for word in kept:
        common = (
            word in vocabulary.COMMON or stem(word) in _common_stems() or word.isdigit() or word in vocabulary.NUMBERS
        )
        also = ("saturday", "sunday") if word.startswith("weekend") else alike(word)
        terms.setdefault(stem(word), Term(word, also, COMMON_WORTH if common else 1.0))
    asks = frozenset(ask for ask, pattern in _ASKS if pattern.search(bare) or pattern.search(said))
    return Question(text, tuple(terms.values())[:MOST_TERMS], asks, days_in(text), stems(text))


@lru_cache(maxsize=1)
def _common_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in (*vocabulary.COMMON, *vocabulary.NUMBERS))


_INTERROGATIVE = re.compile(
    r"\?|^(?:and |but |so )*(?:what|which|who|whose|whom|how|why|where|when|is|are|do|does|did|can|could|would|will|may"
    r"|should|has|have)\b|\b(?:what's|how much|how many|how long|tell me|i(?:'d| would) like to know|i need to know"
    r"|looking for|wondering)\b"
)


def asks(text: str) -> bool:
    """Whether an utterance asks for something that could be known, as far as its words tell."""
    bare = without_fillers(text)
    return bool(_INTERROGATIVE.search(bare) or "?" in text)


def days_in(text: str) -> frozenset[int]:
    """The days of the week a text speaks of, ranges filled in; Monday is 0."""
    days = {_SHORT_DAY[name[:3].lower()] for name in _DAY.findall(text)}
    if len(days) > 1:
        for first, last in _DAY_RANGE.findall(text):
            start, end = _SHORT_DAY[first[:3].lower()], _SHORT_DAY[last[:3].lower()]
            days |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    folded = text.lower()
    if _EVERY_DAY.search(folded):
        days |= set(range(7))
    if "weekday" in folded:
        days |= set(range(5))
    if "weekend" in folded:
        days |= {5, 6}
    return frozenset(days)


@lru_cache(maxsize=4096)
def bag(text: str) -> frozenset[str]:
    """The stems a text holds: its words, the parts of its compounds, the days and numbers its ranges cover, and what
    its figures are: a text with "$18" in it holds a price."""
    return stems(text)


def stems(text: str) -> frozenset[str]:
    """The same, reckoned anew."""
    folded = plain(text)
    found: set[str] = set()
    for variant in {folded, phrased(folded)}:
        for word in _WORD.findall(variant):
            found.add(stem(word))
            if "-" in word:
                found.update(stem(part) for part in word.split("-") if len(part) > 1)
    found.update(stem(vocabulary.DAYS[day]) for day in days_in(text))
    for low, high in _NUMBER_RANGE.findall(folded):
        found.update(str(number) for number in range(int(low), min(int(high), int(low) + 50) + 1))
    found.update(kind for kind, pattern in _HOLDS if pattern.search(text))
    return frozenset(found)


def share_found(terms: Iterable[Term], bag: frozenset[str]) -> float:
    """How much of the question a text holds, by the terms' worth: 0..1; 0 for a question without terms."""
    total = found = 0.0
    for term in terms:
        total += term.worth
        found += term.worth * term.found_in(bag)
    return found / total if total else 0.0


def resemblance(question: Question, heading: str, above: str = "") -> float:
    """How far a heading asks the same as a question: 0..1. `above` are the headings over it, which may fill in."""
    other = _read_heading(heading)
    asked = question.bag | {stem(word) for term in question.terms for word in term.also}
    of_question = share_found(question.terms, bag(f"{above}\n{heading}") | _kind_words(other))
    of_heading = share_found(other.terms, asked | _kind_words(question))
    if not of_question or not (of_heading or not other.terms):
        return 0.0
    alike = 2 * of_question * of_heading / (of_question + of_heading) if other.terms else of_question
    mine, theirs = question.asks & _KINDS, other.asks & _KINDS
    if mine & theirs:
        return alike + (1 - alike) * 0.3
    return alike * 0.8 if mine and theirs else alike


@lru_cache(maxsize=4096)
def _read_heading(heading: str) -> Question:
    """Kept, unlike what callers say."""
    return read_question(heading)


def holds_all(question: Question, heading: str) -> bool:
    """Whether a question asks everything that a heading asks."""
    asked = question.bag | {stem(word) for term in question.terms for word in term.also}
    return all(term.found_in(asked) for term in _read_heading(heading).terms)


def _kind_words(question: Question) -> frozenset[str]:
    """What a question asks for, as words: "how much" speaks of a price without naming it."""
    return frozenset(stem(ask) for ask in question.asks)
