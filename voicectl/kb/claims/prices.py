"""Prices: what a thing costs.

A row states the price of its label ("Basic tune-up: $75"), a sentence that of its subject ("a basic tune-up costs
$75", "we charge $75 for a basic tune-up", "test rides are free"). Differences, limits, ranges, deposits and
discounts are no prices. Two prices are of the same thing when each names all that the other names, in its own words or
in the headings above it: "Tune-ups > Basic: $75" and "a basic tune-up costs $80".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from voicectl.conversation.questions import read_question
from voicectl.kb.claims import Place, Statement, canonical, headings, place, words

_AMOUNT = re.compile(
    r"(?P<sign>[$€£])\s?(?P<n>\d[\d,.]*\d|\d)|(?P<m>\d[\d,.]*\d|\d)\s?(?P<unit>€|£|dollars?\b|euros?\b|pounds?\b|USD\b|EUR\b|GBP\b)"
)
_SIGNS = {"d": "$", "u": "$", "e": "€", "p": "£", "g": "£"}
_UNIT = re.compile(
    r"^\W*(?:(?:per|an?|each|every|one)\b\s*|/)(?P<unit>hour|half day|day|night|week|month|year|person|child|adult|head"
    r"|kids?|trip|way|mile|km|item|piece|pair)\b|^\W*(?P<adverb>hourly|daily|weekly|monthly|yearly|annually|each way)\b"
)
_SPAN = re.compile(
    r"(?<![\w-])(?:(half)[ -]days?|(?:full |whole )?(hour|day|night|week|month|year)(?:'s|s)?\b"
    r"|(hourly|daily|weekly|monthly|yearly))\b"
)
_ADVERBS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
_SPAN_WORDS = frozenset(canonical(word) for word in "half full whole hour day night week month year".split())
_PERSONS = ("person", "child", "adult", "head", "kid")
_ADVERBS |= {"annually": "year", "each way": "way"}

_STATES = re.compile(
    r"^(?P<subject>.*?)\s*\b(?:costs?|is|are|runs?|will (?:be|cost)|comes? to|goes? for|sells? (?:for|at)"
    r"|starts? (?:at|from)|priced at)(?: (?:now|only|just|about|around|currently|from|at|priced|exactly|always))*\s*$"
)
_CHARGES = re.compile(r"\b(?:charge|ask|take|pay|want)s?(?: (?:you|only|just|about|now|currently))*\s*$")
_FOR = re.compile(r"^\s*for (?P<object>[^,;.]+)")
_FOR_FIRST = re.compile(r"^for (?P<object>[^,;]+?),? (?:we|you|they)\b")
_FREE = re.compile(
    r"\b(?:is|are)(?: (?:always|also|completely|entirely|absolutely))* free(?: of charge)?(?=[,;.!]|\s*$| and )"
)
_NOT_THE_PRICE_BEFORE = re.compile(
    r"\b(?:up to|over|under|above|below|than|least|most|between|saves?|until|from .* to|to|off|limits?"
    r"|limit what .*)\s*$"
)
_NOT_THE_PRICE_AFTER = re.compile(
    r"^\s*(?:more|less|off|extra|on top|above|below|cheaper|back|towards?|rebate|discount|credit|gift|deposit|hold"
    r"|or (?:more|less)"
    r"|(?:to|-|–|and|or) [$€£]?\d)\b"
)
_CONDITION = re.compile(
    r"\b(?:if|when|unless|except|during|before|after|within|without|with|as long as|while|outside"
    r"|(?:on|in|from|until|through|by) (?=\w+day|week|summer|winter|spring|autumn|fall"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|holiday))"
    r"\s+(?!that\b)(?P<what>[^,;.$€£]+)"
)
_CLOSE = re.compile(r"(?:(?!,(?! (?:if|unless|except|only)\b)|;| and ).)*")
"""What follows a price and belongs to it."""
_AMPLE = re.compile(r" for (?:up to )?[\w-]+ (?:people|persons|guests|riders)\b")
_LASTING = re.compile(r" for (?:up to )?[\w-]+ (?:minutes|hours|days|weeks|months)\b")
_VERB = re.compile(r"\b(?:costs?|is|are|takes?|comes?|can|we|you|they|lasts?|has|have|includes?|covers?)\b")
_DROPPED = frozenset(
    canonical(word)
    for word in "price cost charge fee rate pay total amount only now from starting currently regular normal usual"
    " usually currently our yes person head".split()
)
_TAKEN = frozenset({canonical("adult")})
"""Taken for granted where it is not said."""
_MODES = frozenset(
    canonical(word)
    for word in "rent used deposit delivery gift member student senior kids weekend winter summer spring autumn holiday"
    " late lost replacement insurance trade-in tax private group online discount".split()
)
"""In the headings over one row only, they make its price that of another thing: a row leans on its headings."""

_AT_ONCE = 60
"""Claims compared with one another at most; a word in more of them does not tell what a thing is."""


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs."""

    where: Place
    thing: frozenset[str]
    details: frozenset[str]
    """What a row says besides: "new tube included"."""
    when: frozenset[str]
    """On what condition."""
    unit: str
    """Per what: "day", "person", or ""."""
    around: frozenset[str]
    """What the headings name."""
    currency: str
    cents: int
    row: bool = False

    @property
    def shown(self) -> str:
        if not self.cents:
            return "free"
        whole, cents = divmod(self.cents, 100)
        return (
            f"{self.currency}{whole:,}" + (f".{cents:02}" if cents else "") + (f" per {self.unit}" if self.unit else "")
        )


def read(statement: Statement) -> Iterator[Price]:
    """The prices that a statement states."""
    text = statement.text
    if not (_AMOUNT.search(text) or "free" in text):
        return
    rows = list(_of_row(statement)) if statement.cells else []
    yield from rows or _of_sentence(statement)


def contradict(claims: Iterable[Price], rare: Callable[[str], bool]) -> Iterator[tuple[Price, Price]]:
    """Pairs of different prices of the same thing. `rare`: a word that few passages hold."""
    holding: dict[str, list[Price]] = defaultdict(list)
    known: set[Hashable] = set()
    told: set[tuple[int, int]] = set()
    for claim in claims:
        here = (claim.where.source, claim.thing, claim.details, claim.when, claim.around, claim.unit, claim.cents)
        if here in known:
            continue
        known.add(here)
        near = {id(other): other for word in claim.thing for other in holding[word][:_AT_ONCE]}
        for other in near.values():
            if _contradicts(other, claim, rare) and not {(id(claim), other.cents), (id(other), claim.cents)} & told:
                told |= {(id(claim), other.cents), (id(other), claim.cents)}
                yield other, claim
        for word in claim.thing:
            holding[word].append(claim)


def _contradicts(one: Price, two: Price, rare: Callable[[str], bool]) -> bool:
    if one.cents == two.cents or one.unit != two.unit or one.where.sentence == two.where.sentence:
        return False
    if one.cents and two.cents and one.currency != two.currency:
        return False
    if not (one.details <= two.details or two.details <= one.details):
        return False
    all_of_one = one.thing | one.details | one.when | one.around
    all_of_two = two.thing | two.details | two.when | two.around
    if not (
        one.thing - _TAKEN <= all_of_two
        and two.thing - _TAKEN <= all_of_one
        and one.when <= all_of_two
        and two.when <= all_of_one
    ):
        return False
    modes = _MODES - {canonical("rent")} if one.unit else _MODES
    if (one.row and (one.around - all_of_two) & modes) or (two.row and (two.around - all_of_one) & modes):
        return False
    shared = one.thing & two.thing
    return len(shared) > 1 or any(rare(word) for word in shared)


def _of_row(statement: Statement) -> Iterator[Price]:
    label, _, rest = statement.label.partition(", ")
    label, _, bracket = label.partition(" (")
    thing, details = _named(label), words(f"{rest} {bracket}")
    if _AMOUNT.search(statement.label):
        details |= {"".join(found.group().split()) for found in _AMOUNT.finditer(statement.label)}
    for cell in statement.cells:
        amounts = list(_AMOUNT.finditer(cell))
        free = re.fullmatch(r"(?:(?P<name>.*) )?free", cell)
        if not free and (len(amounts) != 1 or len(cell.split()) > 8):
            continue
        if free:
            name, after, currency, cents = free["name"] or "", "", "$", 0
        else:
            [found] = amounts
            name, after = cell[: found.start()], cell[found.end() :]
            currency, cents = _amount(found)
            if _NOT_THE_PRICE_AFTER.match(after) or _NOT_THE_PRICE_BEFORE.search(name):
                continue
        unit, after = _unit(after)
        unit, name = (unit, name) if unit else _span(name)
        named = _named(name)
        if thing or named:
            yield _price(statement, thing | named, details | _named(after), frozenset(), unit, currency, cents)


def _of_sentence(statement: Statement) -> Iterator[Price]:
    text = " ".join(statement.text.split())
    low = text.lower()
    start = 0
    for found in sorted([*_AMOUNT.finditer(text), *_FREE.finditer(low)], key=lambda each: each.start()):
        free = found.re is _FREE
        before, after = low[start : found.start()], low[found.end() :]
        first = start == 0
        start = found.end()
        if not free and (_NOT_THE_PRICE_BEFORE.search(before) or _NOT_THE_PRICE_AFTER.match(after)):
            continue
        unit, after = ("", after) if free else _unit(after)
        clause = _clause(before, first)
        when = _conditions(low[: found.start()]) | _conditions(_CLOSE.match(after)[0])  # type: ignore[index]
        details = frozenset[str]().union(*(_named(each[0]) for each in _AMPLE.finditer(clause)))
        clause = _AMPLE.sub(" ", clause)
        if lasting := _LASTING.match(after):
            details, after = details | _named(lasting[0]), after[lasting.end() :]
        subject, condition = _subject(f"{clause} is" if free else clause, before, after)
        if subject is None:
            continue
        if not unit:
            unit, subject = _span(subject)
        thing = _named(subject) - when
        if not thing:
            heading = statement.passage.title.rpartition(" > ")[2]
            if "price" not in read_question(heading).asks:
                continue
            thing = _named(heading)
        if thing:
            yield _price(
                statement, thing, details, when | _named(condition), unit, *((("$", 0)) if free else _amount(found))
            )


def _subject(clause: str, before: str, after: str) -> tuple[str | None, str]:
    """What a price in a sentence is of, and on what condition; None where that is not plain."""
    object_ = _FOR.match(after)
    if charges := _CHARGES.search(clause):
        first = _FOR_FIRST.match(before)
        if first:
            return first["object"], ""
        if object_:
            return object_["object"], clause[: charges.start()]
        return (
            (clause[: charges.start()], "")
            if clause[: charges.start()].strip() not in ("we", "you", "they", "")
            else (None, "")
        )
    if states := _STATES.match(clause):
        return states["subject"], object_["object"] if object_ else ""
    if not clause.strip() and object_:
        return object_["object"], ""
    bare = clause.strip()
    if (
        re.search(r"\b(for|at|from)$", bare)
        and not bare.startswith("for ")
        and not _VERB.search(bare.rsplit(" ", 1)[0])
    ):
        return bare.rsplit(" ", 1)[0], object_["object"] if object_ else ""
    return None, ""


def _clause(before: str, first: bool) -> str:
    """The clause that leads to a price. "and" divides clauses where a price or a verb stands before it."""
    clause = re.split(r"[;,:(]\s", before)[-1]
    head, divided, tail = clause.rpartition(" and ")
    if divided and (not first or _VERB.search(head)):
        return tail
    return re.sub(r"^\W*(?:and|but|or)\b", "", clause) if not first else clause


def _unit(after: str) -> tuple[str, str]:
    found = _UNIT.match(after.lower())
    if not found:
        return "", after
    unit = found["unit"] or _ADVERBS.get(found["adverb"] or "", found["adverb"])
    return unit.removesuffix("s"), after[found.end() :]


def _span(name: str) -> tuple[str, str]:
    """The span of time a price is for, where its name says so: "half day", "weekly"; and the name without it."""
    found = _SPAN.search(name.lower())
    if not found or re.search(r"\d[ -]*$", name[: found.start()]):
        return "", name
    unit = "half day" if found[1] else found[2] or _ADVERBS[found[3]]
    before = re.sub(r"\b(?:an?|one|per|for an?|for one|for the|for) *$", "", name[: found.start()])
    return unit, f"{before} {name[found.end() :]}"


def _named(text: str) -> frozenset[str]:
    return words(text) - _DROPPED


def _conditions(text: str) -> frozenset[str]:
    return frozenset[str]().union(*(_named(found["what"]) for found in _CONDITION.finditer(text)))


def _price(
    statement: Statement,
    thing: frozenset[str],
    details: frozenset[str],
    when: frozenset[str],
    unit: str,
    currency: str,
    cents: int,
) -> Price:
    if unit in _PERSONS:
        thing, unit = thing | (words(unit) - _DROPPED), ""
    around, row = headings(statement.passage.title), bool(statement.cells)
    return Price(place(statement), thing, details, when, unit, around, currency, cents, row)


def _amount(found: re.Match[str]) -> tuple[str, int]:
    """Currency and cents: "$1,149", "1.299,50 €", "75 dollars"."""
    number = (found["n"] or found["m"]).rstrip(",.")
    currency = found["sign"] or _SIGNS.get(found["unit"][0].lower(), found["unit"])
    mark = re.search(r"[.,](\d{1,2})$", number)
    whole = re.sub(r"\D", "", number[: mark.start()] if mark else number)
    return currency, int(whole or 0) * 100 + (int(mark[1].ljust(2, "0")) if mark else 0)
