"""All of this runs on the event loop for every transcript: what it takes grows with the text, and no faster."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from voicectl.conversation.hearing.asking_language import wants_language
from voicectl.conversation.hearing.backchannel import is_backchannel
from voicectl.conversation.hearing.guessing import same_question, stable
from voicectl.conversation.hearing.joining import join
from voicectl.conversation.hearing.moments import (
    asks_a_question,
    asks_for_number,
    offered_choices,
    wants_a_moment,
)
from voicectl.conversation.hearing.unfinished import unfinished

READERS: dict[str, Callable[[str], object]] = {
    "is_backchannel": is_backchannel,
    "unfinished": unfinished,
    "unfinished, asked": lambda text: unfinished("five", asked=text),
    "wants_a_moment": wants_a_moment,
    "asks_for_number": asks_for_number,
    "asks_a_question": asks_a_question,
    "offered_choices": offered_choices,
    "join": lambda text: join([text]),
    "join, two": lambda text: join(["I want to", text]),
    "same_question": lambda text: same_question(text, text + " b"),
    "stable": stable,
    "wants_language": lambda text: wants_language(text, ("de-DE",)),
}
NASTY = [
    "I'd like to know whether you are open on Sunday because my bike is broken. ",
    "no, ", "five ", "okay ", "the one i ", "hold on ", "sorry, for two, ", "1 2 3 ", "what ", "can you speak ",
    "let me check my ", "? ", "or ", "はい", "wait, i mean ", " - ", "a few ", "so ", "please ",
]  # fmt: skip
LONG = 10_000
TIMES_AS_LONG = 8
PER_CHARACTER = 4
"""Eight times the text may take four times as long per character before it is taken for a runaway; a quadratic reader
takes eight times."""


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_text_and_no_faster(name: str) -> None:
    read = READERS[name]
    for text in NASTY:
        long = (text * LONG)[:LONG]
        for _ in range(3):  # another process may have had the core
            short_seconds = _seconds(read, long[: LONG // TIMES_AS_LONG])
            long_seconds = _seconds(read, long)
            if long_seconds < 0.004 or long_seconds < short_seconds * TIMES_AS_LONG * PER_CHARACTER:
                break
        else:
            pytest.fail(f"{text!r}: {short_seconds:.4f} s, then {long_seconds:.4f} s")


@pytest.mark.parametrize("name", READERS)
def test_a_short_text_can_be_as_nasty_as_it_likes(name: str) -> None:
    """A reader that tries every way to part a text never comes back from 150 characters of it."""
    for text in NASTY:
        READERS[name]((text * 150)[:150] + "x")


def _seconds(read: Callable[[str], object], text: str) -> float:
    best = 1e9
    for _ in range(2):
        begun = time.perf_counter()
        read(text)
        best = min(best, time.perf_counter() - begun)
    return best
