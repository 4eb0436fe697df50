"""Opening hours: on which days what is open, from when until when.

Read from statements that speak of being open or closed, or stand under a heading that does: "Saturday: 9 AM to 5 PM",
"Mon-Fri 9:00-18:00, closed on Sundays". Two of them are of the same thing when their sentences name the same besides
days and times (the workshop, Easter), or neither names anything and the headings above do not speak of another part of
the business. A day that has a name of its own (Christmas Eve) counts as a day of the week of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from voicectl.conversation.vocabulary import DAYS
from voicectl.kb.claims import GENERIC, Place, Statement, canonical, day_words, days_in, headings, place, words

_CUE = re.compile(
    r"\b(?:open|opens|opening|(?<!\d )(?<!two )(?<!three )(?<!four )(?<!few )hours|clos(?:e|es|ed|ing))\b",
    re.IGNORECASE,
)
_CUE_ABOVE = re.compile(_CUE.pattern + r"|\b(?:visit|contact|find) us\b|\bbusiness times\b", re.IGNORECASE)
_OPEN_ON = re.compile(
    r"\bopen(?: daily| to the public| for business)?(?: on| from| every| all day)*\s*$", re.IGNORECASE
)
_CLOSED_ON = re.compile(r"(?: all day)?(?: on| every| each|:)*\s+", re.IGNORECASE)
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?\b\.?"
_HALF = r"(?: ?[ap]\.?m\b\.?| ?o'clock)?"
_CLOCK = (
    rf"(?:\d{{1,2}}(?:[:.h]\d\d)?{_HALF}|noon|midday|midnight"
    rf"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b{_HALF})"
)
_TOKEN = re.compile(
    rf"(?P<days>\b{_DAY}(?:\s*(?:-|–|to|through|thru|until|till)\s*{_DAY})?"
    r"|\b(?:every ?day|daily|weekdays?|weekends?|(?:7|seven) days a week)\b)"
    rf"|(?P<range>(?:\bfrom |\bbetween )?(?<![\d$€£.,:-])(?P<first>{_CLOCK})"
    rf"\s*(?:-|–|—|to|until|till|through|and)\s*(?P<last>{_CLOCK})(?![\d%:-]))"
    rf"|(?P<single>\b(?:at|from|until|till)\s+(?P<clock>{_CLOCK})(?![\d%:-]))"
    r"|(?P<closed>\b(?:closed|never open|not open|(?:don't|do not) open)\b)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;(]|\.\s|\b(?:so|but|because|when|if)\b")
_AMONG_DAYS = re.compile(r"[\s,&/]*(?:and|or|on)?[\s,]*")

_NOT_SCOPE = (
    GENERIC
    | day_words()
    | frozenset(
        canonical(word)
        for word in "open hours closed time am pm noon midnight midday clock o'clock from until when work keep stay"
        " remain short itself always between front doors till not never don't".split()
    )
    | frozenset(str(number) for number in range(60))
    | frozenset(f"{number:02}" for number in range(60))
)
_PARTS = frozenset(
    canonical(word)
    for word in """
    workshop rental kitchen bar office pharmacy pool gym reception spa museum library branch clinic cafe restaurant
    department desk counter lounge parking support hotline phone delivery emergency garage sauna salon studio warehouse
    airport downtown bakery laundry shuttle tour class holiday christmas easter summer winter spring autumn
    season breakfast lunch dinner brunch checkout check-in visiting repair service
    """.split()
) - {canonical("service")}
"""Named by one heading only, they make its hours those of something else."""


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day. `half`: whether morning or afternoon was said, or could only be meant."""

    minutes: int
    half: bool

    def differs(self, other: Time) -> bool:
        day = 24 * 60 if self.half and other.half else 12 * 60
        return self.minutes % day != other.minutes % day


@dataclass(frozen=True, slots=True)
class Hours:
    """When something is open on some days. `opens` and `closes` are None where they are not told."""

    where: Place
    scope: frozenset[str]
    around: frozenset[str]
    days: frozenset[int]
    shown: str
    closed: bool = False
    opens: Time | None = None
    closes: Time | None = None

    def differs(self, other: Hours) -> bool:
        if self.closed or other.closed:
            return self.closed != other.closed
        pairs = ((self.opens, other.opens), (self.closes, other.closes))
        return any(one is not None and two is not None and one.differs(two) for one, two in pairs)


SPECIAL = frozenset({7})
"""A day that its scope names."""


def read(statement: Statement) -> Iterator[Hours]:
    """The hours that a statement states."""
    title, text = statement.passage.title, statement.text
    spoken_of = _CUE.search(text) is not None
    if not spoken_of and not _CUE_ABOVE.search(title):
        return
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return
    scope = _scope(text, tokens[-1].end())
    around = headings(title) - _NOT_SCOPE
    for days, token in _bound(text, tokens):
        yield _hours(statement, scope, around, days, token)
    [*_, last] = tokens
    if scope and not last["days"] and not any(token["days"] for token in tokens):
        yield _hours(statement, scope, around, SPECIAL, last)


def contradict(claims: Iterable[Hours]) -> Iterator[tuple[Hours, Hours, frozenset[int]]]:
    """Pairs of different hours of the same thing, with the days on which they differ. Each pair of statements once."""
    groups: dict[tuple[frozenset[str], int], list[Hours]] = defaultdict(list)
    told: dict[tuple[Place, Place], tuple[Hours, Hours, set[int]]] = {}
    seen: dict[tuple[int, frozenset[str], str, str], set[str]] = defaultdict(set)
    for claim in claims:
        for day in sorted(claim.days):
            others = groups[claim.scope, day]
            for other in others:
                if other.differs(claim) and other.where != claim.where and _same_part(other, claim):
                    key = (other.where, claim.where)
                    told.setdefault(key, (other, claim, set()))[2].add(day)
            values = seen[day, claim.scope, claim.where.source, ""]
            if claim.shown not in values or len(others) < 20:
                values.add(claim.shown)
                others.append(claim)
    for one, two, days in told.values():
        yield one, two, frozenset(days)


def named(days: frozenset[int]) -> str:
    """Days as they are said: "Saturday and Sunday"; "" for a day with a name of its own."""
    if days == SPECIAL:
        return ""
    names = [DAYS[day].title() for day in sorted(days)]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _bound(text: str, tokens: list[re.Match[str]]) -> Iterator[tuple[frozenset[int], re.Match[str] | None]]:
    """Days with the hours that belong to them: those that follow ("Saturday 9 to 5"), else those before ("9 to 5 on
    Saturdays, closed on Sundays"); None for days without hours on which it is open."""
    waiting: list[re.Match[str]] = []
    behind: re.Match[str] | None = None
    last: re.Match[str] | None = None
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token["days"]:
            joined = last is not None and last["days"] and _AMONG_DAYS.fullmatch(text[last.end() : token.start()])
            if behind is not None and (last is behind or joined):
                yield _days([token]), behind
            else:
                behind = None
                waiting.append(token)
        elif waiting and not (
            token["closed"]
            and following is not None
            and following["days"]
            and _CLOSED_ON.fullmatch(text[token.end() : following.start()])
        ):
            yield _days(waiting), token
            waiting, behind = [], None
        else:
            behind = token
        last = token
    if waiting and _OPEN_ON.search(text[: waiting[0].start()]):
        yield _days(waiting), None


def _days(tokens: list[re.Match[str]]) -> frozenset[int]:
    return days_in(", ".join(token["days"].title().replace("Through", "through") for token in tokens))


def _hours(
    statement: Statement,
    scope: frozenset[str],
    around: frozenset[str],
    days: frozenset[int],
    token: re.Match[str] | None,
) -> Hours:
    where = place(statement)
    if token is None:
        return Hours(where, scope, around, days, "open")
    shown = " ".join(token.group().split()).rstrip(".")
    if token["closed"]:
        return Hours(where, scope, around, days, "closed", closed=True)
    if token["range"]:
        first, last = _time(token["first"]), _time(token["last"])
        if first and last:
            if not first.half and not last.half and last.minutes < first.minutes:
                first, last = Time(first.minutes, True), Time(last.minutes + 12 * 60, True)  # nine to five
            return Hours(where, scope, around, days, shown, opens=first, closes=last)
    elif token["single"]:
        time = _time(token["clock"])
        until = token.group().lower().startswith(("until", "till"))
        before = statement.text[: token.start()].lower()
        closes = until or re.search(r"\bclos(?:e|es|ing)\b[^,;]*$", before) is not None
        return Hours(where, scope, around, days, shown, opens=None if closes else time, closes=time if closes else None)
    return Hours(where, scope, around, days, shown)


def _time(text: str) -> Time | None:
    text = text.lower().replace(".", ":", 1) if re.match(r"\d{1,2}\.\d\d", text) else text.lower()
    if text in ("noon", "midday"):
        return Time(12 * 60, True)
    if text == "midnight":
        return Time(24 * 60, True)
    found = re.match(r"(\w+?)(?:[:h](\d\d))?(?:\s*([ap])\.?m|\s*o'clock)?\b", text)
    number = canonical(found[1]) if found else ""
    if found is None or not number.isdigit():
        return None
    hour, minute = int(number), int(found[2] or 0)
    if hour > 24 or minute > 59:
        return None
    if found[3]:
        return Time((hour % 12 + (12 if found[3] == "p" else 0)) * 60 + minute, True)
    return Time(
        hour * 60 + minute, hour > 12 or (found[2] is not None and number.startswith("0")) or text.startswith("0")
    )


def _scope(text: str, end: int) -> frozenset[str]:
    """What the sentence names besides days and times, up to the first break behind the last of them."""
    after = _BREAK.search(text, end)
    clause = text[: after.start()] if after else text
    label, colon, rest = clause.partition(":")
    clause = f"{label.partition(',')[0]}{colon}{rest}"
    return frozenset(word for word in words(_TOKEN.sub(" ", clause)) - _NOT_SCOPE if not word[0].isdigit())


def _same_part(one: Hours, two: Hours) -> bool:
    if one.scope:
        return True
    return not (one.around ^ two.around) & _PARTS and not (one.around - two.around and two.around - one.around)
