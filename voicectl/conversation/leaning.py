"""Whether a question can be understood by itself.

It leans back on what was said before when

    a pronoun of it stands for nothing that an earlier clause of it names    "can i bring it back"
    it is no clause and something leads into it                              "and on sundays", "no i meant monday"
    it says what it asks and not of what                                     "and how long", "which is cheaper"

A pronoun is free within its own clause: "do i get a receipt for that" leans back for all its noun, while "i broke a
spoke how much is that" does not. "It" that stands for nothing ("is it possible to", "if it rains") is none. The words
are those of English, plain, as without_fillers() leaves them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicectl.conversation import vocabulary
from voicectl.conversation.questions import Question, days_in, plain, read_question, without_fillers
from voicectl.conversation.vocabulary import ARTICLES, PLACES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _any(*groups: frozenset[str]) -> str:
    """A pattern for any of these words, standing by itself."""
    words = sorted(frozenset().union(*groups), key=lambda word: (-len(word), word))
    return rf"(?<!\S)(?:{'|'.join(map(re.escape, words))})(?!\S)"


_VERBS = _words(
    """
    am is are was were do does did don't doesn't didn't can can't could will would won't should may must have has had
    """
)
_ASKING = _words("what what's which who who's whose where where's when when's why how how's")
_DOERS = _words(
    """
    i i'm i've i'd i'll we we're we've you you're they they're it it's that's he he's she she's there there's
    """
)
_UNLESS = _words("if unless though although")
_GOES_ON = _words("and but or so then")
_REFUSES = _words("no nope wait")
_AGREES = _words("yes yeah yep sure ok okay")

_LEAD = re.compile(
    rf"(?:(?:{_any(_GOES_ON, _REFUSES, _AGREES, _words('alright great cool perfect fine'))}|all right(?!\S))\s*)+"
)
_ABOUT = re.compile(r"(?:what|how) about(?!\S)\s*|what (?=if\b)")
_MEANT = re.compile(r"i (?:meant?|said|asked (?:about|for)|was asking (?:about|for))(?!\S)\s*")
_NOT_THIS = re.compile(rf"not .+?(?= {_any(PLACES, ARTICLES)}|$)")
_FRAGMENT = re.compile(_any(PLACES, ARTICLES, _UNLESS, _words("even also only")))
"""How words begin that are a fragment of English, and not a few words of something else."""

_REQUEST = re.compile(
    r"\b(?:tell me|(?:know|hear|learn|talk)|questions?|info(?:rmation)?|calling|(?:like|want|wanted) to ask(?: you)?)"
    r"(?: (?:more|something|anything|everything|a (?:bit|little)|some|all))* about (?=\w)"
)
"""What leads into a subject that is named; most of it goes with the fillers."""
_MORE_OF_IT = re.compile(
    r"(?:(?:is|was) (?:there|that) |(?:do|can) you (?:have|know|say|add) )?(?:any|some)thing (?:else|more)"
    r"|what else|(?:(?:tell me|say|know) )?(?:some |a (?:bit|little) )?more|go on|the rest"
)
"""Said of whatever was answered last."""

_CLAUSE = re.compile(_any(_VERBS, _ASKING, _DOERS))
_CONDITION = re.compile(rf"(?:even )?{_any(_UNLESS)}")
_MAIN_CLAUSE = re.compile(rf"{_any(_ASKING)}|{_any(_VERBS)} {_any(_DOERS)}")
_CLAUSE_BEGINS = re.compile(
    rf" (?={_any(_ASKING, _UNLESS, _words('because but so and'))}|{_any(_VERBS)} {_any(_DOERS)})"
)

_PRONOUN = re.compile(
    r"(?<!\S)(?:(?:that|this) ones?|(?:the )?same|it|it's|its|they|they're|them|theirs?|he|he's|him|his|"
    r"she|she's|hers?|mine|these|those|that|that's|this|ones?)(?!\S)"
)
_BEFORE_THAT = _VERBS | PLACES | _words("what's how's like get")
"""After these, "that" is a pronoun, whatever follows."""
_EMPTY_IT = re.compile(r"(?:rain|snow)|(?:\w+ ){0,3}(?:to|that|if) (?!(?:the|an?|my|your)\b)\w")
"""What follows an "it" that stands for nothing."""

_COMPOUNDS = tuple((cue, re.compile(pattern), words) for cue, pattern, words in vocabulary.PHRASES if "-" in words)

_COMPLETE = frozenset({"hours", "place", "phone", "person"})
"""Asks that need not say of what: of the house that is called."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller said, taken apart to see whether it leans back."""

    said: str
    """Plain, without fillers, compounds joined."""
    words: str
    """The same without what leads into it: "and", "what about", "no i meant"."""
    question: Question
    """The question that these words ask."""
    clause: bool
    continues: bool
    """Something that led into it goes on with what was said before."""
    corrects: bool
    agrees: bool
    requests: bool
    """It asks to be told about a thing that it names."""
    more: bool
    """It asks for more of what was told, and for nothing else."""
    pointer: re.Match[str] | None
    """The pronoun in `words` that stands for something said before."""

    @property
    def subjects(self) -> list[str]:
        """The words that tell what it is about."""
        return subjects(self.question)

    @property
    def fragment(self) -> bool:
        """It is no clause, and looks like a piece of one."""
        return not self.clause and (self.continues or _FRAGMENT.match(self.words) is not None)

    @property
    def leans(self) -> bool:
        """It says too little to be understood by itself."""
        asks = self.question.asks
        if self.pointer is not None or self.more or not self.question.terms:
            return True
        if self.requests:
            return False
        if not self.clause:
            return self.fragment and (self.continues or not (asks and self.subjects))
        if self.subjects or asks & _COMPLETE:
            return False
        return bool(asks & {"price", "duration"}) or any(
            term.word in vocabulary.RELATIONAL for term in self.question.terms
        )


def leans_back(text: str) -> bool:
    """Whether a question says too little to be understood by itself."""
    return read(text).leans


def read(text: str) -> Said:
    """Take apart what a caller said."""
    said = words = bare(text)
    lead = _LEAD.match(words)
    led = frozenset(lead[0].split()) if lead is not None else frozenset()
    words = words[lead.end() :] if lead is not None else words
    corrects, about = bool(_REFUSES & led), _ABOUT.match(words)
    words = words[about.end() :] if about is not None else words
    for correction in (_MEANT, _NOT_THIS):
        found = correction.match(words)
        if found is not None and found.end() < len(words):
            words, corrects = words[found.end() :].strip(), True
    main = _MAIN_CLAUSE if _CONDITION.match(words) else _CLAUSE
    request = None if corrects else _REQUEST.search(plain(text))
    if request is not None:
        words = words.removeprefix("about ")
    question = read_question(words)
    requests = request is not None and any(not days_in(word) for word in subjects(question))
    return Said(
        said,
        words,
        question,
        clause=requests or main.search(words) is not None,
        continues=bool(_GOES_ON & led) or about is not None or corrects or (request is not None and not requests),
        corrects=corrects,
        agrees=bool(_AGREES & led),
        requests=requests,
        more=_MORE_OF_IT.fullmatch(words) is not None,
        pointer=_pointer(words),
    )


def bare(text: str) -> str:
    """Plain, without fillers, compounds joined: "e bike" is one word."""
    words = without_fillers(text)
    for cue, pattern, joined in _COMPOUNDS:
        if cue in words:
            words = pattern.sub(joined, words)
    return words


def subjects(question: Question) -> list[str]:
    """The words that tell what a question is about: not what it asks of it, and not those that every talk holds."""
    return [term.word for term in question.terms if term.worth == 1.0 and term.word not in vocabulary.RELATIONAL]


def _pointer(words: str) -> re.Match[str] | None:
    """The first pronoun that stands for nothing named in an earlier clause."""
    for found in _PRONOUN.finditer(words):
        before, after = words[: found.start()].split(), words[found.end() :].split()
        if not _stands_for_nothing(found[0], before, after):
            clauses = [begin.start() for begin in _CLAUSE_BEGINS.finditer(words, 0, found.end())]
            if not clauses or not subjects(read_question(words[: clauses[-1]])):
                return found
    return None


def _stands_for_nothing(pronoun: str, before: list[str], after: list[str]) -> bool:
    if pronoun == "it":
        return before[-2:] == ["time", "is"] or _EMPTY_IT.match(" ".join(after)) is not None
    if pronoun == "that" and before and after and before[-1] not in _BEFORE_THAT:
        return after[0] in _DOERS | ARTICLES or before[-1] not in vocabulary.COMMON  # "said that you", "a bike that"
    if pronoun == "this":
        return bool(after)
    if pronoun in ("one", "ones") and after:
        return after[0] not in vocabulary.STOP and after[0] not in vocabulary.RELATIONAL
    return False
