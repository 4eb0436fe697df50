"""Words, sentences and the time they take."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl.conversation.pace import heard_after, speaking_seconds
from voicectl.conversation.sentences import sentence_ends
from voicectl.conversation.words import word_boundary, word_count, word_end


@pytest.mark.parametrize(
    ("text", "offset", "boundary"),
    [
        ("hello world", 5, 5),
        ("hello world", 6, 6),
        ("hello world", 8, 6),
        ("hello", 0, 0),
        ("hello", 5, 5),
        ("hello", 99, 5),
        ("it costs $1,250.00 now", 12, 9),
        ("it costs $1,250.00 now", 16, 9),
        ("at 10:30 sharp", 5, 3),
        ("50% off", 2, 0),
        ("don't go", 4, 0),
        ("well-known", 5, 5),
        ("well-known", 8, 5),
        ("We are open.", 11, 11),
        ("営業時間", 2, 2),
        ("がぎ", 1, 1),
        ("か\u3099", 1, 0),
        ("cafe\u0301 noir", 4, 0),
        ("naïve", 3, 0),
    ],
)
def test_word_boundary(text: str, offset: int, boundary: int) -> None:
    assert word_boundary(text, offset) == boundary


@given(st.text(max_size=60), st.integers(-2, 70))
@settings(max_examples=1000, deadline=None, database=None)
def test_boundaries_lie_around_the_offset_and_stay_where_they_are(text: str, offset: int) -> None:
    clipped = max(0, min(offset, len(text)))
    before, after = word_boundary(text, offset), word_end(text, offset)
    assert 0 <= before <= clipped <= after <= len(text)
    assert word_boundary(text, before) == before and word_end(text, after) == after
    assert word_boundary(text, len(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("We are open.", True),
        ("Really?", True),
        ('He said "yes."', True),
        ("Yes! ", True),
        ("はい。", True),
        ("Wait…", True),
        ("We are open", False),
        ("Ask Dr.", False),
        ("at 9 a.m.", True),
        ("on Main St.", False),
        ("J.", False),
        ("So do I.", True),
        ("", False),
        ("one, ", False),
    ],
)
def test_sentence_ends(text: str, ends: bool) -> None:
    assert (len(text.rstrip()) in sentence_ends(text)) is ends


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("one two  three", 3), ("営業時間", 2), ("営業 time", 2), ("naïve café – yes", 3)]
)
def test_word_count(text: str, words: int) -> None:
    assert word_count(text) == words


LONG = " the quick brown fox jumps over the lazy dog while the spike keeps talking so you can interrupt it."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("This is the spike. Say something, or press a key.", 2.57),
        (LONG, 4.54),
        ("I heard:", 0.64),
        ("Sentence 1 of twelve:", 1.23),
        (" I am interrupting you now.", 1.34),
        ("Four seven two nine zero one three eight.", 1.85),
        ("This is the second relay session on the same call.", 2.63),
    ],
)
def test_speaking_time_is_near_what_was_recorded(text: str, seconds: float) -> None:
    assert speaking_seconds(text) == pytest.approx(seconds, rel=0.25)


@pytest.mark.parametrize(
    ("text", "seconds", "heard"),
    [
        ("This is the spike. Say something, or press a key.", 0.015, "This"),
        ("Got 8 digits.", 0.127, "Got"),
        ("Sentence 2 of twelve:", 0.684, "Sentence 2 of"),
        (LONG, 1.573, " the quick brown fox jumps over the"),
    ],
)
def test_words_that_have_begun_count_as_heard_as_on_recorded_calls(text: str, seconds: float, heard: str) -> None:
    assert text[: heard_after(text, seconds)] == heard


TEXT = st.lists(
    st.sampled_from(["Hello. ", "It is $4.50: yes ", "営業時間は。", "word ", "a-b ", "\n"]), max_size=15
).map("".join)


@given(TEXT, st.floats(0, 60), st.floats(0, 5))
@settings(max_examples=500, deadline=None, database=None)
def test_hearing_only_ever_advances_from_word_to_word(text: str, seconds: float, more: float) -> None:
    first, second = heard_after(text, seconds), heard_after(text, seconds + more)
    assert 0 <= first <= second <= len(text)
    assert word_boundary(text, first) == first
    assert heard_after(text, 0) == 0
    assert heard_after(text, speaking_seconds(text) + 0.001) == len(text)
