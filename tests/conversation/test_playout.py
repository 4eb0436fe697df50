"""What was heard, from reports, from fragments, and from the clock alone."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from voicectl.conversation.pace import speaking_seconds
from voicectl.conversation.playout import TTS_LATENCY, Playout
from voicectl.conversation.words import word_boundary

TWELVE = "".join(
    f"Sentence {n} of twelve: the quick brown fox jumps over the lazy dog while the spike keeps talking. "
    for n in range(1, 13)
)


def sent(*texts: str, turn: int = 0) -> Playout:
    playout = Playout()
    for text in texts:
        playout.add(turn, text, 0.0)
    return playout


def test_reports_walk_through_the_text() -> None:
    playout = sent(TWELVE)
    playout.played("Sentence 1 of twelve:", 2)
    playout.played(" the quick brown fox jumps over the lazy dog while the spike keeps talking.", 5)
    playout.played("Sentence 2 of", 6)
    assert playout.interrupted("Sentence 2 of", 6) == {0}
    assert playout.heard(0).endswith("talking. Sentence 2 of")


def test_repeated_phrases_are_counted_not_searched() -> None:
    playout = sent("Stop. Stop. Stop. I am here.")
    for at in (1, 2):
        playout.played(" Stop.", at)
    playout.interrupted("Stop.", 2)
    assert playout.heard(0) == "Stop. Stop."


@pytest.mark.parametrize(
    ("text", "fragment", "heard"),
    [
        ("We are open until six. Come in.", "We are open", "We are open"),
        ("We are open until six. Come in.", "Come", "We are open until six. Come"),
        ("It costs $1,250.00 in all.", "It costs $1,250.00", "It costs $1,250.00"),
        ("It costs $1,250.00 in all.", "It costs $1,2", "It costs "),
        ("営業時間は十時からです。", "営業時間", "営業時間"),
        ("Hello  there,\n my friend.", "Hello there, my", "Hello  there,\n my"),
    ],
)
def test_without_reports_the_fragment_is_found_in_the_text(text: str, fragment: str, heard: str) -> None:
    playout = sent(text)
    playout.interrupted(fragment, 1.0)
    assert playout.heard(0).rstrip() == heard.rstrip()


def test_without_reports_a_repeated_fragment_is_the_one_the_clock_points_at() -> None:
    text = "No worries at all. " * 5
    for nth in range(5):
        playout = sent(text)
        playout.audible(0.0)
        playout.interrupted("No worries", speaking_seconds("No worries at all. ") * nth + 0.5)
        assert playout.heard(0).count("No worries") == nth + 1, nth


def test_a_fragment_that_is_nowhere_leaves_it_to_the_clock() -> None:
    playout = sent("One two three four five six seven eight nine ten.")
    playout.audible(0.0)
    playout.interrupted("something else", 1.0)
    heard = playout.heard(0)
    assert "One two" in heard and "nine" not in heard


def test_nothing_was_audible_yet() -> None:
    playout = sent("One two three.")
    assert playout.interrupted("", TTS_LATENCY / 2) == {0}
    assert playout.heard(0) == ""


def test_words_under_way_at_the_interruption_are_heard_after_all() -> None:
    playout = Playout()
    playout.add(0, "Got 8 digits.", 0.0)
    playout.audible(0.3)
    playout.add(1, "Got 0 digits.", 0.4)
    playout.played("Got", 0.43)
    assert playout.interrupted("Got", 0.43) == {0, 1}
    assert playout.played("Got 0 digits.", 1.8) == {1}
    assert (playout.heard(0), playout.heard(1)) == ("Got", "Got 0 digits.")


def test_a_turn_goes_on_after_a_cut() -> None:
    playout = sent("First part. ")
    playout.interrupted("", 0.1)
    playout.add(0, "Second part.", 0.2)
    playout.played("Second part.", 2)
    assert playout.heard(0) == "Second part."


def test_all_is_heard_when_the_carrier_has_no_more() -> None:
    playout = sent("One. ", "Two. ")
    assert playout.pending and playout.drained() == {0} and not playout.pending
    assert playout.heard(0) == "One. Two. "


PIECES = st.sampled_from(
    [
        "Yes. ",
        "Yes, yes. ",
        "It is $1,250.00 today. ",
        "**not** ",
        "at 10:30 ",
        "Stop. ",
        "営業時間は十時から。",
        "naïve café ",
        "OK! ",
    ]
)


@given(st.lists(PIECES, min_size=1, max_size=12), st.data())
@settings(max_examples=500, deadline=None, database=None)
def test_with_reports_the_heard_text_is_exactly_the_reported_prefix(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    playout = sent(*pieces)
    whole = data.draw(st.integers(0, len(pieces) - 1))
    at = 0.0
    for piece in pieces[:whole]:
        at += 1
        playout.played(piece.strip(), at)
    chunk = pieces[whole].strip()
    cut = chunk[: word_boundary(chunk, data.draw(st.integers(0, len(chunk))))].strip()
    assume(whole or cut)  # without a single report the clock decides
    if cut:
        playout.played(cut, at + 0.5)
    playout.interrupted(cut, at + 0.5)
    expected = "".join("".join(pieces[:whole]).split()) + "".join(cut.split())
    heard = playout.heard(0)
    assert "".join(heard.split()) == expected
    assert text.startswith(heard)
    assert word_boundary(text, len(heard)) == len(heard)


@given(st.lists(PIECES, min_size=1, max_size=12), st.floats(0, 60))
@settings(max_examples=500, deadline=None, database=None)
def test_by_the_clock_the_heard_text_is_a_prefix_that_ends_at_a_word(pieces: list[str], at: float) -> None:
    text = "".join(pieces)
    playout = sent(*pieces)
    playout.lost(at)
    heard = playout.heard(0)
    assert text.startswith(heard)
    assert word_boundary(text, len(heard)) == len(heard)
