"""Mistakes that other agents on the telephone have made in public, each one a test that fails where it is made again.

The numbers are those of the catalogue these come from (a study of the bug histories of comparable projects). Where the
mistake lies between the frames, they go through the real socket; else through the driver of a live call. All of it in
virtual time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Closing, ToolCall, Usage
from voicectl.llm.prompt import messages
from voicectl.ports import CallInfo, Inquiry, ReplyEnd, ReplyRequest, Retrieval, ToolContext, Tools, ToolSpec
from voicectl.services.agents import Agent
from voicectl.services.voice_agent import HANG_UP_GRACE, AgentLimits, LiveCall, VoiceAgentService
from voicectl.settings import AgentSettings, Settings
from voicectl.simulator.virtual_time import run
from voicectl.storage.memory import MemoryCalls
from voicectl.tools.tool import Tool
from voicectl.tools.toolbox import Toolbox

sys.path.insert(0, str(Path(__file__).parent / "server"))

from twilio_client import Client, call_sid, serving, setup, voice_form

LONG = "word " * 300
PATIENT = {"conversation.silence_seconds": 100}


@dataclass
class Answer:
    """What a model makes of one question."""

    text: str = "Yes."
    first: float = 0.3
    each: float = 0.01
    end: ReplyEnd | None = field(default_factory=ReplyEnd)
    """None: it hangs."""
    stubborn: bool = False
    """It does not let itself be cancelled at once."""


class Writer:
    """Gives one answer after the other, the last one for ever."""

    name = "writer"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [Answer()]
        self.asked: list[ReplyRequest] = []
        self.running = 0
        self.cancelled = 0
        self.warm = False

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(request)
        self.running += 1
        try:
            await asyncio.sleep(answer.first)
            for word in answer.text.replace("{question}", request.question).split(" "):
                yield f"{word} "
                await asyncio.sleep(answer.each)
            if answer.end is None:
                await asyncio.sleep(10_000)
            else:
                yield answer.end
        except asyncio.CancelledError:
            self.cancelled += 1
            if answer.stubborn:
                await asyncio.sleep(3)
            raise
        finally:
            self.running -= 1

    async def warm_up(self) -> None:
        await asyncio.sleep(5)
        self.warm = True

    async def close(self) -> None: ...


# --- the driver ----------------------------------------------------------------------------------------------


class Line:
    """Keeps what leaves, with its time."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str, bool]] = []
        self.ended: list[tuple[float, Closing]] = []
        self.closed_at: float | None = None

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        self.sent.append((asyncio.get_running_loop().time(), text, last))

    async def send_digits(self, digits: str) -> None: ...

    async def switch_language(self, language: str) -> None: ...

    async def end(self, closing: Closing, destination: str = "") -> None:
        self.ended.append((asyncio.get_running_loop().time(), closing))

    async def close(self) -> None:
        self.closed_at = asyncio.get_running_loop().time()

    @property
    def text(self) -> str:
        return "".join(text for _, text, _ in self.sent)


class NoKnowledge:
    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        return Retrieval("unknown")


class Desk:
    """A service with one model, and calls on it."""

    def __init__(
        self, model: Writer, tools: Tools | None = None, *, call_seconds: float = 1800.0, **manners: Any
    ) -> None:
        self.model = model
        self.store = MemoryCalls()
        given = Manners(**{"silence": 1000.0, **manners})
        limits = AgentLimits(call_seconds=call_seconds)
        agent = Agent("default", Settings(), given, limits, model, tools, NoKnowledge())
        self.service = VoiceAgentService(agent=agent, store=self.store)
        self._number = itertools.count(1)

    def call(self) -> tuple[LiveCall, Line]:
        number, line = next(self._number), Line()
        return self.service.answer(CallInfo(f"CA{number}", f"VX{number}", "+1555", "+1556"), line, ""), line


def says(call: LiveCall, text: str) -> None:
    call.post(ev.CallerSpoke(call.now, text))


def at_the_desk(talk: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(talk(), tidy=True, timeout=100_000)


# --- the socket ----------------------------------------------------------------------------------------------


class Phone:
    """One relay socket, read all the time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[tuple[float, dict[str, Any]]] = []
        self.closed_at: float | None = None
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            self.frames.append((asyncio.get_running_loop().time(), json.loads(message.data)))
        self.closed_at = asyncio.get_running_loop().time()

    async def hang_up(self) -> None:
        await self.socket.close()
        await self._reader

    async def says(self, text: str) -> None:
        await self.socket.send_json({"type": "prompt", "voicePrompt": text, "lang": "en", "last": True})

    async def cuts_in(self, heard: str) -> None:
        await self.socket.send_json(
            {"type": "interrupt", "utteranceUntilInterrupt": heard, "durationUntilInterruptMs": 300}
        )

    async def info(self, name: str, value: str) -> None:
        await self.socket.send_json({"type": "info", "name": name, "value": value})

    @property
    def text(self) -> str:
        return "".join(frame["token"] for _, frame in self.frames if frame["type"] == "text")

    @property
    def ends(self) -> list[float]:
        return [at for at, frame in self.frames if frame["type"] == "end"]


def on_the_phone(
    talk: Callable[[Client, Phone], Coroutine[Any, Any, None]],
    model: Writer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    **flags: Any,
) -> None:
    """A call over the real socket, hung up when `talk` is through."""

    async def main() -> None:
        async with serving(folder, monkeypatch, model, flags={**PATIENT, "agent.greeting": "", **flags}) as client:
            phone = Phone(await client.call(call_sid(1)))
            await talk(client, phone)
            await phone.hang_up()
            while client.server.handler.live:
                await asyncio.sleep(0.05)
            assert model.running == 0

    run(main(), tidy=True)


# --- the mistakes --------------------------------------------------------------------------------------------


def test_01_writing_a_reply_keeps_the_socket_from_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Writer(Answer(LONG, each=0.05))

    async def talk(client: Client, phone: Phone) -> None:
        await phone.says("Tell me everything.")
        await asyncio.sleep(1)
        await phone.info("agentSpeaking", "on")
        assert model.running == 1
        await phone.cuts_in("word")
        await asyncio.sleep(0.05)
        heard = len(phone.text)
        assert model.running == 0, "the interruption waits for the reply to be written"
        await asyncio.sleep(0.5)
        assert len(phone.text) == heard > 0

    on_the_phone(talk, model, tmp_path, monkeypatch)


def test_02_a_cancelled_reply_silences_the_next_one() -> None:
    async def talk() -> None:
        desk = Desk(Writer(Answer(LONG), Answer(LONG), Answer("At ten.")))
        call, line = desk.call()
        for question in ("When do you open?", "Where are you?"):
            says(call, question)
            await asyncio.sleep(0.5)
            call.post(ev.AgentSpeaking(call.now, True))
            call.post(ev.CallerInterrupted(call.now, "word", 50))
        says(call, "When do you open?")
        before = len(line.text)
        await asyncio.sleep(1)
        assert line.text[before:].strip() == "At ten." and line.sent[-1][2]
        assert desk.model.cancelled == 2
        await call.finish("hung_up")

    at_the_desk(talk)


def test_03_a_slow_first_word_is_interrupted_before_there_was_any() -> None:
    async def talk() -> None:
        desk = Desk(Writer(Answer("At ten.", first=3.0)), filler=0.0)
        call, line = desk.call()
        says(call, "When do you open?")
        await asyncio.sleep(0.5)
        call.post(ev.CallerSpeaking(call.now, True))
        call.post(ev.CallerInterrupted(call.now, "", 0))
        call.post(ev.CallerSpeaking(call.now, False))
        await asyncio.sleep(5)
        assert line.text.strip() == "At ten." and len(desk.model.asked) == 1 and not desk.model.cancelled
        assert not (await desk.store.turns("CA1"))[-1].interrupted
        await call.finish("hung_up")

    at_the_desk(talk)


def test_04_calls_share_what_belongs_to_one() -> None:
    async def talk() -> None:
        desk = Desk(Writer(Answer("You said {question}", each=0.05)))
        calls = [desk.call() for _ in range(6)]
        names = ["apples", "pears", "plums", "figs", "grapes", "melons"]
        for (call, _), name in zip(calls, names, strict=True):
            says(call, f"Do you sell {name} today?")
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.35)
        says(calls[0][0], "And what do cherries cost?")  # one call's newer question is no other's
        await calls[1][0].finish("hung_up")  # nor is its end
        await asyncio.sleep(3)
        for (_, line), name in list(zip(calls, names, strict=True))[2:]:
            assert line.text.strip() == f"You said Do you sell {name} today?" and line.sent[-1][2]
        assert calls[0][1].text.strip().endswith("And what do cherries cost?")
        for request in desk.model.asked:
            said = " ".join(line.text for line in request.lines)
            assert sum(name in said for name in names) == 1
        for call, _ in calls:
            await call.finish("hung_up")
        assert not desk.service.calls and desk.model.running == 0

    at_the_desk(talk)


@pytest.mark.parametrize("stubborn", [False, True])
def test_05_a_reply_called_off_before_its_first_word_goes_on_costing(stubborn: bool) -> None:
    async def talk() -> None:
        usage = ReplyEnd(usage=Usage("m", 1000, 1000))
        desk = Desk(Writer(Answer("Old.", first=5.0, end=usage, stubborn=stubborn), Answer("New.")), filler=0.0)
        call, line = desk.call()
        says(call, "When do you open?")
        await asyncio.sleep(0.5)
        says(call, "No, where are you?")
        asked_at = asyncio.get_running_loop().time()
        await asyncio.sleep(0.1)
        assert desk.model.cancelled == 1 and desk.model.running == 1 + stubborn
        await asyncio.sleep(10)
        assert line.text.strip() == "New."
        assert line.sent[0][0] - asked_at == pytest.approx(0.3, abs=0.1), "it waits for the one that was called off"
        assert [turn.usage for turn in await desk.store.turns("CA1") if turn.usage] == []
        says(call, "Are you there?")
        await asyncio.sleep(0.1)
        await call.finish("hung_up")
        assert desk.model.running == 0 and desk.model.cancelled == 2

    at_the_desk(talk)


def test_06_the_history_holds_what_was_never_heard_or_loses_what_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "We open at ten. We close at six. On Sundays we are closed."
    model = Writer(Answer(whole, each=0.0), Answer("At five."))

    async def talk(client: Client, phone: Phone) -> None:
        await phone.says("When do you open?")
        await asyncio.sleep(1)
        assert phone.text.strip() == whole
        await phone.info("agentSpeaking", "on")
        await asyncio.sleep(1)
        await phone.info("tokensPlayed", "We open at ten.")
        await asyncio.sleep(0.5)
        await phone.info("tokensPlayed", "We close")
        await phone.cuts_in("We close")
        await phone.info("agentSpeaking", "off")
        await phone.says("And in winter?")
        await asyncio.sleep(1)
        assert [(line.role, line.text, line.cut) for line in model.asked[1].lines] == [
            ("caller", "When do you open?", False),
            ("agent", "We open at ten. We close", True),
            ("caller", "And in winter?", False),
        ]
        stored = (await client.server.services.calls.turns(call_sid(1)))[1]
        assert (stored.heard, stored.said.strip(), stored.interrupted) == ("We open at ten. We close", whole, True)

    on_the_phone(talk, model, tmp_path, monkeypatch)


BOOK = ToolSpec(
    "book",
    "Book a bike.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "additionalProperties": False},
)


class Booking:
    """A tool that could be carried out without arguments, and takes its time."""

    def __init__(self, takes: float = 0.2) -> None:
        self.takes = takes
        self.booked: list[dict[str, Any]] = []

    async def __call__(self, arguments: Any, context: ToolContext) -> object:
        self.booked.append(dict(arguments))
        await asyncio.sleep(self.takes)
        return "Booked."


def calls(arguments: str) -> ReplyEnd:
    return ReplyEnd("tool_calls", calls=(ToolCall("call_1", "book", arguments),))


def test_07_arguments_that_were_cut_off_are_carried_out_as_none() -> None:
    async def talk() -> None:
        booking = Booking()
        answers = (Answer("", end=calls('{"day": "Fri')), Answer("On which day?"))
        desk = Desk(Writer(*answers), Toolbox([Tool(BOOK, booking)]))
        call, line = desk.call()
        says(call, "Book me a bike for Friday.")
        await asyncio.sleep(3)
        assert booking.booked == []
        (use,) = (use for each in desk.model.asked[1].lines for use in each.tools)
        assert use.status == "refused" and use.call.arguments == '{"day": "Fri' and use.result
        assert line.text.strip().endswith("On which day?")
        await call.finish("hung_up")

    at_the_desk(talk)


def test_07_a_tool_that_was_talked_over_leaves_its_call_without_a_result() -> None:
    async def talk() -> None:
        answers = (Answer("", end=calls('{"day": "Friday"}')), Answer("At ten."), Answer("Yes."))
        desk = Desk(Writer(*answers), Toolbox([Tool(BOOK, Booking(takes=5.0))]))
        call, line = desk.call()
        says(call, "Book me a bike for Friday.")
        await asyncio.sleep(1)
        says(call, "Wait, when do you open on Fridays?")
        await asyncio.sleep(10)
        says(call, "Is it booked now?")
        await asyncio.sleep(2)
        assert len(desk.model.asked) == 3 and "Booked" not in line.text
        for request in desk.model.asked:
            check_tool_messages(messages(request, AgentSettings()))
        assert "Booked." in json.dumps(messages(desk.model.asked[2], AgentSettings()))
        await call.finish("hung_up")

    at_the_desk(talk)


def check_tool_messages(told: Sequence[dict[str, Any]]) -> None:
    """What the API of chat models asks for: behind the message that calls come their results, each once."""
    open_calls: list[str] = []
    for message in told:
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls, f"calls without a result: {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls", ())]
    assert not open_calls


def test_08_a_model_that_stops_in_the_middle_leaves_silence() -> None:
    async def talk() -> None:
        desk = Desk(Writer(Answer("We open at", end=None)))
        call, line = desk.call()
        says(call, "When do you open?")
        await asyncio.sleep(0.3 + Manners().gap + 0.5)
        assert line.text.endswith(Manners().phrases.lost_thread) and line.sent[-1][2]
        assert desk.model.running == 0
        await call.finish("hung_up")

    at_the_desk(talk)


def test_09_the_longest_call_is_as_long_as_what_it_hangs_on() -> None:
    """The cap holds although the model hangs and does not let itself be cancelled, the conversation takes no event any
    more, and the carrier does not close the socket."""

    async def talk() -> None:
        desk = Desk(Writer(Answer("Yes.", first=10_000.0, stubborn=True)), call_seconds=60.0)
        call, line = desk.call()
        says(call, "When do you open?")
        await asyncio.sleep(1)
        call._conversation.handle = lambda event: []  # type: ignore[method-assign]
        await asyncio.sleep(200)
        assert [closing for _, closing in line.ended] == ["goodbye"] and line.ended[0][0] <= 125
        assert line.closed_at is not None and line.closed_at - line.ended[0][0] <= HANG_UP_GRACE + 1
        await call.finish("ended")
        assert not desk.service.calls

    at_the_desk(talk)


def test_09_a_socket_that_nobody_closes_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(client: Client, phone: Phone) -> None:
        began = asyncio.get_running_loop().time()
        while phone.closed_at is None:
            await asyncio.sleep(1)
            assert asyncio.get_running_loop().time() < began + 120
        assert len(phone.ends) == 1 and phone.closed_at - phone.ends[0] <= HANG_UP_GRACE + 1

    on_the_phone(talk, Writer(), tmp_path, monkeypatch, **{"conversation.max_call_seconds": 30})


def test_10_the_last_words_are_cut_or_the_goodbyes_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Thank you for calling, and goodbye."
    model = Writer(Answer(words, each=0.0, end=ReplyEnd(closing="goodbye")))

    async def talk(client: Client, phone: Phone) -> None:
        await phone.says("That is all, thank you, bye.")
        await asyncio.sleep(0.7)
        await phone.info("agentSpeaking", "on")
        await asyncio.sleep(1.9)
        assert phone.text.strip() == words and not phone.ends, "the end comes before the last word was heard"
        await phone.info("tokensPlayed", words)
        await phone.info("agentSpeaking", "off")
        await phone.says("Bye bye!")
        await asyncio.sleep(2)
        assert len(phone.ends) == 1, "nobody hangs up"
        await phone.says("Bye!")
        await asyncio.sleep(2)
        assert phone.text.strip() == words and len(phone.ends) == 1 and len(model.asked) == 1

    on_the_phone(talk, model, tmp_path, monkeypatch)


def test_19_the_first_call_finds_a_cold_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Writer()

    async def talk(client: Client, phone: Phone) -> None:
        assert model.warm, "calls are taken before the model is warm"
        await phone.says("When do you open?")
        await asyncio.sleep(0.6)
        assert phone.text.strip() == "Yes."

    on_the_phone(talk, model, tmp_path, monkeypatch)


def test_20_what_the_carrier_says_twice_is_answered_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Writer(Answer("We open at ten. We close at six.", each=0.0))

    async def talk(client: Client, phone: Phone) -> None:
        for _ in range(2):
            await phone.says("When do you open?")
        await asyncio.sleep(1)
        assert phone.text.count("We open at ten.") == 1
        await phone.info("agentSpeaking", "on")
        for _ in range(2):
            await phone.info("tokensPlayed", "We open")
        for _ in range(2):
            await phone.cuts_in("We open")
        await phone.info("agentSpeaking", "off")
        await asyncio.sleep(3)
        # Nobody spoke: the rest is said, once.
        assert phone.text.count("at ten. We close at six.") == 2
        replies = [turn for turn in await client.server.services.calls.turns(call_sid(1)) if turn.role == "agent"]
        assert [turn.heard for turn in replies][:1] == ["We open"]

    on_the_phone(talk, model, tmp_path, monkeypatch)


def test_20_a_webhook_and_a_setup_open_a_call_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Writer(Answer("We open at ten.", each=0.0))

    async def talk(client: Client, phone: Phone) -> None:
        sid = call_sid(2)
        token = await client.token(sid)
        socket = await client.dial()
        await socket.send_json(setup(sid, token, 2))
        lost = Phone(socket)
        await lost.says("When do you open?")
        await asyncio.sleep(1)
        socket._response.connection.transport.abort()  # type: ignore[union-attr]
        await asyncio.sleep(1)
        before = await client.server.services.calls.turns(sid)
        assert (await client.post(form=voice_form(sid)))[0] == 403
        again = await client.dial()
        await again.send_json(setup(sid, token, 2))
        assert (await again.receive()).type is aiohttp.WSMsgType.CLOSE and again.close_code == 1008
        assert await client.server.services.calls.turns(sid) == before and len(model.asked) == 1
        await lost.hang_up()

    on_the_phone(talk, model, tmp_path, monkeypatch)


def test_20_what_is_replayed_on_a_second_socket_happens_again() -> None:
    async def talk() -> None:
        desk = Desk(Writer(Answer("We open at ten.", each=0.0), Answer("At six.")))
        call, _ = desk.call()
        says(call, "When do you open?")
        await asyncio.sleep(1)
        await call.finish("socket_lost")
        before = await desk.store.turns("CA1")
        second = Line()
        info = CallInfo("CA1", "VX9", "+1555", "+1556", resumed=True)
        call = desk.service.answer(info, second, "", tuple(before))
        call.post(ev.AgentSpeaking(call.now, True))
        call.post(ev.WordsPlayed(call.now, "We open at ten."))
        call.post(ev.CallerInterrupted(call.now, "We open"))
        call.post(ev.AgentSpeaking(call.now, False))
        await asyncio.sleep(3)
        assert await desk.store.turns("CA1") == before and second.text == ""
        says(call, "And when do you close?")
        await asyncio.sleep(1)
        assert second.text.strip() == "At six."
        asked = [each.text for each in desk.model.asked[-1].lines if each.role == "caller"]
        assert asked == ["When do you open?", "And when do you close?"]
        turns = await desk.store.turns("CA1")
        assert [turn.order for turn in turns] == list(range(len(turns))) and turns[: len(before)] == before
        await call.finish("hung_up")

    at_the_desk(talk)
