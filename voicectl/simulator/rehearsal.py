"""One rehearsed call: a caller follows a scenario, and the agent is held to what is expected of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from voicectl.simulator.caller import Caller, Played
from voicectl.simulator.listening import contains, count, normal
from voicectl.simulator.steps import Ended, Expectation, Scenario
from voicectl.simulator.transcript import Utterance

_TO_A_PERSON = frozenset({"Dial", "Enqueue", "Refer"})
_FATAL = frozenset(
    # Twilio's error codes that end a relay session, or the call: of the webhook, then of the relay.
    [11200, 11205, 11750, 12100, 39001, 64101, 64102, 64104, 64105, 64106, 64108, 64109, 64110]
)
_COMPARED = 3
"""So many words tell whether the agent goes on where it was cut off."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of the report. `at` and `until` are seconds into the call."""

    who: str
    kind: str
    at: float
    until: float
    text: str
    """What could be heard of it."""
    unheard: str = ""
    """What the agent had sent, and nobody heard because the caller cut in or the call ended."""
    cut: bool = False
    unasked: bool = False
    """A reprompt: the agent spoke although it was the caller's turn."""
    filler: bool = False
    """It bridged a wait."""
    resumes: bool = False
    """It is the rest of what was cut off before."""
    listening: bool = False
    """Caller: it only showed that they listened."""
    transcript_ms: float | None = None
    """From the end of the caller's words to their transcript reaching the agent."""
    first_token_ms: float | None = None
    """… to the answer's first token on the wire,"""
    first_audio_ms: float | None = None
    """… to the answer's first audio."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, and what came of it."""

    where: str
    """file:line of the step; the file, where the whole call is meant."""
    expected: str
    met: bool
    said: str
    """What was heard or measured instead, or as well."""


@dataclass(frozen=True, slots=True)
class CallReport:
    scenario: str
    source: str
    ended: Ended
    why: str
    """The simulated carrier's words for how the call ended."""
    seconds: float
    said: tuple[Said, ...]
    checks: tuple[Check, ...]
    alerts: tuple[str, ...] = ()
    """What Twilio would have put into its debugger."""

    @property
    def ok(self) -> bool:
        return all(check.met for check in self.checks)

    @property
    def reached(self) -> bool:
        """A relay session came about: the agent could be spoken to."""
        return any(each.who == "agent" for each in self.said) or not self.alerts

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"ok": self.ok, **dataclasses.asdict(self)}


async def rehearse(scenario: Scenario, caller: Caller) -> CallReport:
    """Let `caller`, fresh, follow the scenario; report what was said and which expectations were met."""
    played = await caller.follow(scenario)
    return report(scenario, caller, played)


def report(scenario: Scenario, caller: Caller, played: Iterable[Played] = ()) -> CallReport:
    """The report of a call that is over."""
    over = caller.line.over
    everything = caller.transcript.utterances
    ended = _ended(caller)
    if ended in ("goodbye", "person") and everything:
        everything[-1].unasked = False  # last words are not a reprompt
    seconds = caller.seconds
    checks = [check for each in played for check in _check_step(scenario, each, everything)]
    checks += _check_call(scenario, caller, ended)
    return CallReport(
        scenario=scenario.name,
        source=scenario.source,
        ended=ended,
        why=over.why if over else "",
        seconds=round(seconds, 2),
        said=tuple(_said(each, caller.began, everything) for each in everything),
        checks=tuple(checks),
        alerts=tuple(f"{alert.code}: {alert.text}" for alert in caller.transcript.alerts),
    )


def _ended(caller: Caller) -> Ended:
    transcript = caller.transcript
    agent = transcript.agent
    if any(alert.code in _FATAL and (agent is None or alert.at >= agent.at) for alert in transcript.alerts):
        return "failed"
    if any(verb.name in _TO_A_PERSON for verb in transcript.verbs):
        return "person"
    if caller.hung_up:
        return "hung_up"
    return "goodbye" if caller.line.over is not None and caller.line.over.status == "completed" else "failed"


def _said(each: Utterance, began: float, everything: list[Utterance]) -> Said:
    return Said(
        who=each.who,
        kind=each.kind,
        at=round(each.at - began, 3),
        until=round((each.until if each.until is not None else each.at) - began, 3),
        text=each.text.strip(),
        unheard=each.unheard.strip(),
        cut=each.cut,
        unasked=each.unasked,
        filler=each.filler,
        resumes=_resumes(each, everything),
        listening=each.listening,
        transcript_ms=each.transcript_ms,
        first_token_ms=each.first_token_ms,
        first_audio_ms=each.first_audio_ms,
    )


def _resumes(utterance: Utterance, everything: list[Utterance]) -> bool:
    """Whether these words of the agent are the first that were lost when it was cut off."""
    before = everything[: everything.index(utterance)]
    cut = next((each for each in reversed(before) if each.who == "agent"), None)
    if utterance.who != "agent" or cut is None or not cut.cut:
        return False
    lost, words = normal(cut.unheard).split(), normal(utterance.text + utterance.unheard).split()
    compared = min(_COMPARED, len(lost), len(words))
    return compared > 0 and lost[:compared] == words[:compared]


# --- expectations ------------------------------------------------------------------------------------------


def _check_step(scenario: Scenario, played: Played, everything: list[Utterance]) -> Iterator[Check]:
    where = f"{scenario.source}:{played.step.line}"
    if played.missed:
        yield Check(where, "the caller can do as the step says", False, played.missed)
    agent = _spoken(played.utterances)
    expect = played.step.expect
    for expected, met, said in _check_words(expect, agent):
        yield Check(where, expected, met, said)
    if expect.silent is not None:
        spoke = any(each.text.strip() for each in agent)
        yield Check(where, "silence" if expect.silent else "some words", spoke is not expect.silent, _words(agent))
    if expect.interrupted is not None:
        cut = any(each.cut for each in agent)
        wanted = "the agent is cut off" if expect.interrupted else "the agent is not cut off"
        yield Check(where, wanted, cut is expect.interrupted, _words(agent))
    if expect.resumed is not None:
        resumed = any(_resumes(each, everything) for each in agent)
        wanted = "the agent says the rest" if expect.resumed else "the agent does not say the rest"
        yield Check(where, wanted, resumed is expect.resumed, _words(agent))


def _check_call(scenario: Scenario, caller: Caller, ended: Ended) -> Iterator[Check]:
    where, expect, transcript = scenario.source, scenario.expect, caller.transcript
    agent = _spoken(transcript.utterances)
    for expected, met, words in _check_words(expect, agent):
        yield Check(where, expected, met, words)
    if expect.ended is not None:
        yield Check(where, f"the call ends with {expect.ended}", ended == expect.ended, ended)
    elif ended == "failed":
        yield Check(where, "the call does not fail", False, ended)
    if expect.handed_to:
        dialled = " ".join(each.text for each in transcript.utterances if each.kind == "dial")
        yield Check(where, f"{expect.handed_to} is dialled", dialled == expect.handed_to, dialled)
    if expect.keys_sent:
        sent = transcript.keys_sent
        yield Check(where, f"the agent presses {expect.keys_sent}", sent == expect.keys_sent, sent)
    if expect.language:
        met = transcript.language == expect.language
        yield Check(where, f"the agent changes over to {expect.language}", met, transcript.language)
    if expect.max_seconds is not None:
        met = caller.seconds <= expect.max_seconds
        yield Check(where, f"the call takes at most {expect.max_seconds:g} s", met, f"{caller.seconds:.1f} s")


def _check_words(expect: Expectation, agent: list[Utterance]) -> Iterator[tuple[str, bool, str]]:
    heard = _words(agent)
    for phrase in expect.contains:
        yield f"contains {phrase!r}", contains(heard, phrase), heard
    for phrase in expect.excludes:
        yield f"does not contain {phrase!r}", not contains(heard, phrase), heard
    for phrase in expect.once:
        yield f"says {phrase!r} once", count(heard, phrase) == 1, heard
    for pattern in expect.matches:
        yield f"matches {pattern!r}", re.search(pattern, heard) is not None, heard
    answers = [each for each in agent if not each.filler]
    limits = (
        ("first audio", expect.within_ms, [each.first_audio_ms for each in answers]),
        ("first token", expect.first_token_within_ms, [each.first_token_ms for each in answers]),
    )
    for what, limit, measured in limits:
        if limit is not None:
            times = [each for each in measured if each is not None]
            shown = f"{max(times):.0f} ms" if times else "no answer"
            yield f"{what} within {limit:g} ms", bool(times) and max(times) <= limit, shown
    if expect.fillers is not None:
        bridged = sum(each.filler for each in agent)
        yield _times(expect.fillers, "filler"), bridged == expect.fillers, _times(bridged, "filler")
    if expect.reprompts is not None:
        asked = len([each for each in agent if each.unasked])
        yield _times(expect.reprompts, "reprompt"), asked == expect.reprompts, _times(asked, "reprompt")


def _spoken(said: Iterable[Utterance]) -> list[Utterance]:
    """What was said to the caller."""
    return [each for each in said if each.who != "caller" and each.kind != "dial"]


def _words(agent: Iterable[Utterance]) -> str:
    return " ".join(" ".join(each.text.split()) for each in agent if each.text.strip())


def _times(times: int, what: str) -> str:
    return f"{times} {what}" if times == 1 else f"{times} {what}s"
