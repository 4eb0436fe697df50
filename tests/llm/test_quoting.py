from __future__ import annotations

import re

import pytest

from voicectl.conversation.questions import read_question
from voicectl.conversation.spoken import speakable
from voicectl.conversation.turns import Line, Passage
from voicectl.llm.quoting import MOST_WORDS, answer, holder
from voicectl.llm.told import Told, told_in

HOURS = Passage(
    1,
    "Opening hours > When is the shop open?",
    "Monday: Closed.\nTuesday: 9 AM to 6 PM.\nWednesday: 9 AM to 6 PM.\nThursday: 9 AM to 6 PM.\n"
    "Friday: 9 AM to 7 PM.\nSaturday: 9 AM to 5 PM.\nSunday: 11 AM to 4 PM.\nThe hours are the same all year.",
    "hours.md",
    1.0,
)
HOLIDAYS = Passage(
    2,
    "Opening hours > Are you open on holidays?",
    "Christmas Eve: 9 AM to 1 PM.\nChristmas Day: Closed.\nNew Year's Eve: 9 AM to 1 PM.",
    "hours.md",
    0.9,
)
RENTALS = Passage(
    3,
    "Rentals > How much does it cost to rent a bike?",
    "City bike: half day $25; full day $38; week $150.\nTandem: half day $45; full day $70; week $260.\n"
    "Child trailer: half day $15; full day $22; week $85.\nChild seat: half day $8; full day $12; week $45.\n"
    "A half day is four hours.",
    "rentals.md",
    0.9,
)
REPAIRS = Passage(
    4,
    "Repairs > How much is a tune-up?",
    "Basic tune-up: price $75; ready in two working days.\nFull tune-up: price $140; ready in three working days.\n"
    "Parts are extra.",
    "repairs.md",
    0.9,
)
TAX = Passage(
    5, "Payment > Is sales tax included?", "No. Maine sales tax of 5.5 percent is added to goods.", "p.md", 0.9
)
DELIVERY = Passage(
    6,
    "Delivery > Do you deliver bikes?",
    "Yes. We deliver on Wednesdays and Fridays. A text message tells you when.",
    "d.md",
    0.9,
)
BRING = Passage(
    7,
    "Tours > What should I bring?",
    "Please bring these things:\n- a helmet that fits\n- a rain jacket\n- two bottles of water",
    "t.md",
    0.9,
)


def say(question: str, *passages: Passage) -> str:
    return answer(read_question(question), passages)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("are you open on sunday", "On Sunday we're open 11 AM to 4 PM."),
        ("what time do you close friday", "On Friday we're open 9 AM to 7 PM."),
        ("are you open mondays", "On Monday we're closed."),
        (
            "are you open on the weekend",
            "On Saturday we're open 9 AM to 5 PM. On Sunday we're open 11 AM to 4 PM.",
        ),
        ("are you open on christmas day", "On Christmas Day we're closed."),
        ("are you open christmas eve", "On Christmas Eve we're open 9 AM to 1 PM."),
    ],
)
def test_a_day_is_answered_with_that_day(question: str, said: str) -> None:
    assert say(question, HOURS, HOLIDAYS) == said


def test_the_week_is_told_in_one_breath() -> None:
    assert say("what are your hours", HOURS).startswith(
        "Tuesday to Thursday, 9 AM to 6 PM; Friday, 9 AM to 7 PM; Saturday, 9 AM to 5 PM; "
        "Sunday, 11 AM to 4 PM; closed on Monday."
    )


def test_a_row_is_a_phrase_with_the_cell_that_was_asked_for() -> None:
    assert say("how much is a tandem", RENTALS) == (
        "Tandem: that's $45 for a half day, $70 for a full day, $260 for a week."
    )
    assert say("how much is it to rent a tandem for a week", RENTALS) == "Tandem: that's $260 for a week."
    assert say("what does a full tune-up cost", REPAIRS) == "Full tune-up: that's $140, ready in three working days."


def test_rows_that_answer_alike_are_told_in_part() -> None:
    said = say("how much does it cost to rent", RENTALS)
    assert said.startswith("City bike, $25") and said.endswith("; and there are two more.") and "Child" not in said


def test_a_yes_means_the_question_that_was_asked() -> None:
    assert say("is sales tax included", TAX).startswith("No. Maine sales tax")
    assert say("do you add sales tax", TAX).startswith("Maine sales tax")
    assert say("do you deliver bikes", DELIVERY).startswith("Yes. We deliver")
    assert say("when do you deliver", DELIVERY).startswith("We deliver on Wednesdays")


def test_an_item_is_said_with_its_lead_in() -> None:
    assert say("should i bring water", BRING) == "Please bring these things: two bottles of water."


def test_a_price_is_answered_with_a_price() -> None:
    belt = Passage(8, "Workshop > Chains", "We replace chains. A new chain costs $55 with labor.", "w.md", 1.0)
    assert say("how much is a new chain", belt).startswith("A new chain costs $55")
    assert say("how much is a chain", Passage(8, "Workshop", "We replace chains.", "w.md", 1.0)) == ""


def test_too_little_of_the_question_is_no_answer() -> None:
    assert say("do you rent surfboards and wetsuits", RENTALS) == ""
    assert say("how tall is the lighthouse", HOURS) == ""
    assert say("are you open on sunday") == ""


def test_two_questions_get_two_answers() -> None:
    said = say("what does a full tune-up cost and do you deliver", REPAIRS, DELIVERY)
    assert "$140" in said and "We deliver" in said


def test_answers_end_at_forty_five_words_and_three_sentences() -> None:
    long = Passage(
        9, "Bells > How do bells work?", " ".join(["A bell rings loud when you press it."] * 30), "b.md", 1.0
    )
    said = say("how do bells work", long)
    assert 0 < len(said.split()) <= MOST_WORDS and said.count(".") <= 3


def test_headings_are_never_read_out() -> None:
    for question in ("how much is a tandem", "what are your hours", "do you deliver", "is sales tax included"):
        said = say(question, HOURS, RENTALS, DELIVERY, TAX)
        assert said and not re.search(r">|Opening hours|Rentals|Payment", said)


def test_a_list_is_said_in_part_when_all_of_it_was_asked_for() -> None:
    more = Passage(7, BRING.title, f"{BRING.text}\n- a spare tube\n- sun cream", "t.md", 0.9)
    assert say("what should i bring", BRING) == (
        "Please bring these things: a helmet that fits, a rain jacket, and two bottles of water."
    )
    assert say("what should i bring", more) == (
        "Please bring these things: a helmet that fits, a rain jacket, two bottles of water, and two more."
    )
    assert say("should i bring sun cream", more) == "Please bring these things: sun cream."


def told(*said: str, more: bool = False) -> Told:
    return told_in(
        (*(Line("agent", speakable(text)) for text in said), Line("caller", "more" if not more else "what else"))
    )


def test_what_was_told_gives_way_to_what_adds_to_it() -> None:
    question = read_question("how do bells work")
    bells = Passage(9, "Bells", "Bells work by hand. Bells work with a spring. Bells work for years.", "b.md", 1.0)
    first = answer(question, (bells,))
    second = answer(question, (bells,), told(first))
    assert first and second and not set(first.split(". ")) & set(second.split(". "))


def test_the_direct_answer_is_said_again_when_nothing_else_is_as_good() -> None:
    question = read_question("how much is a tandem")
    said = answer(question, (RENTALS,))
    assert answer(question, (RENTALS,), told(said)) == said


def test_whoever_wants_more_hears_what_is_left_and_then_that_it_is_all() -> None:
    question = read_question("how much does it cost to rent a bike")
    said = [answer(question, (RENTALS,))]
    while more := answer(question, (RENTALS,), told(*said, more=True)):
        assert more not in said
        said.append(more)
    assert all(name in " ".join(said) for name in ("City bike", "Tandem", "Child trailer", "Child seat"))
    assert 2 <= len(said) <= 4


def test_a_sentence_that_was_cut_off_was_not_told() -> None:
    sentence = "A bell rings loud."
    assert told_in((Line("agent", sentence),)).has(sentence)
    assert not told_in((Line("agent", sentence, cut=True),)).has(sentence)


def test_the_passage_that_holds_an_answer() -> None:
    for passage, question in ((HOURS, "are you open on sunday"), (RENTALS, "how much is a tandem")):
        assert holder(speakable(say(question, passage)), (DELIVERY, passage, TAX)) == passage
    assert holder("We sell boats and planes.", (DELIVERY, TAX)) is None
    assert holder("", (DELIVERY,)) is None and holder("Hello.", ()) is None
