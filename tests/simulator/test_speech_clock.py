"""Chunks and durations, against what recordings show."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.simulator.speech_clock import Chunker, heard, seconds_to_dial, seconds_to_say

LONG = "the quick brown fox jumps over the lazy dog while the spike keeps talking so you can interrupt it."
EIGHT_SECONDS = (
    "This is a short reply of about eight seconds, so that digits queued behind it can still be heard by the gather "
    "on the caller leg before it times out."
)


def chunks(text: str, tokens: list[str] | None = None) -> list[str]:
    """What `text` is cut into, fed word by word as recorded applications did."""
    words = text.split(" ")
    chunker: Chunker[None] = Chunker()
    found = []
    for token in tokens or [words[0], *(f" {word}" for word in words[1:])]:
        found += chunker.add(token, None)
    return [chunk for chunk, _ in found + chunker.flush()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Sentence 1 of twelve: {LONG} Sentence 2", ["Sentence 1 of twelve:", f" {LONG}", " Sentence 2"]),
        ("I heard: Stop. Stop. I am now.", ["I heard:", " Stop.", " Stop.", " I am now."]),
        ("Okay. I will stay quiet now.", ["Okay.", " I will stay quiet now."]),
        (EIGHT_SECONDS, [EIGHT_SECONDS[:46], EIGHT_SECONDS[46:]]),
        ("Really? Yes! Of course", ["Really?", " Yes!", " Of course"]),
        ('He said "no." Then he left.', ['He said "no."', " Then he left."]),
        ("It costs 3.50 at 10:30, not 4", ["It costs 3.50 at 10:30, not 4"]),
        ("Say something, or press a key.", ["Say something, or press a key."]),
        ("We close early, and I am sorry", ["We close early, and I am sorry"]),  # the clause is not long
        (
            "We have bicycles for the whole family here, every size, no waiting, that is a promise",
            ["We have bicycles for the whole family here, every size, no waiting, that is a promise"],
        ),
        (
            "We have bicycles for the whole family here, and helmets too",
            ["We have bicycles for the whole family here, ", "and helmets too"],
        ),
        ("はい。営業中です。", ["はい。", "営業中です。"]),
        ("   ", []),
    ],
)
def test_where_text_is_cut(text: str, expected: list[str]) -> None:
    assert chunks(text) == expected


PIECES = [
    "a",
    "bicycle",
    " ",
    "  ",
    ".",
    ". ",
    "?",
    ": ",
    ", ",
    ", so ",
    ", and ",
    ", And",
    "\n",
    "。",
    "a clause that is long enough",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.lists(st.integers(0, 120), max_size=12))
def test_tokens_do_not_matter(text: str, cuts: list[int]) -> None:
    """However text is cut into tokens: nothing is lost, and the chunks are the same."""
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    tokens = [text[a:b] for a, b in pairwise(edges)]
    at_once = chunks(text, [text])
    assert "".join(at_once).strip() == text.strip()
    assert chunks(text, tokens or [""]) == at_once


def test_a_chunk_is_marked_by_the_token_it_begins_in() -> None:
    chunker: Chunker[int] = Chunker()
    assert chunker.add("One.", 1) == []
    assert chunker.add(" Two. Three", 2) == [("One.", 1), (" Two.", 2)]
    assert chunker.mark == 2
    assert chunker.add(" and", 3) == []
    assert chunker.flush() == [(" Three and", 2)]
    assert chunker.add(" ", 4) == []
    assert not chunker
    assert chunker.add("more", 5) == []
    assert chunker.flush() == [(" more", 5)]


RECORDED = [  # text, seconds from the first audio (or the chunk before) to its end
    ("This is the spike. Say something, or press a key.", 2.57),
    (EIGHT_SECONDS[46:], 4.86),
    (EIGHT_SECONDS[:46], 2.256),
    (" " + LONG, 4.54),
    ("Sentence 1 of twelve:", 1.228),
    ("I heard:", 0.637),
    (" Holding.", 0.79),
    ("Got 0 digits.", 1.097),
    ("Key 9.", 0.662),
    ("Okay.", 0.573),
    (" I will stay quiet now.", 1.139),
    (" I am interrupting you now.", 1.339),
    (" Four seven two nine zero one three eight.", 1.849),
    ("This is the second relay session on the same call.", 2.627),
]


@pytest.mark.parametrize(("text", "seconds"), RECORDED)
def test_length_within_25_percent_of_the_recorded(text: str, seconds: float) -> None:
    assert seconds_to_say(text) == pytest.approx(seconds, rel=0.25)


def test_digits_take_as_long_as_recorded() -> None:
    assert seconds_to_dial("1234#") == pytest.approx(1.9, abs=0.02)
    assert seconds_to_dial("1w") == pytest.approx(0.88)


@pytest.mark.parametrize(
    ("text", "elapsed", "expected"),
    [
        ("This is the spike. Say something, or press a key.", 0.015, "This"),
        ("Got 8 digits.", 0.127, "Got"),
        (" Sentence 2 of twelve:", 0.684, " Sentence 2 of"),
        (" " + LONG, 1.573, " the quick brown fox jumps over the"),
        ("Hello there.", 0.0, "Hello"),
        ("Hello there.", -0.1, ""),
        ("Hello there. ", 60.0, "Hello there."),
        ("今日は。", 0.3, "今日"),
        ("", 1.0, ""),
    ],
)
def test_words_that_have_begun_are_heard(text: str, elapsed: float, expected: str) -> None:
    assert heard(text, seconds_to_say(text), elapsed) == expected


@given(st.text(max_size=60), st.floats(0, 10), st.floats(0, 10))
def test_more_time_more_words(text: str, a: float, b: float) -> None:
    early, late = (heard(text, 5.0, t) for t in sorted((a, b)))
    assert text.startswith(late)
    assert late.startswith(early)
