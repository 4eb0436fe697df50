"""A question that makes sense only with what came before it, made whole without asking a model.

    caller  do you have a lighthouse tour         agent  Yes, on Saturday at one.
    caller  how much is that                      ->     lighthouse tour, how much is that
    caller  no i meant the harbor one             ->     the harbor tour how much is that

Of the caller's turns before it, the last one that said something, itself made whole, is what it leans on:

    a fragment ("and on sundays")       takes the place of the part it is like, or is added (fragments.py)
    a question ("how long is it")       of its own kind gets what the earlier one was about, and what the agent named
                                        in its answer; he and she are whom the agent named last
    a choice ("the second one")         after the agent asked which of two things is meant: by place, by a word, "both"

Whatever does not lean back (leaning.py) is a new subject, into which nothing is carried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicectl.conversation import vocabulary
from voicectl.conversation.fragments import put_into
from voicectl.conversation.leaning import Said, bare, leans_back, read
from voicectl.conversation.questions import Question, days_in, plain, stem
from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Line

REACH = 4
"""A question is understood by so many of the caller's turns that said something, at most."""
FAR = 8
"""So many of the caller's turns are passed over that said nothing, at most."""

_LONGEST_SUBJECT = 10
_LONGEST_NAME = 6
"""Words carried over of what the caller was asking about, and of what the agent named."""

_PERSON = frozenset("he he's him his she she's her hers".split())

_DESCRIBES = re.compile(
    r"\W*(?:yes|no|sure|of course|certainly|gladly|right|correct|exactly|both|it|it's|they|they're)\b", re.IGNORECASE
)
"""How an answer begins that speaks of what the caller named."""
_ASKS_CALLER = re.compile(r"\?$|^please\b", re.IGNORECASE)
_COURTESIES = frozenset("sorry please thanks great hello hi okay".split())
_NAME = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*")

_ASKS_WHICH = re.compile(
    r"^.*?\b(?:did you mean|do you mean|(?:would you|do you) (?:like|want|prefer|need)(?: to know)?|"
    r"is (?:it|that|this)|are you asking(?: about)?|shall i|should i|which (?:one|of (?:them|these|those)))\b"
)
_PLAIN_CHOICE = 10
"""Words of a question that may offer a choice by its "or" alone: "a repair, a rental or a tour?"."""
_OF_THE_CALL = re.compile(
    r"\b(?:help (?:you|with)|can i (?:do|help)|what else|(?:any|some)thing else|messages?|pass on|call you back|"
    r"(?:put|transfer|connect) you|(?:speak|talk) to|"
    r"(?:what|anything) (?:would|do) you (?:like|want|need)(?: to know)?)\b"
)
"""The agent's questions about the call itself: what is said next answers none of them with a thing."""
_PLACED = re.compile(
    r"(?:i'd like |i want |it's )?(?:the )?(first|1st|former|second|2nd|third|3rd|latter|last)"
    r"(?: (?:one|option|thing|of them))?$"
)
_AT = {"first": 0, "1st": 0, "former": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "latter": -1, "last": -1}
_ALL = re.compile(r"(?:both|all|either|any)(?: of (?:them|those|these))?(?: one)?$")
_NONE = re.compile(r"(?:neither|none)(?: of (?:them|those|these))?(?: one)?$")


def standalone_question(lines: Sequence[Line]) -> str:
    """The caller's last question, to be understood without the conversation before it; "" where there is none.

    It is returned as it was said where nothing has to be carried into it, else in plain words.
    """
    talk = _Talk(lines)
    return talk.whole(len(talk.said) - 1, REACH) or talk.said[-1] if talk.said else ""


class _Talk:
    """The caller's turns, each read at most once."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.said: list[str] = []
        """Of each turn, the caller's lines put together."""
        self.told: list[str] = []
        """What the agent said before each."""
        self._read: dict[int, Said] = {}
        told: list[str] = []
        for at, line in enumerate(lines):
            if line.role == "agent":
                told.append(line.text)
            elif at and lines[at - 1].role == "caller":
                self.said[-1] += f" {line.text}"
            else:
                self.said.append(line.text)
                self.told.append(" ".join(told))
                told = []

    def read(self, at: int) -> Said:
        if at not in self._read:
            self._read[at] = read(self.said[at])
        return self._read[at]

    def whole(self, at: int, reach: int) -> str:
        """A turn with what has to be carried into it, in plain words; "" where that is nothing."""
        said, told = self.read(at), self.told[at]
        chosen = _chosen(said, told)
        if not reach or not (chosen is not None or said.leans or _answers(said, told)):
            return ""
        if not said.words and not chosen and not (said.agrees and _asked(told)):
            return ""  # "no thanks"
        before = next((turn for turn in range(at - 1, max(at - 1 - FAR, -1), -1) if self._says_something(turn)), None)
        if before is None:
            return ""
        earlier = self.whole(before, reach - 1) or self.read(before).said
        if said.more:
            return earlier
        if chosen is not None:
            return ", ".join(filter(None, (earlier, chosen)))
        if said.clause:
            return _asked_of(said, bare(earlier), self.told[before + 1 : at + 1])
        return put_into(bare(earlier), said.words, corrects=said.corrects)

    def _says_something(self, at: int) -> bool:
        """Whether a later turn may lean on it, or on what the agent told in answer: "okay thanks" says nothing."""
        said = self.read(at)
        if said.more:
            return False
        if said.subjects or said.question.asks:
            return True
        return bool(said.question.terms) and (said.fragment or _named(self.told[at + 1]) != "")


# --- what it is about --------------------------------------------------------------------------------------


def _asked_of(said: Said, earlier: str, told: Sequence[str]) -> str:
    """A question of its own kind, asked of what was spoken of; `told` are the agent's words since, oldest first."""
    pointer = said.pointer
    if pointer is not None and pointer[0] in _PERSON:
        name = next(filter(None, map(_person, reversed(told))), "")
        if name:
            return f"{said.words[: pointer.start()]}{name}{said.words[pointer.end() :]}"
    subject = _subject(earlier, said.question)
    named = _named(told[0]) if pointer is not None else ""
    known = {stem(word) for word in subject.split()}
    if all(stem(word) in known for word in named.split()):
        named = ""
    return ", ".join(filter(None, (named, subject, said.words)))


def _subject(earlier: str, asking: Question) -> str:
    """The earlier question's words from the first that tells something to the last. What it asked is left out where
    the new one asks something itself."""
    words = earlier.split()
    silent = vocabulary.STOP | (vocabulary.RELATIONAL if asking.asks else frozenset())
    telling = [at for at, word in enumerate(words) if word not in silent and not word.isdigit()]
    return " ".join(words[telling[0] : telling[-1] + 1][-_LONGEST_SUBJECT:]) if telling else ""


def _named(told: str) -> str:
    """What an answer names, in its own words; "" where it only speaks of what the caller had named."""
    for sentence in sentences(told):
        if _DESCRIBES.match(sentence):
            return ""
        words = bare(sentence).split()
        telling = [at for at, word in enumerate(words) if _names(word)]
        if telling and not _ASKS_CALLER.search(sentence) and not {"it", "they", "them"} & set(words[: telling[0]]):
            last = max(at for at in telling if at < telling[0] + _LONGEST_NAME)
            return " ".join(words[telling[0] : last + 1])
    return ""


def _names(word: str) -> bool:
    """Whether a word may be a thing's name: not what every talk holds, no day, no figure."""
    said_often = word in vocabulary.STOP or word in vocabulary.COMMON or word in vocabulary.RELATIONAL
    return not (said_often or word in vocabulary.NUMBERS or any(map(str.isdigit, word)) or days_in(word))


def _person(told: str) -> str:
    """The first name in an answer: words with a capital that are no common words at the beginning of a sentence."""
    for found in _NAME.finditer(told):
        words = [word for word in found[0].split() if _names(word.lower()) and word.lower() not in _COURTESIES]
        if words:
            return " ".join(words)
    return ""


# --- what the agent asked ----------------------------------------------------------------------------------


def _asked(before: str) -> str:
    """The agent's question that the caller answers, if it can be one; ""."""
    asked = next((text for text in reversed(sentences(before)) if text.endswith("?")), "")
    return "" if _OF_THE_CALL.search(plain(asked)) else asked


def _answers(said: Said, before: str) -> bool:
    """Whether these are a few words in answer to a question of the agent's that says of what: "for how many days?"."""
    return not said.clause and bool(read(_asked(before)).subjects)


def _chosen(said: Said, before: str) -> str | None:
    """What the caller chose of the things that the agent asked about; "" for none of them, None where that was no
    answer to it."""
    asked = plain(_asked(before)).rstrip("? ")
    offers = _ASKS_WHICH.match(asked) is not None or len(asked.split()) <= _PLAIN_CHOICE
    split = re.split(r",\s*(?:or\b)?|\bor\b", asked) if offers else [asked]
    options = [option for each in split if (option := bare(_ASKS_WHICH.sub("", each)))]
    if len(options) < 2:
        offered = read(" ".join(options))
        agreed = said.agrees and not said.question.terms and bool(offered.question.asks or offered.subjects)
        return offered.words if agreed else None
    placed = _PLACED.match(said.words)
    if placed is not None:
        at = _AT[placed[1]]
        return options[at] if at < len(options) else ""
    if _ALL.match(said.words):
        return ", ".join(options)
    return "" if _NONE.match(said.words) else _by_word(said, options)


def _by_word(said: Said, options: Sequence[str]) -> str | None:
    """The option that most of the caller's words belong to; with a question besides, the caller's own words."""
    own = _stems(said.words)
    shared = [len(own & _stems(option)) for option in options]
    if not max(shared) or shared.count(max(shared)) > 1:
        return None
    option = options[shared.index(max(shared))]
    if said.clause and said.pointer is None and not {stem(word) for word in said.subjects} <= _stems(option):
        return None  # a question of its own that happens to share a word
    return said.words if said.question.asks else option


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split() if word not in vocabulary.STOP)


__all__ = ["leans_back", "standalone_question"]
