"""Several prompts as one utterance: nothing is lost that nobody corrected, and what was corrected is gone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl.conversation.hearing.joining import join


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], ""),
        (["", "  "], ""),
        (["I'd like to book a table.", "For two.", "On Sunday."], "I'd like to book a table for two on Sunday."),
        (["I'd like to.", "Book a table."], "I'd like to book a table."),
        (["My name is.", "Tom Baker."], "My name is Tom Baker."),
        (["I'd like to come on…", "Tuesday"], "I'd like to come on Tuesday"),
        (["I want to go to", "May I ask something"], "I want to go to May I ask something"),
        (["What are your hours?", "And do you have parking?"], "What are your hours? And do you have parking?"),
        (["Do you sell bikes.", "On Sunday, are you open?"], "Do you sell bikes. On Sunday, are you open?"),
        (["I want to", "to come at five"], "I want to come at five"),
        (["I'd like to book a table", "I'd like to book a table for two"], "I'd like to book a table for two"),
        (["Can you", "can you tell me your hours?"], "Can you tell me your hours?"),
        (["ドイツ語を", "お願いします"], "ドイツ語をお願いします"),
        (["five", "five"], "five five"),
    ],
)
def test_pieces_of_a_sentence(parts: list[str], whole: str) -> None:
    assert join(parts, "en-US") == whole


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["A table for two.", "No sorry, for three."], "A table for three."),
        (["I want to come on Tuesday", "I mean Wednesday"], "I want to come on Wednesday"),
        (["I want to come on Tuesday. I mean, Wednesday."], "I want to come on Wednesday."),
        (["I'd like to book a tune-up… scratch that, a full service"], "I'd like to book a full service"),
        (["I'd like to book a tune-up.", "Scratch that.", "A full service."], "I'd like to book a full service."),
        (["I'd like to book a table for two on Friday.", "No wait, I want to cancel my booking."],
         "I want to cancel my booking."),
        (["Hi, my name is Tom.", "I want a tune-up.", "No wait, I want to cancel my booking."],
         "Hi, my name is Tom. I want to cancel my booking."),
        (["A table for two, no, for three people"], "A table for three people"),
        (["A table for two, no, for three people on Sunday at five, please."],
         "A table for three people on Sunday at five, please."),
        (["At five, no, six, no, seven."], "At seven."),
        (["A table for two, make that three"], "A table for three"),
        (["Can I come on Tuesday?", "Sorry, Wednesday."], "Can I come on Wednesday?"),
        (["I'd like a bike for Sunday, actually for Monday"], "I'd like a bike for Monday"),
    ],
)  # fmt: skip
def test_corrections(parts: list[str], whole: str) -> None:
    assert join(parts, "en-US") == whole


@pytest.mark.parametrize(
    ("language", "parts", "whole"),
    [
        ("de-DE", ["Einen Tisch für zwei.", "Nein Entschuldigung, für drei."], "Einen Tisch für drei."),
        ("de-DE", ["Ich komme am Dienstag, nein, am Mittwoch."], "Ich komme am Mittwoch."),
        ("de-DE", ["Ich möchte einen Tisch buchen.",
                   "Nein, warten Sie, ich möchte stornieren."], "Ich möchte stornieren."),
        ("de-DE", ["Ich hätte gern einen.", "Tisch für zwei."], "Ich hätte gern einen Tisch für zwei."),
        ("es-ES", ["Una mesa para dos.", "No, perdón, para tres."], "Una mesa para tres."),
        ("fr-FR", ["Je viens mardi", "non pardon, mercredi"], "Je viens mercredi"),
        ("it-IT", ["Un tavolo per due", "anzi, per tre"], "Un tavolo per tre"),
        ("pt-BR", ["Uma mesa para dois", "quer dizer, para três"], "Uma mesa para três"),
        ("nl-NL", ["Een tafel voor twee", "nee sorry, voor drie"], "Een tafel voor drie"),
    ],
)  # fmt: skip
def test_corrections_elsewhere(language: str, parts: list[str], whole: str) -> None:
    assert join(parts, language) == whole


@pytest.mark.parametrize(
    "parts",
    [
        ["Do you have red ones?", "No, I don't have a reservation."],
        ["I don't eat meat.", "No fish."],
        ["I can't find it.", "No, sorry, I don't have it."],
        ["How much is the bike?", "I mean, how much is it to rent it?"],
        ["My name is Tom.", "No wait, I have one more question."],
        ["I'd like it for Sunday.", "Actually, for my son."],
        ["A table for two.", "Sorry, for my son."],
        ["Two adults, no kids."],
        ["There's no sugar, no milk."],
        ["I have no car, sorry about that."],
        ["I mean, how much is it?"],
        ["No, on Sunday."],
        ["Sorry, what was that?"],
        ["I was there on Monday, and no, the door was shut."],
        ["Wait, is Sunday okay?"],
    ],
)
def test_what_corrects_nothing_is_kept(parts: list[str]) -> None:
    assert join(parts, "en-US") == " ".join(parts)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["My number is 0151.", "5 5 5.", "Seven eight."], "My number is 015155578."),
        (["my number is oh one five one", "double five", "triple seven"], "my number is 015155777"),
        (["five five five", "one two three four"], "5551234"),
        (["My code is", "four four one two"], "My code is 4412"),
        (["my number is 415", "555-12", "twenty five"], "my number is 4155551225"),
        (["my order number is 4 5", "6 6 please"], "my order number is 4566 please"),
        (["my number is 555 12", "no, six"], "my number is 55516"),
        (["my number is 555 12", "no, five six"], "my number is 55556"),
        (["My number is 555 1235.", "No, it's 555 1234."], "My number is 5551234"),
        (["my number is 555 12, no, 13"], "my number is 55513"),
        (["twenty five", "euros"], "twenty five euros"),
        (["two", "people"], "two people"),
        (["My number is 5551234.", "2 people."], "My number is 5551234. 2 people."),
        (["at 5", "for 2"], "at 5 for 2"),
        (["We are 5.", "6"], "We are 5. 6"),
        (["My number is five five."], "My number is five five."),
    ],
)
def test_dictated_numbers(parts: list[str], whole: str) -> None:
    assert join(parts, "en-US") == whole


def test_numbers_in_german() -> None:
    assert join(["Meine Nummer ist null eins fünf eins", "fünfundzwanzig", "doppel drei"], "de-DE") == (
        "Meine Nummer ist 01512533"
    )


_WORD = st.sampled_from(
    "I we want need bike table Sunday the a for on at and helmet with is open book please my Tom How much it".split()
)
_PART = st.lists(_WORD, min_size=1, max_size=8).map(" ".join)
_MARKED = st.tuples(_PART, st.sampled_from(["", ".", "?", ",", "…", " -"])).map("".join)


def _bare(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@given(st.lists(_MARKED, min_size=1, max_size=5), st.sampled_from(["", "en-US", "de-DE", "ja-JP"]))
@settings(max_examples=200, deadline=None)
def test_no_word_is_lost(parts: list[str], language: str) -> None:
    """Except those that are said twice where a new prompt begins."""
    left = _bare(join(parts, language))
    for part in parts:
        words = _bare(part)
        assert any(left[at : at + len(words)] == words for at in range(len(left) - len(words) + 1))
    assert set(left) == {word for part in parts for word in _bare(part)}


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_one_prompt_stays_as_it_is(text: str) -> None:
    assert join([text]) == (text if text.strip() else "")


@given(
    st.lists(
        st.text(max_size=30) | _MARKED | st.sampled_from(["no, ", "I mean", "scratch that", "sorry, for 5"]), max_size=5
    )
)
@settings(max_examples=200, deadline=None)
def test_anything_can_be_joined(parts: list[str]) -> None:
    assert isinstance(join(parts, "en-US"), str)
