"""What is told of a passage: less than all where that is certain to be enough, the whole of it otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.excerpts import SHORT, excerpts, parts_of, tidy
from voicectl.conversation.questions import read_question
from voicectl.conversation.turns import Passage

RENTALS = (
    "City bike: half day $25; full day $38; week $150.\nTandem: half day $45; full day $70; week $260.\n"
    "Mountain bike: half day $35; full day $60; week $240.\nChild trailer: half day $15; full day $22; week $85.\n"
    "Child seat: half day $8; full day $12; week $45.\nA half day is four hours."
)
BATTERY = (
    "Four to six years is what a battery lasts. It does not stop suddenly; it loses range little by little. "
    "We sell bells and lights as well. The shop has a red door and a blue sign. There is a bench by the window. "
    "Our dog is called Biscuit, and everybody likes him. A test of the capacity costs $40. It takes one working day."
)


def cut(question: str, *texts: str, title: str = "Rentals > How much does it cost to rent a bike?") -> list[str]:
    passages = [Passage(at, title, text, "x.md") for at, text in enumerate(texts)]
    return excerpts(read_question(question), passages)


def test_a_table_is_told_by_the_rows_that_were_asked_for() -> None:
    (told,) = cut("how much is it to rent a mountain bike", RENTALS)
    assert told == (
        "(Also listed: City bike; Tandem.)\nMountain bike: half day $35; full day $60; week $240.\n"
        "(Also listed: Child trailer; Child seat.)\nA half day is four hours."
    )


def test_rows_that_answer_alike_all_stay() -> None:
    (told,) = cut("what is a tandem or a trailer", RENTALS)
    assert "Tandem: half day $45" in told and "Child trailer: half day $15" in told and "Child seat: half" not in told


@pytest.mark.parametrize(
    "question",
    [
        "which is the cheapest bike",
        "what's the difference between a tandem and a city bike",
        "tell me all your bikes",
        "how much is a rowing machine",  # a word that stands nowhere
        "how much is it",  # no word to go by
        "anything but a tandem",
    ],
)
def test_in_doubt_the_passage_is_whole(question: str) -> None:
    assert cut(question, RENTALS) == [RENTALS]


def test_sentences_that_have_nothing_to_do_with_it_go() -> None:
    (told,) = cut("how much does a battery test cost", BATTERY, title="E-bikes")
    assert told.startswith("Four to six years is what a battery lasts. It does not stop suddenly")
    assert told.endswith("… Our dog is called Biscuit, and everybody likes him. A test of the capacity costs $40. "
                         "It takes one working day.")  # fmt: skip
    assert "red door" not in told and "…" in told and told.count("…") == 1


def test_the_kind_of_thing_that_was_asked_for_is_kept_wherever_it_stands() -> None:
    far = BATTERY.replace("A test of the capacity costs $40.", "Somebody looks at it.") + " It is $40 in all."
    assert "$40 in all" in cut("what does the battery cost", far, title="E-bikes")[0]


def test_lists_and_short_passages_stay() -> None:
    steps = "To change a tube:\n" + "\n".join(f"- step {n}: do thing number {n} with the wheel" for n in range(9))
    assert cut("how do i change a tube on my wheel", steps) == [steps]
    short = "Tandem: $45.\nTrailer: $15.\nSeat: $8.\nCity bike: $25.\nWe open at ten."
    assert len(short) <= SHORT and cut("how much is a tandem", short) == [short]


def test_a_word_may_stand_in_another_passage() -> None:
    told = cut("do you rent a tandem helmet", RENTALS, "A helmet is free.")
    assert told[0] != RENTALS and "Tandem: half day" in told[0] and told[1] == "A helmet is free."


def test_what_only_the_eye_needs_is_gone() -> None:
    assert tidy("Tune-up ........ $75\n| Basic | $75 |\n**Now** [[open]]\n• a bell\n• a light\n-----\nBye.") == (
        "Tune-up: $75\nBasic; $75\nNow open\n- a bell\n- a light\nBye."
    )
    for plain in ("A half-day ride - four hours.", "Wait… no.", "- a bell\n- a light", "5 * 3 = 15? Yes.", RENTALS):
        assert tidy(plain) == plain or "*" in plain


def test_parts_are_sentences_items_and_rows() -> None:
    parts = parts_of("Yes. We do. It helps.\nBring:\n- a bell\n- a light\nTandem: $45.\nThat is all.")
    assert [part.text for part in parts] == [
        "Yes. We do.", "It helps.", "a bell", "a light", "Tandem: $45.", "That is all.",
    ]  # fmt: skip
    assert [part.lead_in for part in parts] == ["", "", "Bring:", "Bring:", "", ""]
    assert [part.line for part in parts] == [0, 0, 2, 3, 4, 5]
    assert parts[4].row == ("Tandem", "$45")


WORDS = st.lists(
    st.sampled_from("bike tandem helmet is $5 closed we: - Yes. open | rent * a b. The".split()), max_size=90
)


@given(WORDS.map(" ".join), st.lists(WORDS.map(" ".join), min_size=1, max_size=4).map("\n".join))
def test_nothing_is_made_up_and_the_words_asked_for_stay(question: str, text: str) -> None:
    (told,) = cut(question, text)
    whole = tidy(text)
    assert len(told) <= len(whole)
    for part in parts_of(text):
        if part.text in told:
            assert part.text in whole
    for term in read_question(question).terms:
        if term.worth == 1.0 and term.word in whole.lower().split():
            assert term.word in told.lower()
