from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.questions import read_question
from voicectl.kb.query import MOST
from voicectl.kb.query import search_terms as terms_of


def search_terms(question: str) -> list[str]:
    return terms_of(read_question(question))


def test_a_spoken_question_becomes_its_words() -> None:
    assert search_terms("um could you tell me do you repair tandems please")[:2] == ["repair", "tandems"]


def test_words_bring_those_that_answer_for_them() -> None:
    assert {"price", "cost"} <= set(search_terms("how much is a tandem"))
    assert "warranty" in search_terms("is there a guarantee")
    assert {"two", "2"} <= set(search_terms("two helmets"))


def test_a_day_brings_the_days_whose_ranges_may_hold_it() -> None:
    assert {"wednesday", "tuesday", "thursday", "daily"} <= set(search_terms("are you open wednesday"))


def test_words_that_are_only_grammar_search_for_nothing() -> None:
    assert search_terms("how much is it") == search_terms("um please") == search_terms("  ... ") == []


def test_other_alphabets_are_words_too() -> None:
    assert search_terms("Café Straße Ελλάδα велосипед") == ["cafe", "strasse", "ελλαδα", "велосипед"]


@given(st.text(max_size=200))
def test_terms_are_few_and_distinct(question: str) -> None:
    terms = search_terms(question)
    assert len(set(terms)) == len(terms) <= MOST
    assert all(term.strip() for term in terms)


def test_a_monologue_is_searched_by_its_first_words() -> None:
    assert len(search_terms(" ".join(f"thing{number}" for number in range(2000)))) <= MOST
