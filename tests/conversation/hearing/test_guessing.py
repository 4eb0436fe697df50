"""Whether a reply begun early fits what was said in the end, and when to begin one."""

from __future__ import annotations

import pytest

from voicectl.conversation.hearing.guessing import same_question, stable


@pytest.mark.parametrize(
    ("early", "final"),
    [
        ("are you open on sunday", "Are you open on Sunday?"),
        ("um are you open on sun", "Are you open on Sunday?"),
        ("Hi, are you uh open on Sunday", "Are you open on Sunday, please?"),
        ("how much is it", "How much is it? Thank you."),
        ("a table for two", "A table for 2, please."),
        ("do you op- open on Sunday", "Do you open on Sunday?"),
        ("are you open open on Sunday", "Are you open on Sunday"),
        ("I don't want it", "I do not want it."),
        ("what's your address", "What is your address?"),
        ("it's 1,500", "it's 1500"),
        ("ich möchte ähm einen Tisch", "Ich möchte einen Tisch, bitte."),
        ("okay so when do you close", "When do you close?"),
        ("what about tomor", "What about tomorrow?"),
        ("please", "Please."),
        ("日本語でお願いします", "日本語でお願いします。"),
    ],
)
def test_the_same(early: str, final: str) -> None:
    assert same_question(early, final)


@pytest.mark.parametrize(
    ("early", "final"),
    [
        ("are you open on Sunday", "Are you open on Sundays in winter?"),
        ("are you open on Sunday", "Are you not open on Sunday?"),
        ("are you open on Sunday", "Are you open on Monday?"),
        ("I can come", "I can't come"),
        ("a table for two", "A table for three"),
        ("a table for two", "A table for twenty two"),
        ("at 5", "at 5:30"),
        ("5 5", "5"),
        ("do you have a bike", "do you have a bike trailer"),
        ("is the bike red", "is the bike ready"),
        ("are you open", "are you opening"),
        ("yes", "no"),
        ("please", "thanks"),
        ("", "hello"),
        ("how much is it", "how much is it without tax"),
        ("is it in", "is it insured"),
        ("with milk", "without milk"),
        ("which day", "which days"),
    ],
)
def test_another(early: str, final: str) -> None:
    assert not same_question(early, final)
    assert not same_question(final, early)


@pytest.mark.parametrize(
    "text",
    [
        "Are you open on Sunday",
        "do you sell helmets",
        "What time?",
        "how much",
        "Any parking?",
        "um, how much",
        "予約したいです",
    ],
)
def test_worth_beginning(text: str) -> None:
    assert stable(text)


@pytest.mark.parametrize(
    "text",
    ["", "yes", "are", "I'd like to book a", "mm-hmm okay right", "hold on a second please",
     "my number is five five", "um",
     "a bike", "Let me check my calendar"],
)  # fmt: skip
def test_not_worth_beginning(text: str) -> None:
    assert not stable(text)
