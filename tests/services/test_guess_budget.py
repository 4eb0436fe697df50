"""How many replies begun early may be in vain, and what happens then."""

from __future__ import annotations

import pytest

from voicectl.services.guess_budget import ENOUGH, PAUSE_TURNS, WINDOW, GuessBudget


def noted(budget: GuessBudget, *guesses: bool) -> list[bool]:
    return [budget.note(used) for used in guesses]


def test_few_guesses_prove_nothing() -> None:
    budget = GuessBudget(0.5)
    assert not any(noted(budget, *[False] * (ENOUGH - 1))) and budget.on
    assert budget.note(False) is True
    assert not budget.on


@pytest.mark.parametrize(("wasted", "on"), [(6, True), (7, False)])
def test_more_than_the_share_is_too_many(wasted: int, on: bool) -> None:
    budget = GuessBudget(0.6)
    noted(budget, *[True] * (ENOUGH - wasted), *[False] * wasted)
    assert budget.on is on


def test_it_is_told_once_that_the_budget_is_used_up() -> None:
    budget = GuessBudget(0.5)
    assert noted(budget, *[False] * 15).count(True) == 1  # those under way when it happened change nothing


def test_only_the_latest_guesses_count() -> None:
    budget = GuessBudget(0.5)
    noted(budget, *[True] * 1000)
    assert not any(noted(budget, *[False] * (WINDOW // 2))) and budget.on
    assert budget.note(False) is True


def test_old_waste_is_forgotten() -> None:
    budget = GuessBudget(0.5)
    noted(budget, *[True] * 20, *[False] * 20)
    noted(budget, *[True] * WINDOW)
    assert not any(noted(budget, *[False] * (WINDOW // 2)))


def test_after_a_pause_it_is_tried_again_with_a_clean_sheet() -> None:
    budget = GuessBudget(0.5)
    noted(budget, *[False] * ENOUGH)
    turns = [budget.turn() for _ in range(PAUSE_TURNS)]
    assert turns == [False] * (PAUSE_TURNS - 1) + [True] and budget.on
    assert not any(noted(budget, *[False] * (ENOUGH - 1))) and budget.on
    assert budget.note(False)


def test_what_ends_during_the_pause_does_not_count_after_it() -> None:
    budget = GuessBudget(0.5)
    noted(budget, *[False] * ENOUGH)
    noted(budget, *[False] * ENOUGH)
    for _ in range(PAUSE_TURNS):
        budget.turn()
    assert not budget.note(False) and budget.on


def test_turns_without_a_pause_change_nothing() -> None:
    budget = GuessBudget(0.5)
    assert not any(budget.turn() for _ in range(2 * PAUSE_TURNS)) and budget.on


@pytest.mark.parametrize(("share", "on"), [(1.0, True), (0.0, False)])
def test_the_share_may_be_all_or_none(share: float, on: bool) -> None:
    budget = GuessBudget(share)
    noted(budget, *[True] * ENOUGH, *([False] * ENOUGH if share else [False]))
    assert budget.on is on


def test_guesses_are_counted() -> None:
    budget = GuessBudget(1.0)
    noted(budget, True, False, False, True, False)
    assert (budget.used, budget.wasted) == (2, 3)
