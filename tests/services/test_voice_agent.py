"""The driver of live calls, in virtual time: what leaves, in which order, and what is left afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Closing, Passage
from voicectl.errors import ReplyError, StoreError
from voicectl.ports import CallInfo, Inquiry, ReplyEnd, ReplyRequest, Retrieval, Tools
from voicectl.services.agents import Agent
from voicectl.services.voice_agent import CLOSE_GRACE, HANG_UP_GRACE, AgentLimits, LiveCall, VoiceAgentService
from voicectl.settings import Settings
from voicectl.simulator.virtual_time import run
from voicectl.storage.memory import MemoryCalls

INFO = CallInfo("CA1", "VX1", "+15550100001", "+15550100002")


@dataclass
class FakeLine:
    """Keeps what was sent, with its time; can be slow, or gone."""

    sent: list[tuple[float, str, bool]] = field(default_factory=list)
    ended: list[tuple[float, Closing]] = field(default_factory=list)
    closed_at: float | None = None
    slow: float = 0.0
    gone: bool = False

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        if self.gone:
            raise ConnectionError
        if self.slow:
            await asyncio.sleep(self.slow)
        self.sent.append((asyncio.get_running_loop().time(), text, last))

    async def send_digits(self, digits: str) -> None:
        self.sent.append((asyncio.get_running_loop().time(), f"[{digits}]", False))

    async def switch_language(self, language: str) -> None:
        self.sent.append((asyncio.get_running_loop().time(), f"[{language}]", False))

    async def end(self, closing: Closing, destination: str = "") -> None:
        if self.gone:
            raise ConnectionError
        self.ended.append((asyncio.get_running_loop().time(), closing))

    async def close(self) -> None:
        self.closed_at = asyncio.get_running_loop().time()

    @property
    def text(self) -> str:
        return "".join(text for _, text, _ in self.sent)


@dataclass
class FakeModel:
    """Answers every question the same, token by token."""

    tokens: tuple[str, ...] = ("We ", "open ", "at ten.")
    first: float = 0.3
    each: float = 0.02
    closing: Closing | None = None
    fail: Exception | None = None
    name: str = "fake"
    asked: list[ReplyRequest] = field(default_factory=list)
    running: int = 0

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked.append(request)
        self.running += 1
        try:
            await asyncio.sleep(self.first)
            for token in self.tokens:
                yield token.replace("{question}", request.question)
                if self.each:
                    await asyncio.sleep(self.each)
            if self.fail:
                raise self.fail
            yield ReplyEnd("stop", self.closing)
        finally:
            self.running -= 1

    async def warm_up(self) -> None: ...

    async def close(self) -> None: ...


class FakeKnowledge:
    def __init__(self, takes: float = 0.0, fail: Exception | None = None) -> None:
        self.takes, self.fail = takes, fail
        self.finds = Retrieval("answer", (Passage(1, "Hours", "We open at ten.", "hours.md"),))
        self.asked: list[Inquiry] = []

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        self.asked.append(inquiry)
        await asyncio.sleep(self.takes)
        if self.fail:
            raise self.fail
        return self.finds


@dataclass
class Bench:
    model: FakeModel
    line: FakeLine
    store: MemoryCalls
    service: VoiceAgentService
    call: LiveCall

    def says(self, text: str) -> None:
        self.call.post(ev.CallerSpoke(self.call.now, text))


def an_agent(
    model: FakeModel | None = None,
    knowledge: FakeKnowledge | None = None,
    manners: Manners | None = None,
    limits: AgentLimits | None = None,
    tools: Tools | None = None,
) -> Agent:
    return Agent(
        "default",
        Settings(),
        manners or Manners(silence=1000),
        limits or AgentLimits(),
        model or FakeModel(),
        tools,
        knowledge or FakeKnowledge(),
    )


def hold(
    talk: Callable[[Bench], Any],
    *,
    model: FakeModel | None = None,
    line: FakeLine | None = None,
    knowledge: FakeKnowledge | None = None,
    manners: Manners | None = None,
    limits: AgentLimits | None = None,
    tools: Tools | None = None,
    greeting: str = "",
) -> Bench:
    """Hold a call in virtual time, finish it, and see that nothing of it is left."""

    async def main() -> Bench:
        store = MemoryCalls()
        service = VoiceAgentService(agent=an_agent(model, knowledge, manners, limits, tools), store=store)
        the_line = line or FakeLine()
        call = service.answer(INFO, the_line, greeting)
        bench = Bench(service.agent.model, the_line, store, service, call)  # type: ignore[arg-type]
        await talk(bench)
        await call.finish("hung_up")
        assert call.over.is_set() and not service.calls
        assert bench.model.running == 0
        return bench

    return run(main(), tidy=True, timeout=100_000)


def test_a_reply_is_streamed_and_its_turns_are_on_disk() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("When do you open?")
        await asyncio.sleep(2)
        assert bench.line.text == "We open at ten."
        assert [last for _, _, last in bench.line.sent].count(True) == 1
        assert bench.line.sent[-1][2]
        assert bench.line.sent[0][0] - 0.3 <= 0.021  # "We" may become "Wed.", so the next token is waited for
        turns = await bench.store.turns("CA1")
        assert [(t.role, t.generated) for t in turns] == [("caller", "When do you open?"), ("agent", "We open at ten.")]

    bench = hold(talk)
    assert bench.model.asked[0].passages[0].title == "Hours"


def test_tokens_of_one_moment_leave_as_one_message() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(1)

    bench = hold(talk, model=FakeModel(tokens=("a ", "b ", "c."), first=0.0, each=0.0))
    assert len(bench.line.sent) < 4 and bench.line.text == "a b c."


def test_the_first_words_wait_for_the_callers_turn_and_the_last_frame_for_the_agents() -> None:
    async def talk(bench: Bench) -> None:
        bench.store.delay = 0.1
        bench.says("Go.")
        await asyncio.sleep(3)
        first = bench.line.sent[0][0]
        last = bench.line.sent[-1]
        assert first >= 0.1  # the model was ready at once
        assert last[1] == "" and last[2]
        assert last[0] >= first + 0.1

    hold(talk, model=FakeModel(first=0.0, each=0.0))


def test_a_store_that_hangs_delays_words_but_not_for_long_and_is_an_incident() -> None:
    async def talk(bench: Bench) -> None:
        await asyncio.sleep(1)
        bench.store.delay = 60
        bench.says("Go.")
        await asyncio.sleep(5)
        assert 0.4 <= bench.line.sent[0][0] - 1 <= 0.6
        # Waited for once: the other words follow at their own pace, and so does the closing frame after one wait.
        assert bench.line.sent[-2][0] - 1 <= 0.7 and bench.line.text == "We open at ten."
        assert bench.line.sent[-1][2] and bench.line.sent[-1][0] - 1 <= 1.3
        bench.store.delay = 0
        await asyncio.sleep(200)
        kinds = [e.data.get("kind") for e in await bench.store.events("CA1") if e.kind == "incident"]
        assert "timeout" in kinds

    hold(talk, model=FakeModel(first=0.0))


def test_a_reply_that_is_too_long_is_said_up_to_its_limit() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(3)
        assert bench.line.text.startswith("one two three four five six. ")
        assert bench.line.text.endswith(Manners().phrases.go_on)
        assert bench.line.sent[-1][2] and bench.model.running == 0

    words = "one two three four five six. Seven eight nine.".split(" ")
    hold(
        talk,
        model=FakeModel(tokens=tuple(f"{word} " for word in words), each=0.0),
        manners=Manners(max_words=5, silence=1000),
    )


def test_a_store_that_refuses_does_not_stop_the_conversation() -> None:
    async def talk(bench: Bench) -> None:
        await asyncio.sleep(1)
        bench.store.refuse = StoreError("disk full")
        bench.says("Go.")
        await asyncio.sleep(2)
        assert bench.line.text == "We open at ten." and bench.line.sent[-1][2]
        bench.store.refuse = None
        await asyncio.sleep(1)
        bench.store.refuse = None
        assert sum(e.kind == "incident" for e in await bench.store.events("CA1")) <= 2

    hold(talk)


def test_after_an_interruption_no_old_word_leaves_and_the_model_is_stopped() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(0.4)
        bench.call.post(ev.AgentSpeaking(bench.call.now, True))
        before = len(bench.line.sent)
        assert bench.model.running == 1
        bench.call.post(ev.CallerInterrupted(bench.call.now, "w", 50))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bench.model.running == 0
        await asyncio.sleep(2)
        assert not any(text for _, text, _ in bench.line.sent[before:])

    hold(talk, model=FakeModel(tokens=("word ",) * 200, first=0.0), manners=Manners(silence=1000, resume=0))


def test_words_that_wait_behind_a_slow_peer_are_thrown_away_by_an_interruption() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(0.5)
        bench.call.post(ev.CallerInterrupted(bench.call.now, "old", 50))
        bench.says("New question.")
        bench.model.tokens = ("new.",)
        await asyncio.sleep(5)
        # One message was on its way into the socket; nothing behind it follows.
        assert [at for at, text, _ in bench.line.sent if "old" in text][-1] <= 0.61
        assert bench.line.text.endswith("new.")

    hold(talk, model=FakeModel(tokens=("old ",) * 100, first=0.0, each=0.01), line=FakeLine(slow=0.2))


def test_words_of_a_finished_reply_that_have_not_left_are_thrown_away_too_and_the_record_says_so() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(0.15)  # the model has finished; the first message is in the socket
        assert bench.model.running == 0
        bench.call.post(ev.CallerInterrupted(bench.call.now, "old", 50))
        await asyncio.sleep(5)
        assert [at for at, text, _ in bench.line.sent if "old" in text][-1] <= 0.21
        reply = (await bench.store.turns("CA1"))[1]
        assert reply.generated == "old " * 60
        assert len(reply.said) < len(reply.generated) / 2 and reply.interrupted and reply.said.startswith(reply.heard)

    model, line = FakeModel(tokens=("old ",) * 60, first=0.0, each=0.002), FakeLine(slow=0.2)
    hold(talk, model=model, line=line, manners=Manners(silence=1000, resume=0))


def test_a_call_that_comes_while_the_server_stops_is_told_too() -> None:
    async def main() -> None:
        service = VoiceAgentService(agent=an_agent(manners=Manners()), store=MemoryCalls())
        early, late = FakeLine(), FakeLine()
        first = service.answer(CallInfo("CA1", "VX1", "a", "b"), early, "")
        closing = asyncio.ensure_future(service.close(20))
        await asyncio.sleep(1)
        second = service.answer(CallInfo("CA2", "VX2", "a", "b"), late, "")
        await asyncio.sleep(9)
        assert Manners().phrases.shutting_down in late.text and late.ended and early.ended
        await first.finish("ended")
        assert not closing.done()
        await second.finish("ended")
        await closing
        stuck = service.answer(CallInfo("CA3", "VX3", "a", "b"), FakeLine(gone=True), "")
        began = asyncio.get_running_loop().time()
        await service.close(20)
        assert asyncio.get_running_loop().time() - began == pytest.approx(20)
        await stuck.finish("socket_lost")

    run(main(), tidy=True)


def test_the_reason_of_a_capped_call_is_kept() -> None:
    async def talk(bench: Bench) -> None:
        await asyncio.sleep(75)
        await bench.call.finish("ended")
        call = await bench.store.call("CA1")
        assert call is not None and call.end_reason == "time_is_up"

    hold(talk, limits=AgentLimits(call_seconds=60.5))


def test_a_store_that_breaks_at_the_end_leaves_nothing_behind() -> None:
    async def talk(bench: Bench) -> None:
        def broken(*given: Any) -> Any:
            raise ZeroDivisionError

        bench.store.end_call = broken  # type: ignore[method-assign]

    hold(talk)


def test_a_line_that_breaks_in_an_unforeseen_way_gives_the_call_back() -> None:
    class Odd(FakeLine):
        async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
            raise ZeroDivisionError

    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(1)
        assert bench.line.ended
        assert "internal" in [e.data.get("kind") for e in await bench.store.events("CA1")]

    hold(talk, line=Odd())


@pytest.mark.parametrize("failure", [ReplyError("overload", "500"), RuntimeError("bug")])
def test_a_model_that_fails_is_apologised_for(failure: Exception) -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(1)
        assert bench.line.text == Manners().phrases.apology
        assert bench.line.sent[-1][2]

    hold(talk, model=FakeModel(tokens=(), fail=failure))


def test_a_model_that_stops_without_an_end_is_truncated() -> None:
    class Cut(FakeModel):
        async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
            yield "Half a "

    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(1)
        assert bench.line.text == "Half a " + Manners().phrases.lost_thread

    hold(talk, model=Cut())


@pytest.mark.parametrize("knowledge", [FakeKnowledge(takes=9), FakeKnowledge(fail=RuntimeError("broken"))])
def test_a_knowledge_base_that_fails_costs_little_time_and_the_model_is_told(knowledge: FakeKnowledge) -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(2)
        assert bench.model.asked[0].knowledge_failed and not bench.model.asked[0].passages
        assert bench.line.sent[0][0] < 0.8

    hold(talk, knowledge=knowledge)


def test_the_goodbye_is_followed_by_the_end_and_a_carrier_that_keeps_the_socket_loses_it() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Bye.")
        await asyncio.sleep(1)
        bench.call.post(ev.AgentSpeaking(bench.call.now, True))
        assert not bench.line.ended
        await asyncio.sleep(1)
        bench.call.post(ev.WordsPlayed(bench.call.now, "We open at ten."))
        bench.call.post(ev.AgentSpeaking(bench.call.now, False))
        await asyncio.sleep(2)
        assert [closing for _, closing in bench.line.ended] == ["goodbye"]
        assert bench.call.ended_by_us and bench.line.closed_at is None
        await asyncio.sleep(HANG_UP_GRACE)
        assert bench.line.closed_at is not None

    hold(talk, model=FakeModel(closing="goodbye"))


def test_the_cap_asks_politely_first() -> None:
    async def talk(bench: Bench) -> None:
        await asyncio.sleep(60)
        assert bench.line.text == "" and not bench.line.ended
        await asyncio.sleep(15)
        assert bench.line.text == Manners().phrases.time_is_up
        assert bench.line.ended

    hold(talk, limits=AgentLimits(call_seconds=60.5))


def test_the_cap_holds_although_the_conversation_is_broken(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(bench: Bench) -> None:
        bench.call._conversation.handle = lambda event: []  # type: ignore[method-assign]
        await asyncio.sleep(60 + CLOSE_GRACE + 2 * HANG_UP_GRACE + 1)
        assert bench.line.ended and bench.line.closed_at is not None

    hold(talk, limits=AgentLimits(call_seconds=60))


def test_a_bug_in_the_machine_gives_the_call_back_instead_of_leaving_it_silent() -> None:
    async def talk(bench: Bench) -> None:
        def broken(event: ev.Event) -> list[Any]:
            raise ZeroDivisionError

        handle, bench.call._conversation.handle = bench.call._conversation.handle, broken  # type: ignore[method-assign]
        bench.says("Go.")
        bench.call._conversation.handle = handle  # type: ignore[method-assign]
        await asyncio.sleep(1)
        assert bench.line.ended

    hold(talk)


def test_a_line_that_is_gone_ends_the_writer_quietly() -> None:
    async def talk(bench: Bench) -> None:
        bench.line.gone = True
        bench.says("Go.")
        await asyncio.sleep(2)

    hold(talk)


def test_a_peer_that_takes_nothing_is_dropped() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Go.")
        await asyncio.sleep(10)
        assert bench.line.closed_at is not None
        assert "slow_reader" in [e.data.get("kind") for e in await bench.store.events("CA1")]

    hold(
        talk,
        model=FakeModel(tokens=("x" * 500,) * 400, first=0.0, each=0.01),
        line=FakeLine(slow=1000),
        manners=Manners(max_words=100_000, silence=1000),
    )


def test_a_hundred_calls_at_once_never_hear_each_other() -> None:
    async def main() -> None:
        store = MemoryCalls()
        model = FakeModel(tokens=("I ", "heard ", "{question}"), first=0.1)
        service = VoiceAgentService(agent=an_agent(model), store=store)
        lines = [FakeLine() for _ in range(100)]
        calls = [
            service.answer(CallInfo(f"CA{n}", f"VX{n}", "+1555", "+1556"), line, "") for n, line in enumerate(lines)
        ]
        for n, call in enumerate(calls):
            call.post(ev.CallerSpoke(call.now, f"canary-{chr(97 + n // 26)}{chr(97 + n % 26)}."))
            if n % 3 == 0:
                await asyncio.sleep(0.001)
        await asyncio.sleep(3)
        for n, line in enumerate(lines):
            assert line.text == f"I heard canary-{chr(97 + n // 26)}{chr(97 + n % 26)}."
        await asyncio.gather(*(call.finish("hung_up") for call in calls))
        assert not service.calls

    run(main(), tidy=True)


def test_closing_the_service_says_goodbye_on_every_line() -> None:
    async def main() -> None:
        service = VoiceAgentService(agent=an_agent(manners=Manners()), store=MemoryCalls())
        lines = [FakeLine(), FakeLine()]
        calls = [service.answer(CallInfo(f"CA{n}", f"VX{n}", "a", "b"), line, "") for n, line in enumerate(lines)]
        closing = asyncio.ensure_future(service.close())
        await asyncio.sleep(8)
        assert all(line.ended and Manners().phrases.shutting_down in line.text for line in lines)
        await asyncio.gather(*(call.finish("ended") for call in calls))
        await closing

    run(main(), tidy=True)
