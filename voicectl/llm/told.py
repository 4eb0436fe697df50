"""What the caller has been told in this call, so that it is not told twice.

A sentence counts as told when an agent's line holds it as it was spoken, an item of a list also when it was said in one
sentence with others. Where the caller cut in, the last sentence was not heard to its end and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voicectl.conversation.questions import plain, read_question, stem
from voicectl.conversation.sentences import sentences
from voicectl.conversation.spoken import speakable
from voicectl.conversation.turns import Line

_MORE = re.compile(
    r"\b(?:tell me more|(?:know|hear|say|learn) more|more about|(?:any|some)thing (?:else|more)|what else|who else"
    r"|the others?|other ones|the rest|which others?|more (?:details?|information|info)|go on)\b"
)
_AS_I_SAID = "As I said, "


@dataclass(frozen=True, slots=True)
class Told:
    sentences: frozenset[str] = frozenset()
    text: str = ""
    """All of them, in order."""
    more: bool = False
    """The caller asks for what has not been told yet."""

    def has(self, text: str) -> bool:
        """Whether every sentence of a text has been told."""
        return bool(self.sentences) and _plain_sentences(speakable(text)) <= self.sentences

    def holds(self, phrase: str) -> bool:
        """Whether some words have been said, within whatever sentence."""
        return f" {_plain_sentence(speakable(phrase))} " in self.text


NOTHING = Told()


def told_in(lines: Sequence[Line]) -> Told:
    """What the conversation so far has told; the caller's last line says whether there is to be more."""
    said: list[str] = []
    for line in lines:
        if line.role == "agent":
            heard = sentences(line.text.removeprefix(_AS_I_SAID))
            said += map(_plain_sentence, heard[:-1] if line.cut else heard)
    question = next((line.text for line in reversed(lines) if line.role == "caller"), "")
    return Told(frozenset(said), f" {' | '.join(said)} ", wants_more(question))


def as_i_said(text: str) -> str:
    """An answer that was given before, given once more."""
    first, _, _ = text.partition(" ")
    named = not first[1:].islower() and len(first) > 1
    return f"{_AS_I_SAID}{text if named or first == 'I' else text[:1].lower() + text[1:]}"


def wants_more(text: str) -> bool:
    """Whether a question asks for more of what the last answer was about."""
    return bool(_MORE.search(plain(text)))


def asked_again(lines: Sequence[Line]) -> bool:
    """Whether the caller's last question is one asked before, in words that come to the same."""
    asked = [line.text for line in lines if line.role == "caller"]
    return bool(asked) and _gist(asked[-1]) in {_gist(text) for text in asked[:-1]}


def _gist(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[int]]:
    question = read_question(text)
    return frozenset(stem(term.word) for term in question.terms), question.asks - {"yes_no"}, question.days


def _plain_sentences(text: str) -> frozenset[str]:
    return frozenset(map(_plain_sentence, sentences(text)))


def _plain_sentence(text: str) -> str:
    return " ".join(re.sub(r"[^\w$€£%]+", " ", plain(text)).split())
