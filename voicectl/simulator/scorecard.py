"""How well an agent takes turns, over any number of rehearsed calls: the interaction figures of τ-voice
(arXiv 2603.13686), reckoned from what was audible and when.

    yields       The caller speaks into the agent's words and means it: the agent is silent within 2.0 s. The latency is
                 from the caller's first sound to the agent's last, of those it yielded to.
    selectivity  The caller only shows that they listen, or coughs, while the agent speaks: the agent is not cut off
                 within 1.0 s, or says the rest within 1.0 s of having been cut off.
    responses    The caller has said or dialled something: the agent is audible within 2.0 s. The latency is from the
                 caller's last sound to the agent's first, of all that were answered.
    interrupts   The agent begins to speak while the caller is speaking.

All times are put on ticks of 0.2 s. A rate of fewer than ten events is not shown.

What is approximated: whether the caller meant it is known from the scenario, not judged from the sound. An agent that
comes to its end by itself within the window has yielded. Words of one breath are the caller's from the first to the
last, its pauses included. A filler is a response. A turn that nothing follows, or the caller's own words within the
window, is no event; and nobody can begin to talk over words that are themselves spoken into the agent's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from voicectl.simulator.rehearsal import Said

TICK = 0.2
"""Seconds."""
YIELD_TICKS = 10
SELECTIVITY_TICKS = 5
RESPONSE_TICKS = 10
FEWEST = 10
"""Events that a rate is made of, at least."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many events went as they are counted, and how long that took."""

    events: int = 0
    hits: int = 0
    ticks: int = 0
    """Of all that was timed, together,"""
    timed: int = 0
    """… which are so many."""

    @property
    def rate(self) -> float | None:
        return self.hits / self.events if self.events >= FEWEST else None

    @property
    def seconds(self) -> float | None:
        """The mean latency, where there is one."""
        return self.ticks * TICK / self.timed if self.events >= FEWEST and self.timed else None

    def __add__(self, other: Rate) -> Rate:
        return Rate(
            self.events + other.events, self.hits + other.hits, self.ticks + other.ticks, self.timed + other.timed
        )


@dataclass(frozen=True, slots=True)
class Scores:
    yields: Rate = Rate()
    backchannel_selectivity: Rate = Rate()
    noise_selectivity: Rate = Rate()
    responses: Rate = Rate()
    interrupts: Rate = Rate()

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.yields + other.yields,
            self.backchannel_selectivity + other.backchannel_selectivity,
            self.noise_selectivity + other.noise_selectivity,
            self.responses + other.responses,
            self.interrupts + other.interrupts,
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: rates and seconds, null where there were too few events."""
        rates = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: {"events": each.events, "rate": _rounded(each.rate), "seconds": _rounded(each.seconds)}
            for name, each in rates.items()
        }

    def lines(self) -> list[str]:
        """For people; what is not shown has no line."""
        shown = (
            ("stops for the caller", self.yields),
            ("goes on after mm-hm", self.backchannel_selectivity),
            ("goes on after a cough", self.noise_selectivity),
            ("answers within 2 s", self.responses),
            ("talks over the caller", self.interrupts),
        )
        return [_line(what, each) for what, each in shown if each.rate is not None]


def score(calls: Iterable[Sequence[Said]]) -> Scores:
    """The figures of these calls, each given by all that was said on it in the order of beginnings."""
    return sum(map(score_call, calls), Scores())


def score_call(said: Sequence[Said]) -> Scores:
    """The figures of one call."""
    agent = [each for each in said if each.who == "agent" and each.until > each.at]
    scores = Scores()
    for each in said:
        if each.who != "caller":
            continue
        over = next((words for words in agent if words.at <= each.at < words.until), None)
        if each.kind == "noise" or each.listening:
            rate = _keeps_on(each, over, agent) if over is not None else Rate()
            scores += Scores(noise_selectivity=rate) if each.kind == "noise" else Scores(backchannel_selectivity=rate)
        else:
            yields = _stops(each, agent) if over is not None and each.kind == "speech" else Rate()
            barges = _barges_in(each, agent) if over is None and each.kind == "speech" else Rate()
            scores += Scores(yields=yields, responses=_answers(each, said), interrupts=barges)
    return scores


def _stops(caller: Said, agent: list[Said]) -> Rate:
    end = caller.at
    for each in agent:  # what follows without a gap is the same speech to the ear
        if each.at <= end or _tick(each.at) - _tick(end) < 1:
            end = max(end, each.until)
    ticks = _tick(end) - _tick(caller.at)
    return Rate(1, 1, ticks, 1) if ticks <= YIELD_TICKS else Rate(1)


def _keeps_on(caller: Said, over: Said, agent: list[Said]) -> Rate:
    if not over.cut or _tick(over.until) - _tick(caller.at) > SELECTIVITY_TICKS:
        return Rate(1, 1)
    rest = next((each for each in agent if each.at >= over.until and each.resumes), None)
    return Rate(1, int(rest is not None and _tick(rest.at) - _tick(over.until) <= SELECTIVITY_TICKS))


def _answers(caller: Said, said: Sequence[Said]) -> Rate:
    later = [each for each in said if each.at >= caller.until and each is not caller]
    following = next((each for each in later if each.kind != "noise"), None)
    if following is None or following.who == "caller":
        waited = following is not None and _tick(following.at) - _tick(caller.until) > RESPONSE_TICKS
        return Rate(1) if waited else Rate()
    ticks = _tick(following.at) - _tick(caller.until)
    return Rate(1, int(ticks <= RESPONSE_TICKS), ticks, 1)


def _barges_in(caller: Said, agent: list[Said]) -> Rate:
    return Rate(1, int(any(_tick(caller.at) < _tick(each.at) < _tick(caller.until) for each in agent)))


def _tick(seconds: float) -> int:
    return math.floor(seconds / TICK + 1e-6)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _line(what: str, rate: Rate) -> str:
    after = "" if rate.seconds is None else f", after {rate.seconds:.2f} s"
    return f"{what:<22} {100 * (rate.rate or 0):3.0f} % of {rate.events}{after}"
