"""An answer made of a company's own sentences, fit for the ear.

Passages are taken apart into what can be said by itself: sentences, the items of a list, the rows of a table. Each is
judged by how much of the question it holds, what stands around it counting for less, and by whether it holds the kind
of thing that was asked for: "how much" wants a price, "on Sunday" wants Sunday. The best is said first, then what adds
to it, up to three sentences and 45 words. Rows are turned into phrases; of rows or items that answer alike the first
three are said, and how many more there are. Where the best holds too little of the question there is no answer: a wrong
one is worse than none.

What has been told in this call is not told again where something as good has not been.

Headings steer, they are never read out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from voicectl.conversation.excerpts import HOLDS, TIME, parts_of, tidy
from voicectl.conversation.questions import (
    Ask,
    Question,
    Term,
    bag,
    days_in,
    holds_all,
    read_question,
    resemblance,
    share_found,
    stem,
)
from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Passage
from voicectl.conversation.vocabulary import DAYS, RELATIONAL
from voicectl.llm.told import NOTHING, Told

MOST_WORDS = 45
MOST_SENTENCES = 3
SHORT = 18
"""Words; a shorter answer is followed by the sentence behind it, if there is room."""

ENOUGH = 0.55
"""The share of the question that an answer must hold."""

ENOUGH_WITH_STRANGERS = 0.65
"""The same, when a word of the question, one that matters, occurs nowhere in what was found."""

SAME_QUESTION = 0.75
"""From this resemblance on, a heading asks what the caller asks, and what stands under it is the answer."""

VERY_SAME_QUESTION = 0.9
"""From here on, what stands under the heading need not even look like the kind of thing that was asked for."""

AS_GOOD = 0.1
"""Rows of a table that are no further than this behind the best are said along with it."""

STANDS_IN = 0.7
"""The share of an answer's words that the passage it is from holds at least; as spoken, figures became words."""

NEARLY_AS_GOOD = 0.25
"""What has not been told takes the place of what has, when it is no further behind than this."""

SAME_WORD = 0.1
"""For a heading that asks in the caller's own word: how long a battery "takes" is not how long it "lasts"."""

AROUND_COUNTS = 0.6
"""A word held by the headings or the sentences around, against one held by the sentence itself."""

_MUST_HOLD: tuple[Ask, ...] = ("price", "hours", "duration", "phone")
"""Kinds of answer that nothing else can stand in for."""

_CLOSED = re.compile(r"^closed$", re.I)
_TIMES = re.compile(rf"^({TIME})", re.I)
_PRICE = re.compile(r"^(?:(?:price|cost|fee|rate)s? )?((?:from |about |up to )?[$€£]\s?[\d,.]+.*)$", re.I)
_SPAN_PRICE = re.compile(
    r"^((?:an? )?(?:half |full |whole |per )?(?:hour|day|weekend|week|month|year|night|half-day)) ([$€£]\s?[\d,.]+.*)$",
    re.I,
)
_SPECIAL_DAY = re.compile(r"(\bday|\beve|day)$|^(christmas|easter|thanksgiving|fourth of july|new year)", re.I)
_YES_NO = re.compile(r"^(yes|no|always|gladly|sure|of course)[.,:;!]\s*", re.I)


@dataclass(frozen=True, slots=True)
class _Part:
    """What can be said by itself."""

    text: str
    order: int
    passage: int
    heading: str
    above: str
    """The headings over its own."""
    around: str
    """What stands under the same heading; for a row without the other rows, which speak of something else."""
    lead_in: str = ""
    row: tuple[str, str] | None = None
    """Label and value of a table's row."""
    item: bool = False
    """Of a list."""


def answer(question: Question, passages: Sequence[Passage], told: Told = NOTHING) -> str:
    """What the passages, best first, say to the question; "" when they say nothing to it, or nothing but what was told
    to a caller who wants to hear more.

    Two questions in one breath ("... and ...") are answered one after the other, if both can be.
    """
    halves = [read_question(half) for half in re.split(r"\band\b", question.text, flags=re.I)]
    if len(halves) == 2 and all(any(term.worth == 1.0 for term in half.terms) and half.asks for half in halves):
        first, second = (_answer(half, passages, told, alone=False) for half in halves)
        if first and second and second != first and len(f"{first} {second}".split()) <= MOST_WORDS:
            return f"{first} {second}"
    return _answer(question, passages, told)


def _answer(question: Question, passages: Sequence[Passage], told: Told, *, alone: bool = True) -> str:
    parts = [part for rank, passage in enumerate(passages) for part in _parts(passage, rank)]
    known = frozenset().union(*(bag(f"{passage.title}\n{passage.text}") for passage in passages))
    weighed = question.weighed(lambda term: term.worth * _rarity(term, parts))
    judged = [
        (_score(weighed, part) + _standing(part, passages), part)
        for part in parts
        if _holds_enough(question, part, known)
    ]
    judged.sort(key=lambda each: (-each[0], each[1].passage, each[1].order))
    judged = _news(question, judged, told)
    if not judged:
        return ""
    best_score, best = judged[0]
    as_good = [part for score, part in judged if score >= best_score - AS_GOOD and part.passage == best.passage]
    if best.row is not None:
        return " ".join(_rows(question, best, [part for part in as_good if part.row], parts))
    if not alone:
        return _sentence(question, best)
    listed = [part for part in parts if part.item and (part.passage, part.lead_in) == (best.passage, best.lead_in)]
    if best.item and _asks_for_all(question, best, listed):
        fresh = [part for part in listed if not _told(question, part, told)]
        return _listed(fresh if fresh and told.more else listed)
    said = _sentences(question, best, [part for part in parts if part.passage == best.passage], told)
    return " ".join(said)


def _news(question: Question, judged: list[tuple[float, _Part]], told: Told) -> list[tuple[float, _Part]]:
    """The judged parts without those that were told, if what was not is about as good as the best; if there is to be
    more, what was not told in any case, in its own order."""
    fresh = [each for each in judged if not _told(question, each[1], told)]
    row = judged[0][1].row if judged and not told.more else None
    if row and question.days & days_in(row[0]):
        return judged  # of the day that was asked for nothing else will do
    if told.more:
        best = judged[0][1].passage if judged else 0
        return sorted(fresh, key=lambda each: (each[1].passage != best, not each[1].row and each[1].order))
    return fresh if fresh and fresh[0][0] >= judged[0][0] - NEARLY_AS_GOOD else judged


def _told(question: Question, part: _Part, told: Told) -> bool:
    if part.row:
        label, value = part.row
        return told.has(_row(question, part)) or told.holds(f"{label}, {_value(question, value)}")
    return told.holds(part.text) if part.item else told.has(_sentence(question, part))


def _asks_for_all(question: Question, best: _Part, items: list[_Part]) -> bool:
    """Whether the list itself is the answer: its heading asks the same, and no word of the question is one item's."""
    own = [term for term in question.terms if term.worth == 1.0 and any(term.found_in(bag(i.text)) for i in items)]
    return len(items) > 1 and not own and _same_asked(question, best) >= SAME_QUESTION


def _parts(passage: Passage, rank: int) -> list[_Part]:
    above, _, heading = passage.title.rpartition(" > ")
    found = parts_of(passage.text)
    rows = {part.line for part in found if part.row}
    text = "\n".join(line for at, line in enumerate(tidy(passage.text).split("\n")) if at not in rows)
    return [
        _Part(
            part.text,
            order,
            rank,
            heading,
            above,
            text if part.row else passage.text,
            part.lead_in,
            part.row,
            part.item,
        )
        for order, part in enumerate(found)
    ]


def holder(said: str, passages: Sequence[Passage]) -> Passage | None:
    """The passage that an answer was taken from: the one that holds most of its words, and nearly all of them."""
    words = _content(said)
    held = [(len(words & bag(f"{passage.title}\n{passage.text}")), passage) for passage in passages]
    most, passage = max(held, key=lambda each: each[0], default=(0, None))
    return passage if words and most >= STANDS_IN * len(words) else None


def _content(said: str) -> frozenset[str]:
    return frozenset(stem(term.word) for term in read_question(said).terms)


# --- judging -----------------------------------------------------------------------------------------------


def _held(term: Term, part: _Part) -> float:
    """How much of one word of the question a part holds: by itself, or by what stands around it."""
    own = term.found_in(bag(part.text))
    around = term.found_in(bag(f"{part.above}\n{part.heading}\n{part.around}"))
    return max(own, AROUND_COUNTS * around)


def _share(question: Question, part: _Part) -> float:
    total = sum(term.worth for term in question.terms)
    return sum(term.worth * _held(term, part) for term in question.terms) / total if total else 0.0


def _rarity(term: Term, parts: Sequence[_Part]) -> float:
    """What tells the parts apart: a word that few of them hold."""
    return math.log(1 + len(parts) / (1 + sum(term.found_in(bag(part.text)) > 0 for part in parts)))


def _standing(part: _Part, passages: Sequence[Passage]) -> float:
    """How well the part's passage was found, against the best: 1.0 and less."""
    best = passages[0].score
    return passages[part.passage].score / best if best > 0 else 1.0 - 0.1 * part.passage


def _same_asked(question: Question, part: _Part) -> float:
    """How far what stands over a part asks the same: its heading, or the label of its row."""
    asked = resemblance(question, part.heading, part.above)
    if part.row is None:
        return asked
    return max(asked, (asked + resemblance(question, part.row[0], f"{part.above}\n{part.heading}")) / 2)


def _holds_enough(question: Question, part: _Part, known: frozenset[str]) -> bool:
    """Whether a part may be said as an answer. `known` are the stems of all that was found."""
    alike = _same_asked(question, part)
    wanted = [ask for ask in _MUST_HOLD if ask in question.asks]
    if wanted and alike < VERY_SAME_QUESTION and not any(HOLDS[ask].search(part.text) for ask in wanted):
        return False
    own_days = days_in(part.text)
    if part.row and question.days and own_days and not question.days & own_days:
        return False
    strange = any(term.worth == 1.0 and not term.found_in(known) for term in question.terms)
    return max(_share(question, part), alike) >= (ENOUGH_WITH_STRANGERS if strange else ENOUGH)


def _score(question: Question, part: _Part) -> float:
    score = _share(question, part) - 0.01 * max(0, len(part.text.split()) - MOST_WORDS)
    score += 0.3 * share_found(question.terms, bag(f"{part.heading}\n{part.around}\n{part.text}"))
    score += (1.15 if part.order == 0 or part.row else 0.65) * _same_asked(question, part) ** 2
    kinds = [ask for ask in question.asks if ask in HOLDS]
    if kinds:
        score += 0.4 * sum(bool(HOLDS[ask].search(part.text)) for ask in kinds) / len(kinds)
    if question.days:
        own = days_in(part.row[0] if part.row else part.text)
        score += (0.5 if part.row else 0.3) * len(question.days & own) / len(own) if own else 0.0
    if "offer" in question.asks and part.row and HOLDS["price"].search(part.text):
        score += 0.25
    if "yes_no" in question.asks and _YES_NO.match(part.text):
        score += 0.05
    if any(term.word in RELATIONAL and stem(term.word) in bag(part.heading) for term in question.terms):
        score += SAME_WORD
    return score


# --- phrasing ----------------------------------------------------------------------------------------------


def _sentences(question: Question, best: _Part, passage: list[_Part], told: Told) -> list[str]:
    """The best sentence, behind the one that answers directly, or before the one that follows, while there is room.
    What was told is not said along with it."""
    said = [_sentence(question, best)]
    first = passage[0]
    direct = _same_asked(question, best) >= SAME_QUESTION and not any(ask in question.asks for ask in _MUST_HOLD)
    if first is not best and not first.row and direct and not told.has(_sentence(question, first)):
        said.insert(0, _sentence(question, first))
    following = next((part for part in passage if part.order == best.order + 1 and not part.row), None)
    if following is not None and len(said) == 1 and len(said[0].split()) <= SHORT:
        further = _sentence(question, following)
        said += [] if told.has(further) else [further]
    while len(said) > 1 and (
        len(" ".join(said).split()) > MOST_WORDS or len(sentences(" ".join(said))) > MOST_SENTENCES
    ):
        said.remove(said[0] if said[0] != _sentence(question, best) else said[-1])
    return said


def _sentence(question: Question, part: _Part) -> str:
    """A sentence as an answer to this question. A "yes" or "no" stays only where all that its heading asks was asked:
    "No. Sales tax is added", under "Is sales tax included?", is no answer of no to "do you add sales tax?"."""
    text = part.text if not part.lead_in else f"{part.lead_in.rstrip(':')}: {part.text}"
    yes = _YES_NO.match(text)
    if yes and len(text) > yes.end() and not ("yes_no" in question.asks and holds_all(question, part.heading)):
        text = text[yes.end() :]
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in ".!?" else f"{text}."


def _listed(items: list[_Part]) -> str:
    """The items of a list, in part: "You need: a helmet, a light, a bell, and two more."."""
    first = [item.text.rstrip(".;,") for item in items[:3]]
    while len(first) > 1 and len(" ".join(first).split()) > MOST_WORDS - 10:
        first.pop()
    more = len(items) - len(first)
    last = [f"{_count(more)} more"] if more else [first.pop()]
    joined = ", ".join(first)
    lead = f"{items[0].lead_in.rstrip(':')}: " if items[0].lead_in else ""
    text = f"{lead}{joined}{',' if len(first) > 1 else ''} and {last[0]}"
    return f"{text[:1].upper()}{text[1:]}."


def _count(number: int) -> str:
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number - 1] if number <= len(words) else str(number)


def _rows(question: Question, best: _Part, alike: list[_Part], parts: list[_Part]) -> list[str]:
    """The rows that answer, as phrases."""
    table = [part for part in parts if part.passage == best.passage and part.row]
    weekly = [part for part in table if part.row and part.row[0].lower() in DAYS]
    if best in weekly:
        wanted = [part for part in weekly if not question.days or question.days & days_in(part.text)]
        return [_week(wanted)] if len(wanted) > 2 else [_row(question, part) for part in wanted]
    same = [part for part in alike if part.passage == best.passage]
    if len(same) <= 2:
        return [_row(question, part) for part in same]
    first = [f"{part.row[0]}, {_value(question, part.row[1])}" for part in same[:3] if part.row]
    while len(first) > 1 and len(" ".join(first).split()) > MOST_WORDS - 5:
        first.pop()
    more = len(same) - len(first)
    rest = f"; and there {'is' if more == 1 else 'are'} {_count(more)} more" if more else ""
    return [f"{'; '.join(first)}{rest}."]


def _row(question: Question, part: _Part) -> str:
    assert part.row is not None
    label, value = part.row
    if _SPECIAL_DAY.search(label):
        if _CLOSED.match(value):
            return f"On {label} we're closed."
        if _TIMES.match(value):
            return f"On {label} we're open {value}."
    phrase = _value(question, value)
    return f"{label}: that's {phrase}." if re.match(r"(from |about |up to )?[$€£]", phrase) else f"{label}: {phrase}."


def _value(question: Question, value: str) -> str:
    """The cells of a row; only those that were asked for, where the question says which."""
    cells = [cell.strip() for cell in value.split(";")]
    if len(cells) > 1:
        named = [(len(bag(span[1]) & question.bag), cell) for cell in cells if (span := _SPAN_PRICE.match(cell))]
        most = max((common for common, _ in named), default=0)
        if most:
            cells = [cell for common, cell in named if common == most]
    phrases = []
    for cell in cells:
        span, price = _SPAN_PRICE.match(cell), _PRICE.match(cell)
        if span:
            phrases.append(f"{span[2]} {_for_a(span[1])}")
        elif price:
            phrases.append(price[1])
        else:
            phrases.append(cell)
    return ", ".join(phrases)


def _for_a(span: str) -> str:
    """ "half day" -> "for a half day"."""
    if span.lower().startswith("per "):
        return span
    if span.lower().startswith(("a ", "an ")):
        return f"for {span}"
    return f"for an {span}" if span.lower().startswith("hour") else f"for a {span}"


def _week(rows: list[_Part]) -> str:
    """The hours of several days, days of equal hours put together: "Tuesday to Thursday, 9 AM to 6 PM; ..."."""
    spans: list[list[str]] = []
    closed: list[str] = []
    for part in rows:
        assert part.row is not None
        day, hours = part.row
        if _CLOSED.match(hours):
            closed.append(day)
        elif spans and spans[-1][2] == hours and DAYS.index(day.lower()) == DAYS.index(spans[-1][1].lower()) + 1:
            spans[-1][1] = day
        else:
            spans.append([day, day, hours])
    said = "; ".join(f"{first if first == last else f'{first} to {last}'}, {hours}" for first, last, hours in spans)
    shut = f"closed on {' and '.join(closed)}" if closed else ""
    return f"{'; '.join(each for each in (said, shut) if each)}."
