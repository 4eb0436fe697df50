"""Scores of calls that were reckoned by hand. Times in seconds; a tick is 0.2 s."""

from __future__ import annotations

from typing import Any

import pytest

from voicectl.simulator.rehearsal import Said
from voicectl.simulator.scorecard import Rate, Scores, score, score_call


def agent(at: float, until: float, **more: Any) -> Said:
    return Said("agent", "speech", at, until, "words", **more)


def caller(at: float, until: float, kind: str = "speech", **more: Any) -> Said:
    return Said("caller", kind, at, until, "words", **more)


def cough(at: float, until: float) -> Said:
    return caller(at, until, "noise")


CALLS: dict[str, tuple[list[Said], Scores]] = {
    "answered after 1.1 s": (
        [agent(0, 2), caller(3.0, 4.1), agent(5.2, 6)],  # ticks 20 to 26
        Scores(responses=Rate(1, 1, 6, 1), interrupts=Rate(1)),
    ),
    "answered after 3 s: too late, but timed": (
        [caller(1, 2), agent(5, 6)],
        Scores(responses=Rate(1, 0, 15, 1), interrupts=Rate(1)),
    ),
    "just within 2 s": ([caller(1, 2), agent(4.19, 6)], Scores(responses=Rate(1, 1, 10, 1), interrupts=Rate(1))),
    "never answered: the caller asks again after 10 s": (
        [caller(1, 2), caller(12, 13)],
        Scores(responses=Rate(1), interrupts=Rate(2)),
    ),
    "the caller goes on at once": ([caller(1, 2), caller(2.5, 3)], Scores(interrupts=Rate(2))),
    "keys are answered too": (
        [caller(1, 1.4, "keys"), agent(2.4, 3)],
        Scores(responses=Rate(1, 1, 5, 1)),
    ),
    "a noise in between is no turn": (
        [caller(1, 2), cough(2.2, 2.5), agent(3, 4)],
        Scores(responses=Rate(1, 1, 5, 1), interrupts=Rate(1)),
    ),
    "yields after 0.6 s, answers 1 s after the caller": (
        [agent(0, 3.6, cut=True), caller(3, 5), agent(6, 7)],
        Scores(yields=Rate(1, 1, 3, 1), responses=Rate(1, 1, 5, 1)),
    ),
    "goes on for 3 s": (
        [agent(0, 6), caller(3, 4), agent(7, 8)],
        Scores(yields=Rate(1), responses=Rate(1, 0, 15, 1)),
    ),
    "stops and starts again at once: it has not stopped": (
        [agent(0, 3.5), caller(3, 4), agent(3.55, 7)],
        Scores(yields=Rate(1)),
    ),
    "begins while the caller speaks": (
        [caller(1, 3), agent(2, 4)],
        Scores(interrupts=Rate(1, 1)),
    ),
    "mm-hm, and the agent goes on": (
        [agent(0, 6), caller(2, 2.4, listening=True)],
        Scores(backchannel_selectivity=Rate(1, 1)),
    ),
    "mm-hm stops the agent": (
        [agent(0, 2.6, cut=True), caller(2, 2.4, listening=True), agent(6, 7)],
        Scores(backchannel_selectivity=Rate(1, 0)),
    ),
    "mm-hm stops the agent, who says the rest within a second": (
        [agent(0, 2.6, cut=True), caller(2, 2.4, listening=True), agent(3.5, 7, resumes=True)],
        Scores(backchannel_selectivity=Rate(1, 1)),
    ),
    "the rest comes too late": (
        [agent(0, 2.6, cut=True), caller(2, 2.4, listening=True), agent(3.8, 7, resumes=True)],
        Scores(backchannel_selectivity=Rate(1, 0)),
    ),
    "what cut the agent off came more than a second after mm-hm": (
        [agent(0, 3.4, cut=True), caller(2, 2.4, listening=True), caller(3, 4), agent(5, 6)],
        Scores(
            backchannel_selectivity=Rate(1, 1),
            yields=Rate(1, 1, 2, 1),  # ticks 15 to 17
            responses=Rate(1, 1, 5, 1),
        ),
    ),
    "a cough": ([agent(0, 6), cough(2, 2.4)], Scores(noise_selectivity=Rate(1, 1))),
    "a cough while nobody speaks": ([agent(0, 1), cough(2, 2.4)], Scores()),
}


@pytest.mark.parametrize("name", CALLS)
def test_by_hand(name: str) -> None:
    said, expected = CALLS[name]
    assert score_call(said) == expected


def test_few_events_are_not_shown() -> None:
    call = CALLS["answered after 1.1 s"][0]
    nine, ten = score([call] * 9), score([call] * 10)
    assert (nine.responses.rate, nine.responses.seconds, nine.lines()) == (None, None, [])
    assert (ten.responses.rate, ten.responses.seconds) == (1.0, pytest.approx(1.2))
    assert ten.lines() == [
        "answers within 2 s     100 % of 10, after 1.20 s",
        "talks over the caller    0 % of 10",
    ]
    assert ten.as_dict()["responses"] == {"events": 10, "rate": 1.0, "seconds": 1.2}
    assert ten.as_dict()["yields"] == {"events": 0, "rate": None, "seconds": None}


def test_rates_are_of_all_calls_together() -> None:
    calls = [CALLS["yields after 0.6 s, answers 1 s after the caller"][0]] * 9 + [CALLS["goes on for 3 s"][0]] * 3
    got = score(calls).yields
    assert (got.rate, got.seconds) == (0.75, pytest.approx(0.6))
