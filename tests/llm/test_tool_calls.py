"""Tools, as the reply models call them; what the models are told of them is in test_tools_told.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from model_rig import ask, collect, served

from voicectl.conversation.turns import Line, Passage, ToolCall, ToolUse
from voicectl.errors import ConfigError, ReplyError
from voicectl.llm.chain import Chain
from voicectl.llm.offline import OfflineModel
from voicectl.llm.scripted import ScriptedModel
from voicectl.ports import ReplyEnd, ReplyRequest, ToolSpec
from voicectl.settings import AgentSettings, DestinationSettings
from voicectl.simulator.model_calls import STYLES, broken_rule
from voicectl.simulator.model_server import ModelReply
from voicectl.simulator.virtual_time import run

WEATHER = ToolSpec("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
BOOK = ToolSpec("book", "Book a bike.", {"type": "object", "properties": {}})
TWO = (("weather", '{"city": "Lon\\"don}"}'), ("book", '{"day": {"of": ["month", 7]}}'))
SALES = DestinationSettings("sales", "+15550004", "new bikes")
WORKSHOP = DestinationSettings("workshop", "+15550005")
PASSAGES = (Passage(1, "Prices", "A chain costs twenty pounds.", "p.md"),)


def tools(**changes: Any) -> ReplyRequest:
    return ask(tools=(WEATHER, BOOK), **changes)


# --- calling: over a socket, from a server that calls in its own way -------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_calls_come_whole_however_they_are_sent(style: str) -> None:
    several = (TWO, TWO[:1], (TWO[0], TWO[0]), (TWO[1], *TWO))
    replies = [ModelReply(words, calls) for words in ("", "Let me see.") for calls in several]

    async def main() -> None:
        async with served(f"calls={style}", reply=replies) as (model, _):
            for reply in replies:
                got = await collect(model, tools())
                assert (got.kind, got.text) == ("ok", reply.text) and got.end is not None
                calls = got.end.calls
                assert [call.name for call in calls] == [name for name, _ in reply.calls]
                assert [json.loads(call.arguments) for call in calls] == [json.loads(text) for _, text in reply.calls]
                assert len({call.id for call in calls}) == len(calls) and all(call.id for call in calls)
                assert (got.end.closing, got.end.reason) == (None, "tool_calls")

    run(main(), tidy=True)


def test_arguments_that_break_off_are_told_as_they_are():
    """Nothing is made up in their place: whoever carries the call out refuses it."""

    async def main() -> None:
        async with served("cutargs", reply=ModelReply("", TWO)) as (model, _):
            end = (await collect(model, tools())).end
            assert end is not None and end.reason == "length"
            assert [call.arguments for call in end.calls] == [args[: len(args) // 2] for _, args in TWO]

    run(main(), tidy=True)


def test_a_call_without_a_finish_reason_is_no_call():
    async def main() -> None:
        async with served("unfinished", reply=ModelReply("", TWO)) as (model, _):
            assert (await collect(model, tools())).kind == "truncated"

    run(main(), tidy=True)


@pytest.mark.parametrize("calls", [(("weather", '"' + "x" * 70_000 + '"'),), (("weather", "{}"),) * 33])
def test_calls_are_bounded(calls: tuple[tuple[str, str], ...]) -> None:
    async def main() -> None:
        async with served(reply=ModelReply("", calls)) as (model, _):
            assert (await collect(model, tools())).kind == "bad_data"

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("reply", "request_", "kind", "closing", "calls", "ignored"),
    [
        (ModelReply("", (("strange", "{}"),)), tools(), "ok", None, ["strange"], 0),
        (ModelReply("Well.", (("strange", "{}"),)), tools(), "ok", None, ["strange"], 0),
        (ModelReply("", (("strange", "{}"),)), ask(), "bad_data", None, [], 0),
        (ModelReply("Well.", (("strange", "{}"),)), ask(), "ok", None, [], 1),
        (ModelReply("Bye.", (("end_call", ""), ("weather", "{}"))), tools(), "ok", "goodbye", ["weather"], 0),
        (ModelReply("", (("transfer_to_person", "{}"),)), tools(), "ok", None, ["transfer_to_person"], 0),
        (ModelReply("Bye.", (("end_call", '{"a'),)), tools(), "ok", "goodbye", [], 0),
    ],
)
def test_closings_and_strange_tools(
    reply: ModelReply, request_: ReplyRequest, kind: str, closing: str | None, calls: list[str], ignored: int
) -> None:
    async def main() -> None:
        async with served(reply=reply) as (model, _):
            got = await collect(model, request_)
            end = got.end or ReplyEnd()
            assert (got.kind, end.closing, [call.name for call in end.calls]) == (kind, closing, calls)
            assert model.ignored_tools == ignored

    run(main(), tidy=True)


NAMED = {
    '{"to": "sales"}': "sales", '{"to": "workshop"}': "workshop", '{"to": "boss"}': "", "{}": "", "": "",
    '{"to": "sal': "", '{"to": 7}': "", "[]": "",
}  # fmt: skip


@pytest.mark.parametrize("number", ["", "+15550003"])
def test_destinations(number: str) -> None:
    somebody = AgentSettings(transfer_number=number, destinations=(SALES, WORKSHOP))
    replies = [ModelReply("One moment.", (("transfer_to_person", arguments),)) for arguments in NAMED]

    async def main() -> None:
        async with served(reply=replies) as (model, server):
            for destination in NAMED.values():
                end = (await collect(model, ask(agent=somebody))).end
                assert end is not None and (end.closing, end.destination) == ("person", destination)
            parameters = server.requests[0].body["tools"][1]["function"]["parameters"]
            to = parameters["properties"]["to"]
            assert to["enum"] == ["sales", "workshop"] and "sales: new bikes" in to["description"]
            assert ("required" in parameters) == (not number)

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("somebody", "offered"),
    [
        (AgentSettings(), ["end_call"]),
        (AgentSettings(transfer_number="+15550003"), ["end_call", "transfer_to_person"]),
        (AgentSettings(destinations=(SALES,)), ["end_call", "transfer_to_person"]),
    ],
)
def test_what_is_offered(somebody: AgentSettings, offered: list[str]) -> None:
    """By who speaks on this call, not by whom the model was made for; always in the same order."""

    async def main() -> None:
        async with served(agent=AgentSettings(name="Other", transfer_number="+1")) as (model, server):
            for _ in range(2):
                await collect(model, tools(agent=somebody))
            for request in server.requests:
                body = request.body
                assert [each["function"]["name"] for each in body["tools"]] == [*offered, "weather", "book"]
                assert body["tools"][-2]["function"]["parameters"] == WEATHER.parameters
                assert "parallel_tool_calls" not in body and "tool_choice" not in body
                assert ("transfer_to_person" in body["messages"][0]["content"]) == (len(offered) == 2)

    run(main(), tidy=True)


@pytest.mark.parametrize("fault", ["ok", "param=tool_choice", "param=tools"])
def test_no_tools_this_time(fault: str) -> None:
    async def main() -> None:
        async with served(fault) as (model, server):
            assert (await collect(model, tools(notes=("no_tools",)))).kind == "ok"
            first, last = server.requests[0].body, server.requests[-1].body
            assert first["tool_choice"] == "none" and len(first["tools"]) == 3
            assert ("tool_choice" in last, "tools" in last) == (fault == "ok", fault != "param=tools")
            assert (await collect(model, tools())).kind == "ok"
            assert "tool_choice" not in server.requests[-1].body

    run(main(), tidy=True)


def test_a_whole_round_over_a_server_that_insists_on_the_rules():
    """The server refuses calls without results, and results without calls, as OpenAI's does."""

    async def main() -> None:
        async with served(reply=[ModelReply("Let me see.", TWO), "It is sunny."]) as (model, server):
            request = tools()
            end = (await collect(model, request)).end
            assert end is not None
            uses = tuple(ToolUse(call, f"Result of {call.name}", "ok") for call in end.calls)
            again = replace(request, lines=(*request.lines, Line("agent", "Let me see.", tools=uses)))
            assert (await collect(model, again)).text == "It is sunny."
            before, after = (each.body["messages"] for each in server.requests)
            assert after[: len(before)] == before  # providers cache by prefix
            spoken, *results = after[len(before) :]
            assert spoken["content"] == "Let me see." and len(spoken["tool_calls"]) == 2
            assert [result["content"] for result in results] == ["Result of weather", "Result of book"]

    run(main(), tidy=True)


def test_the_server_refuses_a_dangling_call() -> None:
    """What the test above relies on."""
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    spoken: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "Sunny."}
    user = {"role": "user", "content": "x"}
    assert broken_rule([user, spoken, result, user]) == ("", 0)
    for wrong in ([spoken], [spoken, user], [result], [spoken, result, result], [spoken, result, spoken, result],
                  [user, {**spoken, "tool_calls": []}], [{"role": "assistant", "content": None}]):  # fmt: skip
        assert broken_rule(wrong)[0]


# --- the other models ------------------------------------------------------------------------------------------

SCRIPT = """
first_token: 0
per_token: 0
replies:
  - say: Let me look.
    when: order
    call: {name: find, arguments: {number: "4711"}}
  - {when: both, call: [{name: find}, {name: book, arguments: '{"day'}]}
  - {after_tool: find, say: "I found {result}.", closing: goodbye}
  - {note: resume, say: as I was saying}
  - {note: wind_down, when: bike, say: about your bike}
  - In order.
"""


def scripted(tmp_path: Path, text: str = SCRIPT) -> ScriptedModel:
    path = tmp_path / "script.yaml"
    path.write_text(text, "utf-8")
    return ScriptedModel.load(path)


def test_a_script_calls_tools_and_goes_on_after_them(tmp_path: Path) -> None:
    async def main() -> None:
        model = scripted(tmp_path)
        request = ask("Where is my order?")
        first = await collect(model, request)
        assert first.text == "Let me look." and first.end is not None
        assert first.end.calls == (ToolCall("c1", "find", '{"number": "4711"}'),)
        found = Line("agent", "Let me look.", tools=(ToolUse(first.end.calls[0], "a red bike", "ok"),))
        second = await collect(model, replace(request, lines=(*request.lines, found)))
        assert second.text == "I found a red bike." and second.end is not None
        assert (second.end.calls, second.end.closing) == ((), "goodbye")
        lines = (*request.lines, found, Line("caller", "both"))
        third = (await collect(model, replace(request, lines=lines))).end
        assert third is not None and third.calls == (ToolCall("c2", "find", "{}"), ToolCall("c3", "book", '{"day'))

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("question", "notes", "text"),
    [("Chains?", (), "In order."), ("Chains?", ("resume",), "as I was saying"),
     ("Chains?", ("wind_down",), "In order."), ("My bike?", ("wind_down",), "about your bike"),
     ("My bike?", ("no_tools",), "In order.")],
)  # fmt: skip
def test_a_script_follows_notes(tmp_path: Path, question: str, notes: Any, text: str) -> None:
    async def main() -> None:
        assert (await collect(scripted(tmp_path), ask(question, notes=notes))).text == text

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("reply", "said"),
    [("{call: 7}", "a call is no mapping"), ("{call: {arguments: {}}}", "a call has no name"),
     ("{call: {name: x, arguments: [1]}}", "arguments"), ("{call: {name: x, args: {}}}", "no key 'args'"),
     ("{say: x, note: later}", "note cannot be"), ("{say: x, after_tool: 7}", "after_tool is no text")],
)  # fmt: skip
def test_scripts_that_make_no_sense(tmp_path: Path, reply: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"line 2: .*" + said):
        scripted(tmp_path, f"replies:\n  - {reply}\n")


def test_a_chain_takes_a_call_for_an_answer(tmp_path: Path) -> None:
    failures: list[ReplyError] = []

    async def main() -> None:
        chain = Chain(
            [scripted(tmp_path), ScriptedModel(["Second."])],
            first_token_seconds=1,
            on_failure=lambda _, error: failures.append(error),
        )
        got = await collect(chain, ask("both"))
        assert got.text == "" and got.end is not None and len(got.end.calls) == 2 and not failures

    run(main(), tidy=True)


OFFLINE = OfflineModel("Robin", "Harbour Cycles", False)


def test_the_offline_model_ends_the_call_when_it_has_to():
    async def main() -> None:
        got = await collect(OFFLINE, ask("How much is a chain?", passages=PASSAGES, notes=("wind_down",)))
        assert got.end is not None and got.end.closing == "goodbye" and "Goodbye" in got.text and "?" not in got.text

    run(main(), tidy=True)


def test_the_offline_model_goes_on_where_it_was_cut_off():
    async def main() -> None:
        whole = (await collect(OFFLINE, ask("How much is a chain?", passages=PASSAGES))).text
        words = whole.split()
        assert len(words) > 3
        for heard in range(1, len(words)):
            lines = (*ask("How much is a chain?").lines, Line("agent", " ".join(words[:heard]), cut=True))
            rest = await collect(OFFLINE, ask(passages=PASSAGES, lines=lines, notes=("resume",)))
            assert rest.text.split() == words[heard:]
        for said in (whole, "Something else"):
            lines = (*ask("How much is a chain?").lines, Line("agent", said, cut=True))
            rest = await collect(OFFLINE, ask(passages=PASSAGES, lines=lines, notes=("resume",)))
            assert rest.text.lower().endswith("else?") or "anything else" in rest.text

    run(main(), tidy=True)
