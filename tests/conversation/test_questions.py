from __future__ import annotations

import pytest

from voicectl.conversation.questions import (
    bag,
    days_in,
    read_question,
    resemblance,
    stem,
    without_fillers,
)


def words(text: str) -> list[str]:
    return [term.word for term in read_question(text).terms]


def test_fillers_courtesies_and_grammar_are_left_out() -> None:
    assert words("um hi could you please tell me like what the price of a helmet is") == ["price", "helmet"]
    assert without_fillers("Um, so yeah, I was wondering if you repair tandems?") == "you repair tandems"


def test_a_filler_inside_a_word_stays() -> None:
    assert words("umbrella for the wellness ride") == ["umbrella", "wellness", "ride"]


def test_number_words_are_kept_and_answer_for_digits() -> None:
    (two, hours) = read_question("two hours").terms
    assert two.word == "two" and hours.word == "hours"
    assert two.found_in(bag("The tour takes 2 hours.")) > 0
    assert two.found_in(bag("The tour takes 3 hours.")) == 0


def test_one_counts_as_a_number_but_not_as_a_pronoun() -> None:
    assert "one" in words("one child seat")
    assert "one" not in words("how much is that one")


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("how much is an e bike", "e-bike"),
        ("do you sell electric bicycles", "e-bike"),
        ("i need a tune up", "tune-up"),
        ("can i get my money back", "refund"),
        ("do you have second hand bikes", "used"),
        ("what's your e mail", "email"),
    ],
)
def test_turns_of_phrase_become_the_words_documents_use(said: str, term: str) -> None:
    assert term in words(said)


@pytest.mark.parametrize(
    "family",
    [
        "repair repairs repaired repairing",
        "price prices priced pricing",
        "battery batteries",
        "stop stopped stopping stops",
        "hire hired hiring",
        "adjust adjustment adjusted",
        "class classes",
        "box boxes",
        "quick quickly",
    ],
)
def test_endings_of_a_word_make_no_difference(family: str) -> None:
    assert len({stem(word) for word in family.split()}) == 1


@pytest.mark.parametrize(("one", "other"), [("car", "care"), ("bus", "but"), ("class", "clas"), ("used", "us")])
def test_words_that_only_look_alike_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_what_kind_of_answer_is_wanted() -> None:
    assert "price" in read_question("how much is a helmet").asks
    assert "hours" in read_question("what time do you close").asks
    assert "duration" in read_question("how long does it take").asks
    assert "place" in read_question("where are you").asks
    assert "yes_no" in read_question("do you take checks").asks
    assert "price" not in read_question("how much time does it take").asks
    assert "price" not in read_question("how long does a battery charge").asks


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Tuesday through Thursday", {1, 2, 3}),
        ("Fri-Mon", {4, 5, 6, 0}),
        ("open daily", set(range(7))),
        ("weekdays only", set(range(5))),
        ("are you open on the weekend", {5, 6}),
        ("sundays", {6}),
        ("Sat. and Sun.", {5, 6}),
        ("sit in the sun; he sat down; mon ami; we wed", set()),
    ],
)
def test_days_of_the_week_with_their_ranges(text: str, days: set[int]) -> None:
    assert days_in(text) == days


def test_a_text_holds_what_its_ranges_cover() -> None:
    held = bag("Ages 4 to 6, Tuesday to Thursday, $18, from 9 AM to 6 PM")
    assert {"5", stem("wednesday"), stem("price"), stem("hours")} <= held
    assert "8" not in held


def test_resemblance_is_of_questions_not_of_words() -> None:
    asked = read_question("how much is an e-bike")
    assert resemblance(asked, "What does an e-bike cost?") > resemblance(asked, "How fast does an e-bike go?")
    assert resemblance(asked, "Can I fly with an e-bike battery?") < 0.8
    assert resemblance(asked, "Parking") == 0.0
