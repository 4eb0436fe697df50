"""Where one sentence ends and the next begins, in written English.

A full stop ends a sentence unless it belongs to an abbreviation, an initial or a number, or a small letter follows.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_END = re.compile(r"[.!?…]+[\"')\]”’]*(?=\s|$)|[。！？]+[\"')\]”’」』]*")
_NEVER_LAST = _words(
    """
    dr mr mrs ms mx prof rev hon st vs approx dept nr tel ext jan feb mar apr jun jul aug sep sept oct nov dec mon tue
    tues wed thu thurs fri e.g i.e cf fig vol pp ph.d
    """
)
_SOMETIMES_LAST = _words("a.m p.m etc inc ltd corp u.s u.k ave blvd rd ln sq jr sr ft lb lbs oz mi min max")
"""Abbreviations that also end sentences: they do when a capital follows that is not a day's or a month's."""

_CALENDAR = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Satur|Sun)[a-z]*day|(Jan|Febr)uary|March|April|May|June|July|August|(Sept|Nov|Dec)ember|October"
)


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, in order, without surrounding space. Joined by spaces they give the paragraph."""
    text = " ".join(text.split())
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end.end() < len(text) and not _ends(text, start, end):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    rest = text[start:].strip()
    if rest:
        found.append(rest)
    return found


def sentence_ends(text: str) -> list[int]:
    """The offsets in `text` at which a sentence ends, as far as the text tells. Where it breaks off, a full stop behind
    a digit may yet turn out to be a decimal point and is not counted."""
    found: list[int] = []
    start = 0
    for end in _END.finditer(text):
        whole = end.end() < len(text)
        if (whole or not text[: end.start()][-1:].isdigit()) and _ends(text, start, end):
            found.append(end.end())
            start = end.end()
    return found


def _ends(text: str, start: int, end: re.Match[str]) -> bool:
    following = text[end.end() :].lstrip()
    if following[:1].islower():
        return False
    if end.group()[0] != "." or len(end.group().strip("\"')]”’")) > 1:
        return True
    before = text[start : end.start()].rsplit(" ", 1)[-1].lstrip("(\"'“‘").lower()
    if re.fullmatch(r"[a-z]", before) and before != "i":
        return False
    if re.fullmatch(r"\d+", before) and start == end.start() - len(before):
        return False  # "1. First"
    if before in _NEVER_LAST or (before == "no" and following[:1].isdigit()):
        return False
    if before in _SOMETIMES_LAST:
        return not following[:1].isdigit() and not _CALENDAR.match(following)
    return True
