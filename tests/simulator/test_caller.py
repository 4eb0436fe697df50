from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from fake_agent import PUBLIC, TOKEN, FakeAgent

from voicectl.simulator.caller import Caller
from voicectl.simulator.carrier import Knobs, TwilioCall
from voicectl.simulator.line import Route
from voicectl.simulator.rehearsal import CallReport, Said, rehearse, report
from voicectl.simulator.scenario import parse
from voicectl.simulator.virtual_time import run

Rehearse = Callable[..., CallReport]


@pytest.fixture
def rehearsed(tmp_path: Path) -> Rehearse:
    """Rehearse a scenario, given as its YAML, with a fake agent, in virtual time. Nothing may be left behind."""

    def go(text: str, *, agent: FakeAgent | None = None, token: str = TOKEN, seed: int = 0) -> CallReport:
        async def main() -> CallReport:
            async with (agent or FakeAgent()).serve(str(tmp_path / "agent")) as address:
                call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=token, seed=seed, knobs=Knobs())
                return await rehearse(parse(text, "s.yaml"), Caller(call, Route(PUBLIC, address)))

        return run(main(), tidy=True, real_timeout=10)

    return go


def agent_said(got: CallReport) -> list[str]:
    return [each.text for each in got.said if each.who == "agent"]


def failed(got: CallReport) -> list[tuple[str, str, str]]:
    return [(each.where, each.expected, each.said) for each in got.checks if not each.met]


def gaps(said: tuple[Said, ...]) -> list[float]:
    return [round(later.at - earlier.until, 3) for earlier, later in itertools.pairwise(said)]


def test_turns_are_taken(rehearsed: Rehearse) -> None:
    got = rehearsed("steps: [{say: 'What are your hours?'}, {say: Hello, pause: 2}, {keys: 1}]")
    assert [(each.who, each.kind, each.text) for each in got.said] == [
        ("agent", "greeting", "Hello, how can I help?"),
        ("caller", "speech", "What are your hours?"),
        ("agent", "speech", "We are open from nine to six, Tuesday to Sunday."),
        ("caller", "speech", "Hello"),
        ("agent", "speech", "You said hello"),
        ("caller", "keys", "1"),
        ("agent", "speech", "You pressed 1."),
    ]
    waited = gaps(got.said)
    assert waited[0] == pytest.approx(0.4), "the caller waits until the agent has finished"
    assert waited[2] == pytest.approx(2.0)
    assert waited[4] == pytest.approx(0.4)
    assert got.ended == "hung_up"
    assert got.ok


def test_times_are_measured_from_the_end_of_the_callers_words(rehearsed: Rehearse) -> None:
    got = rehearsed("steps: [{say: 'What are your hours?'}]")
    asked, answer = got.said[1:]
    assert asked.until - asked.at == pytest.approx(0.28 + 0.045 * len(asked.text), abs=0.1)
    assert answer.first_audio_ms == pytest.approx((answer.at - asked.until) * 1000, abs=1)
    assert answer.transcript_ms is not None
    assert answer.first_token_ms is not None
    assert 300 <= answer.transcript_ms <= answer.first_token_ms <= answer.first_audio_ms - 250
    assert [asked.first_audio_ms, got.said[0].first_audio_ms] == [None, None], "only answers are measured"


def test_cutting_in_after_words(rehearsed: Rehearse) -> None:
    got = rehearsed(
        """
        steps:
        - say: Tell me something long.
          interrupt: {after: second thing}
          then: What are your hours?
          expect: {interrupted: true, contains: [first thing, nine to six], not: something else}
        """
    )
    assert failed(got) == []
    cut = next(each for each in got.said if each.cut)
    assert "second thing" in cut.text
    assert cut.text + " " + cut.unheard == (
        "The first thing is this. The second thing is that. The third thing is something else again."
    )
    assert [each.cut for each in got.said].count(True) == 1


def test_cutting_into_the_greeting_after_a_while(rehearsed: Rehearse) -> None:
    greeting = "Hello, and a very warm welcome to this line, where you can ask whatever comes to your mind."
    got = rehearsed(
        "steps: [{say: 'What are your hours?', cut_in: {seconds: 1.5}, expect: nine}]",
        agent=FakeAgent(greeting=greeting),
    )
    assert got.ok
    assert got.said[0].cut
    assert got.said[0].text + " " + got.said[0].unheard == greeting
    assert got.said[1].at - got.said[0].at == pytest.approx(1.5, abs=0.03)


def test_an_agent_that_finishes_first_is_not_cut_off(rehearsed: Rehearse) -> None:
    got = rehearsed("steps: [{say: hours, interrupt: {after: Christmas}, then: hours, expect: {interrupted: false}}]")
    assert failed(got) == [
        (
            "s.yaml:1",
            "the caller can do as the step says",
            "the agent had finished before 'Christmas' could be heard, so the caller did not cut in",
        )
    ]
    assert gaps(got.said)[2] == pytest.approx(0.4), "it waited for its turn instead"


def test_words_that_may_not_be_interrupted_go_on(rehearsed: Rehearse) -> None:
    agent = FakeAgent(relay='reportInputDuringAgentSpeech="none"')
    agent.greeting = 'Hello. This call may be recorded."  welcomeGreetingInterruptible="none'
    got = rehearsed("steps: [{say: Hi, cut_in: {seconds: 0.5}}, {say: hours, expect: nine}]", agent=agent)
    assert got.said[0].text == "Hello. This call may be recorded."
    assert got.ok


def test_silence_is_waited_out_and_reprompts_are_counted(rehearsed: Rehearse) -> None:
    got = rehearsed(
        """
        steps:
        - say: What are your hours?
          expect: {reprompts: 0}
        - wait: 2.9
          expect: {silent: true}
        - wait: 9
          expect: {contains: still there, reprompts: 3, silent: false}
        expect: {reprompts: 3}
        """,
        agent=FakeAgent(reprompt=3.0),
    )
    assert failed(got) == []


def test_keys_and_speech_of_one_call(rehearsed: Rehearse) -> None:
    agent = FakeAgent()
    got = rehearsed("steps: [{keys: 12}, {say: hours}]", agent=agent)
    assert [frame["digit"] for frame in agent.frames("dtmf")] == ["1", "2"]
    keys = got.said[1]
    assert (keys.text, round(keys.until - keys.at, 2)) == ("12", 0.38)


@pytest.mark.parametrize(
    ("words", "ended"), [("Bye!", "goodbye"), ("A person please.", "person"), ("Now crash!", "failed")]
)
def test_how_a_call_ends(rehearsed: Rehearse, words: str, ended: str) -> None:
    text = f"steps: [{{say: {words}}}]\nexpect: {{ended: {ended}}}"
    got = rehearsed(text, agent=FakeAgent(reprompt=3.0))
    assert (got.ended, failed(got)) == (ended, [])
    other = rehearsed(text.replace(f"ended: {ended}", "ended: hung_up"))
    assert failed(other) == [("s.yaml", "the call ends with hung_up", ended)]


def test_the_last_words_of_twiml_are_heard_out(rehearsed: Rehearse) -> None:
    agent = FakeAgent()
    agent.farewell = f"<Say>{'Thank you very much. ' * 5}</Say><Hangup/>"
    assert rehearsed("steps: [{say: Bye}]", agent=agent).ended == "goodbye"


def test_a_resumed_call_has_not_failed(tmp_path: Path) -> None:
    class Stubborn(FakeAgent):
        async def _action(self, request: web.Request) -> web.Response:
            form = await request.post()
            return await (self._voice_again() if form["SessionStatus"] == "failed" else super()._action(request))

    async def main() -> CallReport:
        async with Stubborn().serve(str(tmp_path / "agent")) as address:
            caller = Caller(TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN), Route(PUBLIC, address))
            async with caller:
                await caller.greeted()
                await caller.turn()
                caller.line.drop()
                assert not caller.line.connected
                await caller.silence(5)
                assert caller.line.connected
                caller.say("Bye")
                await caller.end()
            return report(parse("steps: [{say: Hi}]"), caller)

    got = run(main(), tidy=True)
    assert (got.ended, [alert[:5] for alert in got.alerts]) == ("goodbye", ["64105"])


def test_hanging_up_in_the_middle(rehearsed: Rehearse) -> None:
    got = rehearsed("steps: [{say: Something long}, {hang_up: true, cut_in: {seconds: 1}}]\nexpect: {ended: hung_up}")
    assert got.ok
    assert got.said[-1].text == "The first thing is"
    assert got.said[-1].unheard.startswith("this. The second thing")
    assert not got.said[-1].cut, "nobody cut in"


def test_last_words_are_not_a_reprompt(rehearsed: Rehearse) -> None:
    class Polite(FakeAgent):
        async def say(self, socket: object, text: str) -> None:
            self._leaving = "bye" if text == "Still there?" else ""
            await super().say(socket, text)  # type: ignore[arg-type]

    got = rehearsed("steps: [{wait: 20}]\nexpect: {ended: goodbye, reprompts: 0}", agent=Polite(reprompt=3.0))
    assert failed(got) == []


def test_steps_that_come_too_late(rehearsed: Rehearse) -> None:
    got = rehearsed("steps:\n- say: Bye!\n- say: One more thing\n- keys: 1")
    why = "the call was over before the caller could say 'One more thing'"
    assert failed(got) == [("s.yaml:3", "the caller can do as the step says", why)]
    assert got.ended == "goodbye"


def test_unmet_expectations_say_what_was_said(rehearsed: Rehearse) -> None:
    got = rehearsed(
        """
        steps:
        - say: What are your hours?
          expect:
            contains: [nine, half past eight]
            not: Sunday
            matches: '\\d'
            within_ms: 1
            first_token_within_ms: 2
            silent: true
            interrupted: true
            reprompts: 1
        expect: {ended: person, max_seconds: 2, contains: abracadabra}
        """
    )
    answer = "We are open from nine to six, Tuesday to Sunday."
    everything = f"Hello, how can I help? {answer}"
    found = failed(got)
    assert [(where, what) for where, what, _ in found] == [
        ("s.yaml:3", "contains 'half past eight'"),
        ("s.yaml:3", "does not contain 'Sunday'"),
        ("s.yaml:3", r"matches '\\d'"),
        ("s.yaml:3", "first audio within 1 ms"),
        ("s.yaml:3", "first token within 2 ms"),
        ("s.yaml:3", "1 reprompt"),
        ("s.yaml:3", "silence"),
        ("s.yaml:3", "the agent is cut off"),
        ("s.yaml", "contains 'abracadabra'"),
        ("s.yaml", "the call ends with person"),
        ("s.yaml", "the call takes at most 2 s"),
    ]
    said = [what for _, _, what in found]
    assert said[:3] == [answer] * 3
    assert said[3].endswith(" ms")
    assert said[5:] == ["0 reprompts", answer, answer, everything, "hung_up", f"{got.seconds:.1f} s"]
    assert not got.ok


def test_an_answer_that_never_comes(rehearsed: Rehearse) -> None:
    class Mute(FakeAgent):
        async def say(self, socket: object, text: str) -> None: ...

    got = rehearsed("steps: [{say: Hello, expect: {within_ms: 900}}, {say: 'Hello?'}]", agent=Mute())
    assert failed(got) == [("s.yaml:1", "first audio within 900 ms", "no answer")]
    assert gaps(got.said)[1] == pytest.approx(10, abs=0.5), "the caller's patience"


def test_an_agent_that_never_says_it_has_finished(rehearsed: Rehearse) -> None:
    class Unfinished(FakeAgent):
        async def say(self, socket: object, text: str) -> None:
            await socket.send_json({"type": "text", "token": "That is all. ", "last": False})  # type: ignore[attr-defined]

    got = rehearsed("steps: [{say: Hello}, {say: Hello again}]", agent=Unfinished())
    assert [each.who for each in got.said] == ["agent", "caller", "agent", "caller", "agent"]
    assert gaps(got.said)[2] == pytest.approx(5.0)


def test_a_call_that_never_comes_about(rehearsed: Rehearse) -> None:
    got = rehearsed("steps: [{say: Hello}]", token="another")
    assert got.ended == "failed"
    assert not got.reached
    assert "403" in got.alerts[0]
    assert [what for _, what, _ in failed(got)] == ["the caller can do as the step says", "the call does not fail"]


def test_one_seed_one_call(rehearsed: Rehearse) -> None:
    text = "steps: [{say: Something long, interrupt: {after: second}, then: hours}, {say: Bye}]"
    assert rehearsed(text, seed=4) == rehearsed(text, seed=4)
    assert rehearsed(text, seed=4) != rehearsed(text, seed=5)


def test_by_hand(tmp_path: Path) -> None:
    async def main() -> CallReport:
        async with FakeAgent().serve(str(tmp_path / "agent")) as address:
            caller = Caller(TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN), Route(PUBLIC, address))
            async with caller:
                await caller.answer()
                await caller.turn()
                caller.say("Tell me something long")
                await caller.answer()
                caller.say("Stop")  # talks over it
                await caller.answer()
                await caller.turn()
            return report(parse("steps: [{say: Hi}]"), caller)

    got = run(main(), tidy=True)
    assert agent_said(got)[-1] == "You said stop"
    assert got.said[2].cut
    assert got.as_dict()["said"][2]["cut"] is True
