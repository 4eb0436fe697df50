"""What a caller's own words ask of the call, and what only sounds like it."""

from __future__ import annotations

import pytest

from voicectl.conversation.turns import Closing, Line
from voicectl.conversation.wishes import agrees, asks_source, asks_to_close


def asks(closing: Closing, *said: str, before: str = "We open at ten.") -> bool:
    return asks_to_close(closing, (Line("agent", before), *(Line("caller", text) for text in said)))


@pytest.mark.parametrize(
    "text",
    [
        "Bye.", "Okay, that's all I needed, thank you. Goodbye.", "Thanks!", "I've got to go.", "Please hang up.",
        "That's it, thanks", "That's everything for today", "Nothing else, thank you", "Okay I have to run now, thanks",
        "Goodbye Robin", "Auf Wiederhören!", "Merci, au revoir.", "Vale, hasta luego.", "Grazie, arrivederci",
        "Tschüss", "さようなら", "end the call", "I'm done, thanks",
    ],
)  # fmt: skip
def test_leaving(text: str) -> None:
    assert asks("goodbye", text)


@pytest.mark.parametrize(
    "text",
    [
        "When do you open?", "Thanks, and on Sundays?", "Is that all?", "Do I have to go there?", "What is that for",
        "Do you sell goodbye cards", "Yes.", "No.", "Okay.", "Stop.", "I need to know more", "That's all wrong",
        "Let me go over it again", "How do I end the call to the workshop", "Bye the way, are you open?", "",
        "That's everything for the repair, how much is the rental",
    ],
)  # fmt: skip
def test_staying(text: str) -> None:
    assert not asks("goodbye", text)


def test_a_no_ends_the_call_only_after_is_there_anything_else() -> None:
    assert asks("goodbye", "No.", before="Is there anything else I can help with?")
    assert asks("goodbye", "No, I don't think so", before="Anything else?")
    assert not asks("goodbye", "No.", before="Shall I say that again?")


@pytest.mark.parametrize(
    "text",
    [
        "Can I talk to a person?", "Representative!", "I want a human", "Put me through please", "(pressed keys: 0)",
        "Ich möchte mit jemandem sprechen", "Je voudrais parler à un conseiller", "Quiero hablar con una persona",
        "Vorrei parlare con un operatore", "Verbinden Sie mich bitte",
    ],
)  # fmt: skip
def test_wanting_a_person(text: str) -> None:
    assert asks("person", text)


@pytest.mark.parametrize(
    "text", ["When do you open?", "Yes.", "Is a person needed to sign?", "(pressed keys: 5)", "Bye", "Who repairs it?"]
)
def test_wanting_none(text: str) -> None:
    assert not asks("person", text)


def test_a_yes_to_the_offer_of_one() -> None:
    for offer in ("Shall I put you through to a person?", "I don't know. Would you like me to connect you with Tess?"):
        assert asks("person", "Yes, please.", before=offer)
        assert not asks("person", "What are your hours?", before=offer)
        assert not asks("goodbye", "Yes, please.", before=offer)
    assert not asks("person", "Yes, please.", before="I could put you through. Do you need a helmet?")


def test_all_the_words_since_the_agent_spoke_count() -> None:
    assert asks("person", "Um, hello?", "I want to talk to", "a real person.")
    assert asks("goodbye", "That's all.", "Thank you, bye.")
    assert not asks("goodbye", "Bye.", "Oh wait, when do you open?")
    assert not asks_to_close("goodbye", ())


@pytest.mark.parametrize(
    "text", ["Yes.", "Yeah, sure, please.", "Go ahead", "Okay.", "That would be great", "Ja bitte", "Oui"]
)
def test_a_yes(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text", ["No.", "Yes, but not now", "Yesterday", "Sure you are open?", "Please stop", "", "Site"]
)
def test_not_a_yes(text: str) -> None:
    assert not agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "Where did you get that?", "Says who?", "Who says that?", "How do you know?", "Is that on your website?",
        "Where does it say that?", "What's your source?", "Where is that from?", "Are you sure about that?",
    ],
)  # fmt: skip
def test_asking_for_the_source(text: str) -> None:
    assert asks_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "Where do you get your bikes?", "Who is the owner?", "Do you have a website?",
        "How do I know which size I need?", "Is the price list on your website?", "Where are you?",
        "Where is that shop?", "How do you know my number works?",
    ],
)  # fmt: skip
def test_asking_for_something_else(text: str) -> None:
    assert not asks_source(text)
