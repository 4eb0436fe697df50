"""Tools, guesses and keys in a live call: what the driver runs, posts and sends."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from test_voice_agent import INFO, Bench, FakeKnowledge, FakeLine, FakeModel, an_agent, hold

from voicectl.conversation import events as ev
from voicectl.conversation.keypad import KeyField
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.turns import Closing, ToolCall
from voicectl.ports import CallInfo, ReplyEnd, ReplyRequest, ToolContext, ToolOutcome, ToolSpec
from voicectl.services.guess_budget import ENOUGH, PAUSE_TURNS
from voicectl.services.voice_agent import AgentLimits, VoiceAgentService, idempotency_key
from voicectl.simulator.virtual_time import run
from voicectl.storage.memory import MemoryCalls

QUIET = Manners(silence=1000, filler=0)
LOOK = ToolCall("a", "look", '{"for": "umbrella"}')


@dataclass
class FakeTools:
    """Everything that is called takes its time and then comes to what is said here, by the name of the tool."""

    outcomes: dict[str, ToolOutcome] = field(default_factory=dict)
    takes: dict[str, float] = field(default_factory=dict)
    fail: Exception | None = None
    began: list[tuple[float, ToolCall, ToolContext]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)

    def offered(self, language: str) -> tuple[ToolSpec, ...]:
        self.languages.append(language)
        return (ToolSpec("look", "Looks for things.", {"type": "object"}),)

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        self.began.append((asyncio.get_running_loop().time(), call, context))
        try:
            await asyncio.sleep(self.takes.get(call.name, 0.1))
        except asyncio.CancelledError:
            self.cancelled.append(call.id)
            raise
        if self.fail:
            raise self.fail
        return self.outcomes.get(call.name, ToolOutcome(f"{call.name}: done"))

    @property
    def keys(self) -> list[str]:
        return [context.key for _, _, context in self.began]


class CallingModel(FakeModel):
    """Asks for tools first, in as many rounds as are given, and then tells what came of them."""

    def __init__(self, *rounds: tuple[ToolCall, ...], words: str = "") -> None:
        super().__init__()
        self.rounds = list(rounds)
        self.words = words

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked.append(request)
        await asyncio.sleep(0.05)
        if self.rounds:
            if self.words:
                yield self.words
            yield ReplyEnd("tool_calls", calls=self.rounds.pop(0))
            return
        results = [use.result for use in request.lines[-1].tools] if request.lines else []
        yield " and ".join(results) + "." if results else "Nothing."
        yield ReplyEnd("stop")


class Clerk(FakeLine):
    """A line that also keeps whom the caller was put through to, and how words were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.how: list[tuple[str, bool]] = []
        self.destinations: list[str] = []

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        self.how.append((text, preemptible))
        await super().say(text, last=last, preemptible=preemptible)

    async def end(self, closing: Closing, destination: str = "") -> None:
        self.destinations.append(destination)
        await super().end(closing, destination)


# --- a round -----------------------------------------------------------------------------------------------


def test_a_tool_is_run_its_result_spoken_and_all_of_it_stored() -> None:
    tools, model = FakeTools(), CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        assert bench.line.text == "look: done."
        turns = await bench.store.turns("CA1")
        assert [turn.kind for turn in turns] == ["speech", "tool", "reply"]
        use = turns[1].tool
        assert use is not None and (use.call, use.result, use.status) == (LOOK, "look: done", "ok")
        assert use.seconds == pytest.approx(0.1)

    hold(talk, model=model, tools=tools, manners=QUIET)
    _, call, context = tools.began[0]
    assert call == LOOK and context.call is INFO and context.language == "en-US"
    assert context.lines[-1].text == "Do you have my umbrella?"
    assert [spec.name for spec in model.asked[0].tools] == ["look"] and set(tools.languages) == {"en-US"}


def test_tools_called_together_run_side_by_side() -> None:
    tools = FakeTools(takes={"look": 2.0, "ask": 2.0})

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(2.0)
        assert len(tools.began) == 2 and not bench.line.text
        await asyncio.sleep(0.5)
        assert bench.line.text == "look: done and ask: done."

    hold(talk, model=CallingModel((LOOK, ToolCall("b", "ask", "{}"))), tools=tools, manners=QUIET)
    assert tools.began[0][0] == pytest.approx(tools.began[1][0])


def test_what_was_looked_up_for_the_question_still_holds_after_its_tools() -> None:
    model, knowledge = CallingModel((LOOK,)), FakeKnowledge()

    async def talk(bench: Bench) -> None:
        bench.says("When do you open?")
        await asyncio.sleep(1)

    hold(talk, model=model, tools=FakeTools(), knowledge=knowledge, manners=QUIET)
    assert len(knowledge.asked) == 1 and len(model.asked) == 2
    assert model.asked[0].passages == model.asked[1].passages != ()


@pytest.mark.parametrize("fail", [RuntimeError("bug"), ValueError("arguments")])
def test_a_tool_that_breaks_has_failed_and_the_call_goes_on(fail: Exception) -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        assert bench.line.text and not bench.line.ended
        tool = (await bench.store.turns("CA1"))[1].tool
        assert tool is not None and tool.status == "failed" and "bug" not in tool.result
        events = [event.data for event in await bench.store.events("CA1") if event.kind == "incident"]
        assert [(data["part"], data["kind"]) for data in events] == [("tool", "failed")]

    hold(talk, model=CallingModel((LOOK,)), tools=FakeTools(fail=fail), manners=QUIET)


def test_a_model_that_calls_tools_where_there_are_none_is_told_so() -> None:
    model = CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        tool = (await bench.store.turns("CA1"))[1].tool
        assert tool is not None and tool.status == "refused"

    hold(talk, model=model, manners=QUIET)
    assert model.asked[0].tools == ()


def test_a_model_that_calls_wrongly_twice_is_told_to_do_without() -> None:
    model = CallingModel((LOOK,), (LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(2)

    hold(talk, model=model, tools=FakeTools({"look": ToolOutcome("No.", "refused")}), manners=QUIET)
    assert [request.notes for request in model.asked] == [(), (), ("no_tools",)]


def test_a_tool_that_hangs_is_not_waited_for_longer_than_its_time() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(QUIET.tool)
        assert not bench.line.text
        await asyncio.sleep(1)
        assert bench.line.text
        tool = (await bench.store.turns("CA1"))[1].tool
        assert tool is not None and tool.status == "timeout"

    hold(talk, model=CallingModel((LOOK,)), tools=FakeTools(takes={"look": 100.0}), manners=QUIET)


def test_a_tool_at_work_is_stopped_when_the_call_ends() -> None:
    tools = FakeTools(takes={"look": 100.0})

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        assert tools.began and not tools.cancelled

    hold(talk, model=CallingModel((LOOK,)), tools=tools, manners=QUIET)
    assert tools.cancelled == ["a"]


# --- the caller meanwhile ----------------------------------------------------------------------------------


def test_a_tool_that_was_talked_over_goes_on_and_its_result_is_kept_and_not_spoken() -> None:
    tools = FakeTools({"look": ToolOutcome("It is here.")}, {"look": 3.0})
    model = CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        bench.says("Never mind. When do you open?")
        await asyncio.sleep(1)
        said = bench.line.text
        await asyncio.sleep(3)
        assert bench.line.text == said and "here" not in said and not tools.cancelled
        tool = (await bench.store.turns("CA1"))[1].tool
        assert tool is not None and (tool.result, tool.status) == ("It is here.", "ok")
        bench.says("And my umbrella?")
        await asyncio.sleep(1)

    hold(talk, model=model, tools=tools, manners=QUIET)
    before, after = model.asked[1].lines[0].tools, model.asked[2].lines[0].tools
    assert before[0].status == "waiting" and before[0].result
    assert after[0].result == "It is here."


def test_the_words_of_a_tool_are_sent_as_words_that_give_way() -> None:
    line = Clerk()
    manners = Manners(silence=1000, tool_words={"look": ("Let me see.",)})

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(0.5)
        assert [(text, gives_way) for text, gives_way in line.how if text] == [("Let me see.", True)]
        await asyncio.sleep(3)
        assert [(text, gives_way) for text, gives_way in line.how if text][1:] == [("look: done.", False)]

    hold(talk, model=CallingModel((LOOK,)), tools=FakeTools(takes={"look": 2.0}), line=line, manners=manners)


# --- deeds -------------------------------------------------------------------------------------------------


def test_keys_and_a_language_are_sent_before_the_words_that_follow_them() -> None:
    german = Phrases(switched="Gern.")
    tools = FakeTools({"look": ToolOutcome("Done", digits="1w2", language="de-DE")})
    model = CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        assert [text for _, text, _ in bench.line.sent if text] == ["[1w2]", "[de-DE]", "Done."]

    manners = Manners(silence=1000, filler=0, others={"de-DE": german}, numbers_for_the_ear=False)
    hold(talk, model=model, tools=tools, manners=manners)
    assert [request.language for request in model.asked] == ["en-US", "de-DE"]
    assert tools.languages == ["en-US", "de-DE"]


def test_a_field_that_a_tool_asks_for_takes_the_next_keys() -> None:
    tools = FakeTools({"look": ToolOutcome("Ask for it.", field="PIN")})
    pin = KeyField("PIN", length=4, sensitive=True)
    model = CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Do you have my umbrella?")
        await asyncio.sleep(1)
        for key in "4711":
            bench.call.post(ev.KeyPressed(bench.call.now, key))
        await asyncio.sleep(1)
        assert not any("4711" in str(turn) for turn in await bench.store.turns("CA1"))
        assert not any("4711" in str(event) for event in await bench.store.events("CA1"))

    hold(talk, model=model, tools=tools, manners=Manners(silence=1000, filler=0, fields=(pin,)))
    assert model.asked[-1].lines[-1].text == "(pressed keys for PIN: 4711)"


def test_a_destination_reaches_the_line() -> None:
    class Transferring(FakeModel):
        async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
            yield "One moment."
            yield ReplyEnd("stop", "person", destination="sales")

    line = Clerk()

    async def talk(bench: Bench) -> None:
        bench.says("Please put me through to a person in sales.")
        await asyncio.sleep(10)
        assert [closing for _, closing in line.ended] == ["person"] and line.destinations == ["sales"]

    manners = Manners(silence=1000, can_transfer=True)
    hold(talk, model=Transferring(), line=line, manners=manners)


# --- the same deed -----------------------------------------------------------------------------------------


def test_the_same_deed_has_the_same_key_and_any_other_one_another() -> None:
    key = idempotency_key("CA1", 0, "look", "{}")
    assert key == idempotency_key("CA1", 0, "look", "{}")
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    others = [
        idempotency_key("CA2", 0, "look", "{}"),
        idempotency_key("CA1", 1, "look", "{}"),
        idempotency_key("CA1", 0, "ask", "{}"),
        idempotency_key("CA1", 0, "look", '{"a": 1}'),
        idempotency_key("CA1", 0, "loo", "k{}"),
        idempotency_key("CA1", 0, "look", "\ud800"),
    ]
    assert len({key, *others}) == 7


def test_a_deed_asked_for_twice_in_a_turn_has_one_key() -> None:
    tools = FakeTools()

    async def talk(bench: Bench) -> None:
        bench.says("Order an umbrella.")
        await asyncio.sleep(1)

    again = ToolCall("b", LOOK.name, LOOK.arguments)
    hold(talk, model=CallingModel((LOOK,), (again,)), tools=tools, manners=QUIET)
    assert len(tools.keys) == 2 and len(set(tools.keys)) == 1


def test_a_deed_in_the_next_turn_has_another_key() -> None:
    tools, model = FakeTools(), CallingModel((LOOK,))

    async def talk(bench: Bench) -> None:
        bench.says("Order an umbrella.")
        await asyncio.sleep(1)
        model.rounds.append((LOOK,))
        bench.says("Another one, please.")
        await asyncio.sleep(1)

    hold(talk, model=model, tools=tools, manners=QUIET)
    assert len(tools.keys) == 2 and len(set(tools.keys)) == 2


# --- replies begun early -----------------------------------------------------------------------------------


def part(bench: Bench, text: str) -> None:
    bench.call.post(ev.CallerSpoke(bench.call.now, text, False))


def test_a_guess_that_fits_is_spoken_at_once_and_is_an_event() -> None:
    async def talk(bench: Bench) -> None:
        part(bench, "when do you open on sunday")
        await asyncio.sleep(1.5)
        assert len(bench.model.asked) == 1 and not bench.line.sent and not await bench.store.turns("CA1")
        bench.says("When do you open on Sunday?")
        now = bench.call.now
        await asyncio.sleep(0.3)
        assert bench.line.text == "We open at ten." and bench.line.sent[0][0] == pytest.approx(now, abs=0.01)
        (event,) = [event for event in await bench.store.events("CA1") if event.kind == "guess"]
        assert event.data == {"used": True, "gained_ms": pytest.approx(300, abs=1), "wasted_tokens": 0}

    bench = hold(talk)
    assert len(bench.model.asked) == 1


def test_a_guess_that_does_not_fit_is_stopped_and_never_heard() -> None:
    async def talk(bench: Bench) -> None:
        part(bench, "when do you open on sunday")
        await asyncio.sleep(0.8)
        assert bench.model.running == 1
        bench.says("When do you open on Monday?")
        await asyncio.sleep(0.01)
        assert bench.model.running == 1 and len(bench.model.asked) == 2
        await asyncio.sleep(20)
        assert bench.line.text.strip() == "word " * 29 + "word"
        (event,) = [event for event in await bench.store.events("CA1") if event.kind == "guess"]
        assert event.data["used"] is False and isinstance(event.data["wasted_tokens"], int)
        assert event.data["wasted_tokens"] > 0

    hold(talk, model=FakeModel(tokens=("word ",) * 30, each=0.1))


def test_guesses_in_vain_are_given_up_on_all_calls_of_the_agent_and_tried_again_later() -> None:
    async def main() -> None:
        store, model = MemoryCalls(), FakeModel(first=0.0, each=0.0)
        service = VoiceAgentService(agent=an_agent(model), store=store)
        calls = [service.answer(CallInfo(f"CA{n}", f"VX{n}", "a", "b"), FakeLine(), "") for n in (1, 2)]

        async def turn(call: int, early: str) -> bool:
            """Whether a reply was begun early."""
            live, before = calls[call], len(model.asked)
            live.post(ev.CallerSpoke(live.now, early, False))
            await asyncio.sleep(0.5)
            begun = len(model.asked) > before
            live.post(ev.CallerSpoke(live.now, "What does the red one cost?"))
            await asyncio.sleep(10)
            return begun

        wrong = "when do you open on sunday"
        assert [await turn(0, wrong) for _ in range(ENOUGH)] == [True] * ENOUGH
        assert not await turn(0, wrong) and not await turn(1, wrong)
        late = service.answer(CallInfo("CA3", "VX3", "a", "b"), FakeLine(), "")
        calls.append(late)
        assert not await turn(2, wrong)  # a call that comes later is held to it too
        begun = [await turn(2, wrong) for _ in range(PAUSE_TURNS)]
        assert begun[0] is False and begun[-1] is True
        assert begun == sorted(begun)
        assert await turn(0, wrong)
        await asyncio.gather(*(call.finish("hung_up") for call in calls))

    run(main(), tidy=True, timeout=100_000)


def test_two_agents_have_a_budget_each() -> None:
    async def main() -> None:
        service = VoiceAgentService(agent=an_agent(), store=MemoryCalls())
        night = dataclasses.replace(an_agent(), name="night")
        assert service.budget(night) is not service.budget(service.agent)
        assert service.budget(night) is service.budget(night)

    run(main(), tidy=True)


def test_what_may_be_asked_is_looked_up_in_advance_only_where_that_is_wanted() -> None:
    def asked(prefetch: bool) -> list[bool]:
        knowledge = FakeKnowledge()

        async def talk(bench: Bench) -> None:
            part(bench, "when do you open on sunday")
            await asyncio.sleep(1)
            bench.says("When do you open on Sunday?")
            await asyncio.sleep(1)

        manners = Manners(silence=1000, guess=False)
        hold(talk, knowledge=knowledge, manners=manners, limits=AgentLimits(prefetch=prefetch))
        return [inquiry.early for inquiry in knowledge.asked]

    assert asked(True) == [True, False] and asked(False) == [False]


@pytest.mark.parametrize("fail", [RuntimeError("broken"), TimeoutError()])
def test_a_look_up_in_advance_that_fails_is_nobodys_concern(fail: Exception) -> None:
    async def talk(bench: Bench) -> None:
        part(bench, "when do you open on sunday")
        await asyncio.sleep(1)
        assert "incident" not in [event.kind for event in await bench.store.events("CA1")]

    hold(talk, knowledge=FakeKnowledge(fail=fail), manners=Manners(silence=1000, guess=False))
