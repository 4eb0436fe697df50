"""Random calls: the rules of machine.py as invariants, checked after every step."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation import journal
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import phrases_for
from voicectl.conversation.turns import ToolCall

LONG = os.environ.get("VOICECTL_TEST_PROFILE") == "long"

TEXTS = st.sampled_from(
    [
        "Hello. ",
        "We open at 10:30, and close at six. ",
        "**Prices** start at $4.50. ",
        "Stop. Stop. Stop. ",
        "営業時間は十時からです。",
        "See https://example.com/a ",
        "smile 😀 ",
        "word",
        " ",
        "- one\n- two\n",
    ]
)
WORDS = st.sampled_from(
    [
        "Hello?",
        "Bye, thank you.",
        "Stop.",
        "And on Sundays?",
        "When do you open on Sundays?",
        "  ",
        "はい",
        "mm-hmm",
        "Hold on a second.",
        "My number is five five",
        "I would like to",
        "Können wir Deutsch sprechen?",
    ]
)


class Calls(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.manners = Manners(max_words=25, can_transfer=True, others={"de-DE": phrases_for("de")}, call_seconds=600)
        self.machine = Conversation(self.manners)
        self.at = 0.0
        self.slow_peer = False
        self.timers: dict[ev.Timer, float] = {}
        self.started: set[int] = set()
        self.finished: set[int] = set()
        self.log: list[str] = []
        self.recorded: set[int] = set()
        self.closed: set[int] = set()
        self.spoken: dict[int, str] = {}
        self.early: set[int] = set()
        self.called: set[str] = set()
        self.ended = 0
        self.post(ev.CallStarted(0.0, "Hello, how can I help?"))

    def post(self, event: ev.Event) -> None:
        effects = self.machine.handle(event)
        self.log.append(journal.step(event, effects))
        unsay: int | None = None
        for effect in effects:
            if isinstance(effect, fx.SetTimer):
                assert effect.due >= 0
                self.timers[effect.timer] = effect.due
            elif isinstance(effect, fx.CancelTimer):
                assert effect.timer in self.timers, "cancelled a timer that was not set"
                del self.timers[effect.timer]
            elif isinstance(effect, fx.StartGeneration):
                assert self.started <= self.finished, "two live generations"
                assert effect.generation not in self.started
                assert effect.lines[-1].role == "caller" or effect.notes or effect.lines[-1].tools
                assert all(use.result and use.status for line in effect.lines for use in line.tools)
                self.started.add(effect.generation)
                if effect.early:
                    self.early.add(effect.generation)
            elif isinstance(effect, fx.RecordGuess):
                self.early.discard(effect.generation)
            elif isinstance(effect, fx.RunTool):
                assert effect.call.id not in self.called, "two calls of one name"
                self.called.add(effect.call.id)
            elif isinstance(effect, fx.CancelGeneration):
                self.finished.add(effect.generation)
            elif isinstance(effect, fx.RecordTurn):
                self.recorded.add(effect.turn.order)
                assert effect.turn.said.startswith(effect.turn.heard) or effect.turn.role == "caller"
            elif isinstance(effect, fx.Unsay):
                unsay = effect.keep
            elif isinstance(effect, fx.Say):
                assert not self.ended, "words after the end"
                assert not self.early, "words of a guess"
                assert effect.turn not in self.closed, "words behind the last ones of a turn"
                self.spoken[effect.turn] = self.spoken.get(effect.turn, "") + effect.text
                if effect.last:
                    self.closed.add(effect.turn)
                    assert effect.turn in self.recorded, "a talk cycle was closed before its turn was recorded"
            elif isinstance(effect, fx.End):
                self.ended += 1
        if isinstance(event, (ev.ReplyFinished, ev.Failed)) and event.generation:
            self.finished.add(event.generation)
        if unsay is not None and self.slow_peer:
            for turn, text in self.spoken.items():
                if turn != unsay and len(text) > 2:
                    self.spoken[turn] = text[:-2]
                    self.post(ev.WordsUnsaid(self.at, turn, 2))

    def now(self, after: float) -> float:
        self.at += after
        return self.at

    @rule(after=st.sampled_from([0.0, 0.1, 0.7, 3.0]), text=WORDS, final=st.booleans())
    def caller_speaks(self, after: float, text: str, final: bool) -> None:
        self.post(ev.CallerSpoke(self.now(after), text, final))

    @rule(slow=st.booleans())
    def peer_takes_its_time(self, slow: bool) -> None:
        self.slow_peer = slow

    @rule(on=st.booleans())
    def caller_makes_sounds(self, on: bool) -> None:
        self.post(ev.CallerSpeaking(self.at, on))

    @rule(key=st.sampled_from("0123456789*#"))
    def caller_presses(self, key: str) -> None:
        self.post(ev.KeyPressed(self.now(0.1), key))

    @precondition(lambda self: self.machine.live_generation)
    @rule(text=TEXTS, after=st.sampled_from([0.0, 0.05, 1.0]))
    def model_writes(self, text: str, after: float) -> None:
        assert self.machine.live_generation
        self.post(ev.ReplyDelta(self.now(after), self.machine.live_generation, text))

    @rule(text=TEXTS, generation=st.integers(0, 20))
    def some_model_writes(self, text: str, generation: int) -> None:
        self.post(ev.ReplyDelta(self.at, generation, text))

    @precondition(lambda self: self.machine.live_generation)
    @rule(closing=st.sampled_from([None, None, None, "goodbye", "person"]))
    def model_finishes(self, closing: str | None) -> None:
        assert self.machine.live_generation
        self.post(ev.ReplyFinished(self.at, self.machine.live_generation, closing=closing))  # type: ignore[arg-type]

    @precondition(lambda self: self.machine.live_generation)
    @rule(count=st.integers(1, 3))
    def model_calls_tools(self, count: int) -> None:
        assert self.machine.live_generation
        calls = tuple(ToolCall(f"c{n}", "look", "{}") for n in range(count))
        self.post(ev.ReplyFinished(self.at, self.machine.live_generation, calls=calls))

    @precondition(lambda self: self.called)
    @rule(
        data=st.data(),
        after=st.sampled_from([0.0, 2.0]),
        status=st.sampled_from(["ok", "refused", "failed"]),
        act=st.sampled_from([{}, {"digits": "12"}, {"language": "de-DE"}, {"language": "xx"}, {"field": "pin"}]),
    )
    def tool_returns(self, data: st.DataObject, after: float, status: str, act: dict[str, str]) -> None:
        id = data.draw(st.sampled_from(sorted(self.called)))
        self.post(ev.ToolReturned(self.now(after), id, "found", status, **act))  # type: ignore[arg-type]

    @rule(on=st.booleans())
    def budget_changes(self, on: bool) -> None:
        self.post(ev.GuessingAllowed(self.at, on))

    @precondition(lambda self: self.machine.live_generation)
    @rule(kind=st.sampled_from(["timeout", "stall", "auth"]))
    def model_fails(self, kind: str) -> None:
        assert self.machine.live_generation
        self.post(ev.Failed(self.at, "llm", kind, self.machine.live_generation))

    @rule(data=st.data(), after=st.sampled_from([0.0, 0.4]))
    def carrier_plays(self, data: st.DataObject, after: float) -> None:
        said = [t.said for t in self.machine.turns if t.said] or [""]
        text = data.draw(st.sampled_from(said[-2:]))
        cut = data.draw(st.integers(0, len(text)))
        self.post(ev.WordsPlayed(self.now(after), text[:cut].strip()))

    @rule(data=st.data())
    def caller_interrupts(self, data: st.DataObject) -> None:
        said = [t.said for t in self.machine.turns if t.said] or [""]
        text = data.draw(st.sampled_from(said[-2:]))
        cut = data.draw(st.integers(0, len(text)))
        self.post(ev.CallerInterrupted(self.now(0.3), text[:cut].strip(), 300))

    @rule(on=st.booleans(), after=st.sampled_from([0.0, 1.5]))
    def carrier_reports_audio(self, on: bool, after: float) -> None:
        self.post(ev.AgentSpeaking(self.now(after), on))

    @precondition(lambda self: self.timers)
    @rule()
    def time_passes(self) -> None:
        timer, due = min(self.timers.items(), key=lambda pair: pair[1])
        del self.timers[timer]
        self.at = max(self.at, due)
        self.post(ev.TimerFired(self.at, timer, due))

    @precondition(lambda self: self.timers)
    @rule(off=st.sampled_from([-1.0, 1.0, 0.001]))
    def stale_timer(self, off: float) -> None:
        timer, due = next(iter(self.timers.items()))
        before = len(self.machine.turns)
        self.post(ev.TimerFired(self.at, timer, due + off))
        assert len(self.machine.turns) == before

    @precondition(lambda self: self.at > 60)
    @rule(reason=st.sampled_from(["time_is_up", "operator", "shutdown"]))
    def close_is_asked_for(self, reason: str) -> None:
        self.post(ev.CloseRequested(self.at, reason))  # type: ignore[arg-type]

    @invariant()
    def something_is_always_awaited(self) -> None:
        if self.machine.phase != "ended":
            assert self.timers, f"dead air: nothing is awaited in {self.machine.phase}"

    @invariant()
    def orders_count_up(self) -> None:
        assert [turn.order for turn in self.machine.turns] == list(range(len(self.machine.turns)))

    @invariant()
    def every_turn_that_is_over_is_closed(self) -> None:
        live = self.machine.live_generation
        open_turns = set(self.spoken) - self.closed
        assert len(open_turns) <= (1 if live is not None else 0), open_turns

    @invariant()
    def the_call_ends_once(self) -> None:
        assert self.ended <= 1

    def teardown(self) -> None:
        # Left alone, every call comes to an end.
        for _ in range(60):
            if self.machine.phase == "ended":
                break
            self.time_passes()
        assert self.machine.phase == "ended"
        assert not self.timers
        assert journal.replay(self.manners, self.log) is None


Calls.TestCase.settings = settings(
    max_examples=1000 if LONG else 100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
TestCalls = Calls.TestCase
