"""Words the owner decides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl.conversation.wording import Wording

SAID = {
    "Nguyen": "Win",
    "SQL": "sequel",
    "New York": "Noo Yawk",
    "York": "Yorrk",
    "C++": "C plus plus",
    "GIF": "jif",
    "Cheap": "good value",
    "Köln": "Cologne",
}
NEVER = {
    "cheap": "good value",
    "guarantee": "",
    "honestly": "",
    "to be fair": "",
    "damn": "",
    "the best bike": "a bike",
}


def said(*tokens: str, pronunciations: dict[str, str] = SAID, never_say: dict[str, str] = NEVER) -> str:
    wording = Wording(pronunciations, never_say)
    return "".join([*map(wording.feed, tokens), wording.finish()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask for Nguyen.", "Ask for Win."),
        ("Ask for NGUYEN, please", "Ask for Win, please"),
        ("Ask for nguyen's bike", "Ask for Win's bike"),
        ("Nguyens and MySQL", "Nguyens and MySQL"),
        ("SQL is here. SQL too, SQL", "Sequel is here. Sequel too, sequel"),
        ("In New York and in York", "In Noo Yawk and in Yorrk"),
        ("New Yorker", "New Yorker"),
        ("New, York", "New, Yorrk"),
        ("We speak C++ and GIF", "We speak C plus plus and jif"),
        ("Nach Köln, KÖLN", "Nach Cologne, Cologne"),
        # never said
        ("It is cheap", "It is good value"),
        ("Cheap bikes", "Good value bikes"),
        ("It is the best bike of all", "It is a bike of all"),
        ("A damn good bike", "A good bike"),
        ("Honestly, it is good.", "It is good."),
        ("It is good. Honestly, it is.", "It is good. It is."),
        ("It is, honestly, good", "It is, good"),
        ("It is good, honestly.", "It is good."),
        ("It is good, damn!", "It is good!"),
        ("Good. Damn! We can.", "Good. We can."),
        ("We guarantee, honestly, to be fair, that", "We, that"),
        ("damn damn good", "good"),
        ("We do, to be", "We do, to be"),
        ("We do, to be fair", "We do"),
        ("Damn", ""),
        ("Undamned, damned", "Undamned, damned"),
        ("", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert said(text) == expected
    assert said(*text) == expected


def test_what_is_caught_is_counted() -> None:
    wording = Wording(SAID, NEVER)
    wording.feed("Honestly, a cheap SQL book by Nguyen, damn")
    assert wording.removed == 2  # the last word may go on
    wording.finish()
    assert wording.removed == 3


def test_never_said_wins_over_how_it_is_said() -> None:
    assert said("SQL", pronunciations={"sql": "sequel"}, never_say={"SQL": "the database"}) == "The database"


def test_the_longest_phrase_is_meant() -> None:
    places = {"New": "Noo", "New York": "the Big Apple", "New York City": "NYC"}
    for text, expected in (("New York", "The Big Apple"), ("New York City", "NYC"), ("New bikes", "Noo bikes")):
        assert said(*text, pronunciations=places, never_say={}) == expected


def test_a_replacement_is_not_searched_again() -> None:
    assert said("a b", pronunciations={"a": "b", "b": "a"}, never_say={}) == "b a"


def test_without_words_nothing_is_touched() -> None:
    wording = Wording({}, {"": "x", " ": "y"})
    text = "Any  text,, at all"
    assert not wording.active
    assert wording.feed(text) is text
    assert wording.finish() == ""
    assert Wording({"a": "b"}, {}).active


def test_only_what_may_become_a_phrase_is_held() -> None:
    wording = Wording({"New York": "Noo Yawk"}, {})
    assert wording.feed("I like Ne") == "I like "
    assert wording.feed("w") == ""
    assert wording.feed(" shoes") == "New shoes"
    assert wording.feed(" New York") == " "
    assert wording.feed("er") == "New Yorker"
    assert wording.feed(" or news") == " or news"
    assert wording.finish() == ""


PIECES = [*SAID, *NEVER, "New", "to", "be", "bikes", " ", " ", ", ", ". ", "! ", "er", "s", "Ä", "İ", "ß", "10:30"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.data())
def test_tokens_do_not_matter(text: str, data: st.DataObject) -> None:
    whole = said(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    assert said(*(text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True))) == whole
    assert "  " not in whole or "  " in text
    for never in ("guarantee", "damn", "honestly", "to be fair"):
        assert f" {never} " not in f" {whole.lower()} "
