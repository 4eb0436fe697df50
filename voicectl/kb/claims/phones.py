"""Telephone numbers: whose they are.

A number belongs to what is named before it: "call the workshop at 207-555-0143", "our fax number is …", or to the
business where "us" or "the shop" is. A business may have several; two numbers contradict each other when both are said
to be the same one's, in different documents, and neither is known to be somebody else's. Where each document has a
number and headings of its own, they are those of branches.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from voicectl.kb.claims import GENERIC, Place, Statement, canonical, headings, place, words

_NUMBER = re.compile(r"(?<![\w$€£.,-])\+?\(?\d[\d\s().–-]{5,}\d(?![\w%]|[.,]\d)")
_CUE = re.compile(
    r"\b(?:call|phone|telephone|tel|ring|dial|reach|number|text|whatsapp|fax|hotline|contact)\b", re.IGNORECASE
)
_OWNER = re.compile(
    r"\b(?:call|phone|ring|dial|reach|text|fax|contact|whatsapp)(?:ing)?\s+"
    r"(?P<called>[\w' -]*?)\s*(?:\b(?:at|on|under|by phone at|:))?\s*$"
    r"|(?P<owner>(?:[\w'-]+\s+){0,3}[\w'-]+)\s*(?:\bis|\bare|:)\s*$",
    re.IGNORECASE,
)
_NOT_OWNER = GENERIC | frozenset(
    canonical(word)
    for word in "call phone tel telephone number reach ring dial at on under us main please also"
    " mobile line can you".split()
)
_APART = frozenset(
    canonical(word)
    for word in """
    emergency hours night weekend fax text whatsapp sms sales support billing order orders press job jobs delivery
    rental booking reservation workshop service repair accounting hr complaint after urgent outside
    """.split()
) - {canonical("service")}
"""What is said along with a number that may make it a second one."""


@dataclass(frozen=True, slots=True)
class Phone:
    """Somebody's telephone number."""

    where: Place
    owner: frozenset[str]
    """() is the business itself."""
    around: frozenset[str]
    digits: str
    shown: str


def read(statement: Statement) -> Iterator[Phone]:
    """The numbers in a statement whose owner it names."""
    text = statement.text
    if not _CUE.search(text):
        return
    start = 0
    for found in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        before = re.split(r"[,;(]\s|\b(?:and|or)\b", text[start : found.start()])[-1]
        start = found.end()
        owner = _OWNER.search(before)
        if not 7 <= len(digits) <= 15 or owner is None:
            continue
        whose = owner["called"] or owner["owner"] or ""
        apart = words(text[: found.start()].lower()) & _APART if not words(whose) - _NOT_OWNER else frozenset()
        around = headings(statement.passage.title) - _NOT_OWNER
        yield Phone(
            place(statement), (words(whose) - _NOT_OWNER) | apart, around, _national(digits), found.group().strip()
        )


def contradict(claims: Iterable[Phone]) -> Iterator[tuple[Phone, Phone]]:
    """Pairs of different numbers of the same owner in different documents."""
    owners: dict[str, set[frozenset[str]]] = defaultdict(set)
    held: dict[frozenset[str], dict[str, list[Phone]]] = defaultdict(lambda: defaultdict(list))
    for claim in claims:
        owners[claim.digits].add(claim.owner)
        held[claim.owner][claim.digits].append(claim)
    for owner, numbers in held.items():
        first, *others = sorted(numbers.values(), key=lambda same: -len({claim.where.source for claim in same}))
        known = first[0]
        established = len({claim.where.source for claim in first}) > 1
        for other in (same[0] for same in others):
            branches = not established and known.around - other.around and other.around - known.around
            somebody_elses = owners[other.digits] != {owner}
            if known.where.source != other.where.source and not branches and not somebody_elses:
                yield known, other


def _national(digits: str) -> str:
    """The number without the country's prefix where that is plain: it is written with and without."""
    digits = digits.removeprefix("00")
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
