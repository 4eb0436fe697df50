from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.follow_up import leans_back, standalone_question
from voicectl.conversation.turns import Line


def talk(*lines: str) -> tuple[Line, ...]:
    """Caller and agent in turn, the caller first."""
    return tuple(Line("caller" if at % 2 == 0 else "agent", text) for at, text in enumerate(lines))


@pytest.mark.parametrize(
    "text",
    [
        "what about mondays",
        "how much is that",
        "and a trailer",
        "how long does it take",
        "can i bring it back",
        "do i get a receipt for that",
        "can my ten year old come on that one",
        "which is cheaper",
        "and how much",
        "no i meant the e-bike",
        "even if i lost the receipt",
        "when is she in",
        "can you say that again",
        "could you repair that",
        "for a week",
    ],
)
def test_a_question_that_says_too_little_leans_back(text: str) -> None:
    assert leans_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "do you repair wheelchairs",
        "and do you take apple pay",
        "okay and are you hiring",
        "i broke a spoke how much is that",
        "if i buy a bike do you deliver it",
        "is it possible to rent a tandem",
        "what happens if it rains on the tour",
        "i heard that you rent tandems",
        "do you have a bike that folds",
        "do you have one child seat",
        "what time do you close",
        "who owns the shop",
        "where are you",
        "how do i get there by car",
        "opening hours",
    ],
)
def test_a_question_of_its_own_does_not(text: str) -> None:
    assert not leans_back(text)


@pytest.mark.parametrize(
    ("lines", "standalone"),
    [
        # a fragment takes the place of what it is like
        (("Are you open on Saturday?", "Yes, nine to five.", "And on Sundays?"), "are you open on sundays"),
        (
            ("how much is a city bike for a day", "$38.", "and for a week"),
            "how much is a city bike for a week",
        ),
        (
            ("how much is the lighthouse tour", "$75.", "what about the harbor one"),
            "how much is the harbor tour",
        ),
        (
            ("how much is the four hundred watt battery", "$549.", "and the five hundred"),
            "how much is the five hundred battery",
        ),
        (("can i return a helmet", "No.", "and gloves"), "can i return gloves"),
        # ... or is added to it
        (("do you rent kids bikes", "Yes.", "and a trailer"), "do you rent kids bikes, a trailer"),
        (
            ("can i bring it late", "It's $10 an hour.", "and if it's damaged"),
            "can i bring it late, if it's damaged",
        ),
        # a question of its own kind gets what was spoken of
        (("do you do fittings", "Yes, with Luis.", "what does that cost"), "fittings, what does that cost"),
        (("what does a fitting cost", "$120.", "how long is it"), "fitting, how long is it"),
        (
            ("do you rent tandems", "Yes.", "how much is it", "$70 a day.", "and for a week"),
            "rent tandems how much is it, for a week",
        ),
        # ... or what the agent named
        (
            ("where do i leave my car", "There is a city lot on Water Street.", "how much is that"),
            "city lot on water street, leave my car, how much is that",
        ),
        (
            ("who is your e-bike person", "Priya Nair knows them all.", "when is she in"),
            "when is Priya Nair in",
        ),
        # a turn that says nothing does not change the subject
        (
            ("do you rent tandems", "Yes.", "okay thanks", "You're welcome. Anything else?", "how much is it"),
            "rent tandems, how much is it",
        ),
        # a correction replaces
        (("how much is a mountain bike", "$799.", "no i meant the e-bike"), "how much is the e-bike"),
        (("when is luis in", "On Friday.", "no i said priya"), "when is priya in"),
        (("can i return a bike", "Yes.", "not a bike a jacket"), "can i return a jacket"),
        (("how much is a road bike", "$1,149.", "sorry no how long is it"), "road bike, how long is it"),
    ],
)
def test_a_question_is_made_whole(lines: tuple[str, ...], standalone: str) -> None:
    assert standalone_question(talk(*lines)) == standalone


WHICH = ("how much is delivery", "Is that for a bike, or for parts and accessories?")


@pytest.mark.parametrize(
    ("asked", "answer", "standalone"),
    [
        (WHICH, "the second one", "how much is delivery, for parts and accessories"),
        (WHICH, "uh the first", "how much is delivery, for a bike"),
        (WHICH, "parts", "how much is delivery, for parts and accessories"),
        (WHICH, "it's a bike", "how much is delivery, for a bike"),
        (WHICH, "both", "how much is delivery, for a bike, for parts and accessories"),
        (WHICH, "neither", "how much is delivery"),
        (WHICH, "the third one", "how much is delivery"),
        (WHICH, "do you sell bike helmets", "do you sell bike helmets"),
        (("how do i book", "A repair, a rental or a tour?"), "the last one", "how do i book, a tour"),
        (("can i rent a bike", "Yes. What kind of bike?"), "mountain bike", "can i rent mountain bike"),
        (("do you do fittings", "Yes. Do you want to know the price?"), "yes please", "do you do fittings, the price"),
        (("do you do fittings", "Yes. Anything else?"), "opening hours", "opening hours"),
        (("do you do fittings", "Yes. Anything else?"), "no thanks", "no thanks"),
        (
            ("How long does it take?", "Do you mean returns and warranty or e-bike batteries?"),
            "The battery",
            "how long does it take, e-bike batteries",
        ),
        (WHICH, "tell me about parts", "how much is delivery, for parts and accessories"),
    ],
)
def test_an_answer_to_the_agents_question(asked: tuple[str, str], answer: str, standalone: str) -> None:
    assert standalone_question(talk(*asked, answer)) == standalone


@pytest.mark.parametrize(
    "last",
    [
        "Where can I park my car?",
        "And where is public parking?",
        "by the way what's your email",
        "thanks and how do i make a complaint",
        "how old do i have to be to rent",
    ],
)
def test_nothing_is_carried_into_a_new_subject(last: str) -> None:
    assert standalone_question(talk("Do you rent tandems?", "Yes, they're $70 a day.", last)) == last


@pytest.mark.parametrize("asked", ["When are you open?", "Opening hours", "Do you have services for seniors?"])
@pytest.mark.parametrize(
    "told",
    [
        "I can help with things like opening hours, prices and services, or shall I take a message?",
        "I don't know. You can ask me about our hours, our prices or what we do, or anything else you like, all right?",
        "Would you like to leave a message, or can I help you with anything else?",
    ],
)
def test_an_offer_of_help_is_no_choice_of_things(told: str, asked: str) -> None:
    assert standalone_question(talk("do you sell submarines", told, asked)) == asked


@pytest.mark.parametrize(
    "last",
    [
        "Tell me about e-bikes",
        "And tell me a bit about e-bikes.",
        "What do you know about e-bikes?",
        "I have a question about e-bikes",
        "I'd like to know about e-bikes",
    ],
)
def test_a_request_that_names_its_subject_is_a_new_one(last: str) -> None:
    assert standalone_question(talk("Are you open on Sunday?", "Yes, eleven to four.", last)) == last


@pytest.mark.parametrize(
    ("last", "standalone"),
    [
        ("tell me about the price", "do you rent tandems, the price"),
        ("tell me about Sunday", "do you rent tandems, sunday"),
        ("tell me more about that", "do you rent tandems, more about that"),
        ("Anything else?", "do you rent tandems"),
        ("What else?", "do you rent tandems"),
    ],
)
def test_a_request_that_names_none_leans_back(last: str, standalone: str) -> None:
    assert standalone_question(talk("do you rent tandems", "Yes, we do.", last)) == standalone


def test_what_is_asked_of_a_thing_does_not_take_its_place() -> None:
    asked = ("how much is the lockout", "Emergency lockout: $180. Standard lockout: $90.")
    assert standalone_question(talk(*asked, "The emergency one")) == "how much is the emergency lockout"
    assert standalone_question(talk(*asked, "What about the price?")) == "how much is the lockout, the price"
    asked = ("what do you charge", "Emergency lockout: $180. Standard lockout: $90.")
    assert standalone_question(talk(*asked, "The emergency one")) == "what do you charge, the emergency"


@pytest.mark.parametrize(
    "lines",
    [
        ("Wann haben Sie geöffnet?", "Von neun bis fünf.", "Und am Sonntag?"),
        ("¿Alquilan bicicletas?", "Sí.", "¿Y los domingos?"),
        ("Vous louez des tandems ?", "Oui.", "Et combien ça coûte ?"),
        ("你们几点开门", "九点", "星期天呢"),
    ],
)
def test_another_language_is_left_as_it_was_said(lines: tuple[str, ...]) -> None:
    assert standalone_question(talk(*lines)) == lines[-1]


def test_lines_of_one_turn_are_one_question() -> None:
    lines = (Line("caller", "I have a question."), Line("caller", "Do you rent tandems?"))
    assert standalone_question(lines) == "I have a question. Do you rent tandems?"
    assert standalone_question(()) == ""
    assert standalone_question((Line("agent", "Hello"),)) == ""


def test_with_nothing_to_lean_on_a_question_stays_as_it_was_said() -> None:
    assert standalone_question(talk("And how much is it?")) == "And how much is it?"
    assert standalone_question((Line("agent", "Hello, how can I help?"), *talk("how much is it"))) == "how much is it"


def test_a_long_call_is_looked_back_into_only_so_far() -> None:
    lines = talk("do you rent tandems", *["It's $70.", "how much is it"] * 30)
    assert standalone_question(lines).endswith("how much is it")
    assert len(standalone_question(lines).split()) < 40


_PHRASE = st.sampled_from(
    "and no i meant the one that it them she how much long is are you open on sunday monday a the e bike tour "
    "both second or which what about if yes ? . , $5 12 ' - é 天".split()
)
_TEXT = st.one_of(st.lists(_PHRASE, max_size=9).map(" ".join), st.text(max_size=20))
_LINES = st.lists(st.builds(Line, st.sampled_from(["caller", "agent"]), _TEXT), max_size=12)


@given(_LINES)
def test_any_conversation_gives_a_short_question_and_the_same_each_time(lines: list[Line]) -> None:
    whole = standalone_question(tuple(lines))
    assert whole == standalone_question(list(lines))
    said = [line.text for line in lines if line.role == "caller"]
    assert bool(said) or whole == ""
    assert len(whole) <= sum(len(line.text) + 20 for line in lines)
