"""What is said while something is awaited."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.fillers import Awaited, Fillers
from voicectl.conversation.phrases import ENGLISH, known_languages, phrases_for

KINDS: tuple[Awaited, ...] = get_args(Awaited)
FIELDS = {"thinking": "thinking", "looking_up": "looking_up", "tool": "working"}


@pytest.mark.parametrize("language", known_languages())
@pytest.mark.parametrize("kind", KINDS)
def test_wordings_take_turns(language: str, kind: Awaited) -> None:
    phrases, fillers = phrases_for(language), Fillers()
    wordings = getattr(phrases, FIELDS[kind])
    assert tuple(fillers.choose(phrases, kind) for _ in range(2 * len(wordings))) == wordings * 2


def test_each_kind_takes_its_own_turns() -> None:
    fillers = Fillers()
    said = [fillers.choose(ENGLISH, kind) for kind in ("thinking", "tool", "thinking", "looking_up", "tool")]
    assert said == [
        ENGLISH.thinking[0], ENGLISH.working[0], ENGLISH.thinking[1], ENGLISH.looking_up[0], ENGLISH.working[1],
    ]  # fmt: skip


@pytest.mark.parametrize("language", known_languages())
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_wait_is_told_that_the_agent_is_still_there(language: str, kind: Awaited) -> None:
    phrases, fillers = phrases_for(language), Fillers()
    assert fillers.choose(phrases, kind) not in phrases.still_working
    again = [fillers.choose(phrases, kind, ("Ringing the depot.",), again=True) for _ in range(3)]
    assert again == list(phrases.still_working[:3])


def test_a_tool_s_own_words_come_first() -> None:
    fillers, own = Fillers(), ("I'm asking the till.", "The till is slow.")
    assert [fillers.choose(ENGLISH, "tool", own) for _ in range(3)] == [own[0], own[1], own[0]]


def test_a_tool_with_one_wording_falls_back_to_general_ones() -> None:
    fillers, own = Fillers(), ["I'm asking the till."]
    said = [fillers.choose(ENGLISH, "tool", own) for _ in range(4)]
    assert said == [own[0], ENGLISH.working[0], own[0], ENGLISH.working[1]]


@pytest.mark.parametrize("own", [(), ("",), (" ", "...")])
def test_a_tool_without_words_has_the_general_ones(own: tuple[str, ...]) -> None:
    fillers = Fillers()
    assert [fillers.choose(ENGLISH, "tool", own) for _ in range(2)] == list(ENGLISH.working[:2])


def test_own_words_are_for_tools() -> None:
    assert Fillers().choose(ENGLISH, "thinking", ("I'm asking the till.",)) == ENGLISH.thinking[0]


def test_two_tools_take_turns_by_themselves() -> None:
    fillers, till, stock = Fillers(), ("Till one.", "Till two."), ("Stock one.", "Stock two.")
    said = [fillers.choose(ENGLISH, "tool", own) for own in (till, stock, till, stock)]
    assert said == ["Till one.", "Stock one.", "Till two.", "Stock two."]


def test_a_single_wording_is_not_repeated_but_said_after_another() -> None:
    phrases, fillers = replace(ENGLISH, thinking=("Hm.",)), Fillers()
    said = [fillers.choose(phrases, "thinking") for _ in range(3)]
    said += [fillers.choose(phrases, "looking_up"), fillers.choose(phrases, "thinking")]
    assert said == ["Hm.", "", "", ENGLISH.looking_up[0], "Hm."]


def test_a_single_word_for_a_long_wait_is_said_once() -> None:
    phrases, fillers = replace(ENGLISH, still_working=("Hm.",)), Fillers()
    assert [fillers.choose(phrases, "thinking", again=True) for _ in range(2)] == ["Hm.", ""]


def test_no_words_at_all() -> None:
    assert Fillers().choose(replace(ENGLISH, thinking=()), "thinking") == ""


@pytest.mark.parametrize("same", ["One moment", "one moment.", "One moment …"])
def test_punctuation_and_capitals_make_no_other_words(same: str) -> None:
    phrases = replace(ENGLISH, thinking=("One moment.",), looking_up=(same, "Let me see."))
    fillers = Fillers()
    assert fillers.choose(phrases, "thinking") == "One moment."
    assert fillers.choose(phrases, "looking_up") == "Let me see."
    assert fillers.choose(phrases, "looking_up") == same


def test_the_same_words_in_another_language_are_no_others() -> None:
    before, after = replace(ENGLISH, thinking=("Moment.",)), replace(phrases_for("de"), thinking=("Moment.", "Tja."))
    fillers = Fillers()
    assert fillers.choose(before, "thinking") == "Moment."
    assert fillers.choose(after, "thinking") == "Tja."


@given(
    st.lists(
        st.tuples(
            st.sampled_from(known_languages()),
            st.sampled_from(KINDS),
            st.sampled_from([(), ("One moment.",), ("Einen Moment.", "One moment.")]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_never_the_same_twice_in_a_row_and_always_the_same_call(
    waits: list[tuple[str, Awaited, tuple[str, ...], bool, bool]],
) -> None:
    def call() -> list[str]:
        fillers = Fillers()
        return [
            fillers.choose(
                replace(phrases_for(language), still_working=("One moment.",)) if short else phrases_for(language),
                kind,
                own,
                again=again,
            )
            for language, kind, own, again, short in waits
        ]

    said = call()
    assert said == call()
    assert all(one != other for one, other in pairwise(filter(None, said)))
