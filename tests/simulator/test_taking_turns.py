"""What a caller does besides asking and waiting: coughing, agreeing along, speaking in pieces and over the agent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_agent import PUBLIC, TOKEN, FakeAgent

from voicectl.simulator.caller import Caller
from voicectl.simulator.carrier import TwilioCall
from voicectl.simulator.line import Route
from voicectl.simulator.rehearsal import CallReport, rehearse
from voicectl.simulator.scenario import parse
from voicectl.simulator.virtual_time import run

LONG = "The first thing is this. The second thing is that. The third thing is something else again."


class Courteous(FakeAgent):
    """Goes on after a cough, bridges a wait, presses keys, speaks German; keeps what it was told."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.pending: list[asyncio.TimerHandle] = []

    async def _frame(self, socket: Any, frame: dict[str, Any]) -> None:
        words = frame.get("voicePrompt", "").lower()
        if frame["type"] == "interrupt":
            self.diary.append(("frame", frame))
            self._in(0.7, socket, frame["utteranceUntilInterrupt"])
        elif "wait" in words and frame["last"]:
            await socket.send_json({"type": "text", "token": "One moment. ", "last": True, "preemptible": True})
            self._in(9.6, socket, "")
        elif "menu" in words and frame["last"]:
            await socket.send_json({"type": "sendDigits", "digits": "12#"})
            await self.say(socket, "I have pressed it.")
        elif "deutsch" in words and frame["last"]:
            await socket.send_json({"type": "language", "ttsLanguage": "de-DE", "transcriptionLanguage": "de-DE"})
            await self.say(socket, "Gerne.")
        elif words in ("mm-hm", "yes, yes"):
            self.diary.append(("frame", frame))
        else:
            await super()._frame(socket, frame)

    def _in(self, seconds: float, socket: Any, heard: str) -> None:
        self.pending.append(asyncio.get_running_loop().call_later(seconds, self._later, socket, heard))

    def _later(self, socket: Any, heard: str) -> None:
        prompts = [what for name, what in self.diary[-1:] if name == "frame" and what["type"] == "prompt"]
        if heard and not prompts and heard in LONG:
            text = LONG[LONG.index(heard) + len(heard) :].strip()
            self._task = asyncio.ensure_future(self.say(socket, text))
        elif not heard:
            self._task = asyncio.ensure_future(self.say(socket, "Here it is."))


@pytest.fixture
def rehearsed(tmp_path: Path) -> Any:
    def go(text: str, agent: Courteous | None = None) -> CallReport:
        agent = agent or Courteous()

        async def main() -> CallReport:
            async with agent.serve(str(tmp_path / "agent")) as address:
                scenario = parse(text, "s.yaml")
                call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN, knobs=scenario.knobs)
                got = await rehearse(scenario, Caller(call, Route(PUBLIC, address)))
                for handle in agent.pending:
                    handle.cancel()
                return got

        return run(main(), tidy=True, real_timeout=10)

    return go


def failed(got: CallReport) -> list[tuple[str, str]]:
    return [(check.expected, check.said) for check in got.checks if not check.met]


def test_a_cough_that_cuts_the_agent_off_and_the_rest(rehearsed: Any) -> None:
    got = rehearsed(
        """
        steps:
        - say: Tell me something long.
          expect: {interrupted: true, resumed: false}
        - noise: 0.5
          cut_in: {after: second thing}
          cuts: true
          expect: {resumed: true, contains: third thing, once: something else again}
        """
    )
    assert failed(got) == []
    cut, cough, rest = got.said[-3:]
    assert (cough.who, cough.kind, cough.text, cough.until - cough.at) == ("caller", "noise", "", pytest.approx(0.5))
    assert (cut.cut, cut.resumes, rest.resumes) == (True, False, True)
    assert f"{cut.text} {rest.text}" == LONG
    assert not rest.unasked


def test_a_cough_that_does_not(rehearsed: Any) -> None:
    agent = Courteous()
    got = rehearsed("steps: [{say: Something long}, {noise: 0.5, cut_in: {seconds: 1}}]", agent)
    assert [each.text for each in got.said if each.who == "agent"][-1] == LONG
    assert [frame["value"] for frame in agent.frames("info") if frame["name"] == "clientSpeaking"][-2:] == ["on", "off"]
    assert agent.frames("interrupt") == []


@pytest.mark.parametrize("over", [True, False])
def test_words_over_the_agent(rehearsed: Any, over: bool) -> None:
    agent = Courteous(relay='reportInputDuringAgentSpeech="any"')
    got = rehearsed(
        f"""
        steps:
        - say: Something long
          expect: {{interrupted: {not over}}}
        - say: Mm-hm
          cut_in: {{after: second}}
          listening: true
          {"over: true" if over else ""}
        """,
        agent,
    )
    assert failed(got) == []
    assert [frame["voicePrompt"] for frame in agent.frames("prompt") if frame["last"]][-1] == "Mm-hm"
    assert bool(agent.frames("interrupt")) is not over
    assert [each.listening for each in got.said if each.who == "caller"] == [False, True]
    assert got.seconds - max(each.until for each in got.said) < 5, "nobody waits for an answer to mm-hm"


def test_one_breath_in_several_parts(rehearsed: Any) -> None:
    agent = Courteous()
    got = rehearsed("steps: [{say: [The number is, five five, six], gap: 0.6}]", agent)
    assert [frame["voicePrompt"] for frame in agent.frames("prompt") if frame["last"]] == [
        "The number is",
        "five five",
        "six",
    ]
    said = next(each for each in got.said if each.who == "caller")
    spoken = sum(0.28 + 0.045 * len(part) for part in ("The number is", "five five", "six"))
    assert said.until - said.at == pytest.approx(spoken + 2 * 0.6)


def test_the_language_that_is_heard(rehearsed: Any) -> None:
    agent = Courteous(relay='transcriptionLanguage="multi"')
    rehearsed("steps: [{say: Guten Tag, lang: de-DE}]", agent)
    assert agent.frames("prompt")[-1]["lang"] == "de"


def test_a_caller_who_is_asked_to_wait_waits(rehearsed: Any) -> None:
    got = rehearsed(
        """
        steps:
        - say: Please wait
          expect: {fillers: 1, reprompts: 0, contains: Here it is}
        - say: hours
          expect: {fillers: 0, contains: nine}
        expect: {fillers: 1}
        """
    )
    assert failed(got) == []
    filler, answer = (each for each in got.said if each.text in ("One moment.", "Here it is."))
    assert (filler.filler, answer.filler, answer.unasked) == (True, False, False)
    assert filler.first_audio_ms is not None
    assert answer.first_audio_ms == pytest.approx(filler.first_audio_ms + 9_600, abs=500), "from the same question"


def test_the_time_of_an_answer_is_not_that_of_a_filler(rehearsed: Any) -> None:
    got = rehearsed("steps: [{say: Please wait, expect: {within_ms: 5000}}]")
    assert [what for what, _ in failed(got)] == ["first audio within 5000 ms"]


def test_cutting_into_the_answer_and_not_into_the_filler(rehearsed: Any) -> None:
    got = rehearsed("steps: [{say: Please wait}, {say: hours, cut_in: {after: Here it}}]")
    assert failed(got) == []


@pytest.mark.parametrize("cue", ["after: One", "seconds: 0.2"])
def test_cutting_into_the_filler(rehearsed: Any, cue: str) -> None:
    got = rehearsed(f"steps: [{{say: Please wait, interrupt: {{{cue}}}, then: hours}}]")
    assert failed(got) == []
    filler, hours = got.said[2:4]
    assert (filler.filler, hours.text, hours.at < filler.at + 1) == (True, "hours", True)


def test_keys_languages_and_people(rehearsed: Any) -> None:
    call = "{keys_sent: 12#, language: de-DE, handed_to: '+15550100077'}"
    steps = "steps: [{say: the menu}, {say: auf deutsch}, {say: a person}]"
    assert failed(rehearsed(f"{steps}\nexpect: {call}")) == []
    nothing = rehearsed(f"steps: [{{say: hours}}]\nexpect: {call}")
    assert failed(nothing) == [
        ("+15550100077 is dialled", ""),
        ("the agent presses 12#", ""),
        ("the agent changes over to de-DE", ""),
    ]


def test_words_said_twice(rehearsed: Any) -> None:
    got = rehearsed("steps: [{say: hours, expect: {once: nine}}, {say: hours}]\nexpect: {once: nine}")
    assert [what for what, _ in failed(got)] == ["says 'nine' once"]


def test_knobs(rehearsed: Any) -> None:
    agent = Courteous()
    rehearsed("knobs: {split_finals: true}\nsteps: [{say: one two three four}]", agent)
    assert [frame["voicePrompt"] for frame in agent.frames("prompt") if frame["last"]] == ["one two", "three four"]
