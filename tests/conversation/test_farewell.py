"""What is nothing but a goodbye, and what only sounds like one."""

from __future__ import annotations

import pytest

from voicectl.conversation.farewell import is_farewell


@pytest.mark.parametrize(
    "text",
    [
        "Bye.", "Goodbye!", "Bye-bye, thank you!", "Thank you very much.", "Thanks.", "Okay, thanks, bye.",
        "Alright then, bye", "No thanks, bye", "Bye now", "Have a good evening", "All right, bye.", "You too!",
        "Great, thanks a lot, have a nice day", "Take care", "See you later", "Good night", "That's all, thank you.",
        "Cheers", "Okay bye bye", "Talk to you later",
    ],
)  # fmt: skip
def test_farewells(text: str) -> None:
    assert is_farewell(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Okay, so…", "And", "So", "See", "Great, and one", "Wait", "Thanks, but what about Sunday?",
        "Bye the way, do you sell helmets?", "One more thing", "No", "Yes please", "What?", "Can I buy a bike?",
    ],
)  # fmt: skip
def test_other_words(text: str) -> None:
    assert not is_farewell(text)


@pytest.mark.parametrize(
    "text", ["Yes please", "Sure", "Thanks a lot", "Yeah, go ahead", "Perfect, thank you", "I'll hold"]
)
def test_agreeing_to_be_put_through(text: str) -> None:
    assert is_farewell(text, to_a_person=True)


def test_objecting_to_be_put_through() -> None:
    assert not is_farewell("No wait, I don't want that", to_a_person=True)
    assert not is_farewell("Yes, but what are your hours?", to_a_person=True)
