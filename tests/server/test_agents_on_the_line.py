"""Several agents behind one listener: who answers travels from the signed webhook to the real socket and back."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest
from canned import Canned
from twilio_client import Client, call_sid, serving, setup, voice_form

from voicectl.carriers.signature import sign
from voicectl.conversation.turns import ToolCall
from voicectl.errors import StoreError
from voicectl.ports import ReplyEnd, ReplyRequest
from voicectl.server.relay_socket import PATH
from voicectl.simulator.virtual_time import run

SALES, WORKSHOP = "+442071838750", "+442071838751"
TOML = f"""
[agent]
name = "Robin"
greeting = "Hello from {{name}}."
transfer_number = "+15550100009"
[relay]
speech_model = "nova-3-general"
partial_prompts = false
[conversation]
speculate = false

[agents.sales]
numbers = ["{SALES}"]
[agents.sales.agent]
name = "Kim"
greeting = "{{daypart}}, {{name}} here."
greeting_returning = "Nice to hear you again."
goodbye = "Cheerio."
[[agents.sales.agent.destinations]]
name = "workshop"
number = "{WORKSHOP}"
[agents.sales.relay]
language = "en-GB"
[[agents.sales.relay.languages]]
code = "de-DE"
[agents.sales.voice]
provider = "Google"
voice = "en-GB-Standard-A"

[agents.lonely.agent]
transfer_number = ""
[agents.several.relay]
language = "multi"
[[agents.several.relay.languages]]
code = "de-DE"
"""


async def relay_of(client: Client, query: str = "", **form: str) -> tuple[ElementTree.Element, str]:
    """<ConversationRelay> and the action's address."""
    status, document = await client.post(PATH + query, voice_form(form.pop("CallSid", call_sid(9)), **form))
    connect = ElementTree.fromstring(document).find("Connect")
    assert status == 200 and connect is not None and connect[0].tag == "ConversationRelay"
    return connect[0], connect.attrib["action"]


async def frames(socket: aiohttp.ClientWebSocketResponse, until: str) -> list[dict[str, Any]]:
    """What comes up to a frame of this type, that one included."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not found or found[-1]["type"] != until:
            found.append(json.loads((await socket.receive()).data))
    return found


async def stored(client: Client, sid: str) -> Any:
    async with asyncio.timeout(30):
        while (call := await client.server.services.calls.call(sid)) is None:
            await asyncio.sleep(0.05)
    return call


@pytest.mark.parametrize(
    ("called", "query", "who"),
    [
        ("+15550100002", "", "default"),
        (SALES, "", "sales"),
        ("+15550100002", "?agent=sales", "sales"),
        (SALES, "?agent=lonely", "lonely"),
        (SALES, "?agent=default", "default"),
        (SALES, "?agent=nobody", "default"),
        (SALES, "?agent=%3CResponse%3E%22%0A", "default"),
        (SALES, "?agent=", "sales"),
    ],
)
def test_who_answers_is_chosen_once_and_known_everywhere(
    called: str, query: str, who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        model = Canned()
        async with serving(tmp_path, monkeypatch, model, toml=TOML) as client:
            relay, action = await relay_of(client, query, To=called)
            assert action.endswith(PATH + "/action" + ("" if who == "default" else f"/{who}"))
            socket = await client.call(call_sid(1), query=query, To=called)
            assert (await stored(client, call_sid(1))).agent == who
            await socket.send_json({"type": "prompt", "voicePrompt": "Who are you?", "lang": "en", "last": True})
            await frames(socket, "text")
            settings = client.server.services.agents.choose("", who).settings
            assert model.asked[0].agent == settings.agent and model.asked[0].call.agent == who
            assert relay.attrib["language"] == settings.relay.language
            assert relay.attrib["ttsProvider"] == settings.voice.provider
            turns = await client.server.services.calls.turns(call_sid(1))
            assert turns[0].kind == "greeting" and turns[0].said == relay.attrib["welcomeGreeting"]
            await socket.close()

    run(main(), tidy=True)


def test_a_call_that_we_place_is_our_number_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML) as client:
            for ours, theirs, who in ((SALES, "+15550100077", "Kim here."), ("+15550100077", SALES, "Robin.")):
                relay, _ = await relay_of(client, From=ours, To=theirs, Direction="outbound-api")
                assert relay.attrib["welcomeGreeting"].endswith(who)

    run(main(), tidy=True)


def test_a_forged_agent_is_refused_with_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML) as client:
            form = {**voice_form(call_sid(1)), "SessionStatus": "ended", "HandoffData": "workshop"}
            for signed, asked in ((PATH, PATH + "?agent=sales"), (PATH + "/action", PATH + "/action/sales")):
                signature = sign(client.server.auth_token, client.server.public_url + signed, form)
                assert (await client.post(asked, form, **{"X-Twilio-Signature": signature}))[0] == 403

    run(main(), tidy=True)


@pytest.mark.parametrize("name", ["nobody", "", "../sales", "SALES", "\x00"])
def test_the_socket_takes_no_unknown_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML) as client:
            sent = await client.parameters(call_sid(1))
            socket = await client.dial()
            await socket.send_json(setup(call_sid(1), sent["token"], customParameters={**sent, "agent": name}))
            assert (await stored(client, call_sid(1))).agent == "default"
            await socket.close()

    run(main(), tidy=True)


def test_what_was_spoken_at_once_is_what_the_socket_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        long = "Thank you for calling. " * 30
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML, flags={"agent.greeting": long}) as client:
            sid = call_sid(1)
            sent = await client.parameters(sid)
            socket = await client.dial()
            assert "greeting.2" in sent
            await socket.send_json(setup(sid, sent["token"], customParameters=sent))
            await stored(client, sid)
            await socket.close()
            await asyncio.sleep(1)
            (greeting, *_) = await client.server.services.calls.turns(sid)
            assert greeting.said == long.strip()

    run(main(), tidy=True)


@pytest.mark.parametrize(("hour", "said"), [(9, "Good morning, Kim here."), (19, "Good evening, Kim here.")])
def test_the_greeting_goes_by_the_clock(hour: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voicectl.server import app

    class Clock:
        @staticmethod
        def now() -> datetime:
            return datetime(2026, 5, 5, hour, 30, tzinfo=UTC)

    monkeypatch.setattr(app, "datetime", Clock)

    async def main() -> None:
        flags = {"agents.sales.agent.timezone": "UTC"}
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML, flags=flags) as client:
            relay, _ = await relay_of(client, To=SALES)
            assert relay.attrib["welcomeGreeting"] == said

    run(main(), tidy=True)


def test_a_caller_is_greeted_as_one_we_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML) as client:

            async def greeting(**form: str) -> str:
                return (await relay_of(client, To=SALES, **form))[0].attrib["welcomeGreeting"]

            assert "Kim here" in await greeting()
            socket = await client.call(call_sid(1))
            await stored(client, call_sid(1))
            await socket.close()
            assert await greeting() == "Nice to hear you again."
            assert "Kim here" in await greeting(From="+15550100077")
            relay, _ = await relay_of(client)
            assert relay.attrib["welcomeGreeting"] == "Hello from Robin."  # who has no other words says the usual ones

            async def down(number: str) -> bool:
                raise StoreError("down")

            monkeypatch.setattr(client.server.services.calls, "known_caller", down)
            assert "Kim here" in await greeting()

    run(main(), tidy=True)


def number(document: str) -> str:
    return ElementTree.fromstring(document).findtext(".//Number") or ""


@pytest.mark.parametrize(
    ("agent", "handoff", "dialled"),
    [
        ("", "person", "+15550100009"),
        ("", "workshop", "+15550100009"),  # a destination of another agent's
        ("", "goodbye", ""),
        ("", None, ""),
        ("", '{"to":"+15550100666"}', ""),
        ("/sales", "workshop", WORKSHOP),
        ("/sales", "person", "+15550100009"),
        ("/sales", "warehouse", "+15550100009"),
        ("/sales", "goodbye", ""),
        ("/lonely", "person", ""),
        ("/lonely", "workshop", ""),
        ("/nobody", "person", "+15550100009"),
    ],
)
def test_whom_a_caller_is_put_through_to(
    agent: str, handoff: str | None, dialled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), toml=TOML) as client:
            form = {**voice_form(call_sid(1), CallStatus="in-progress"), "SessionStatus": "ended"}
            form |= {"HandoffData": handoff} if handoff else {}
            status, document = await client.post(PATH + "/action" + agent, form)
            assert status == 200 and number(document) == dialled
            if agent == "/sales" and dialled:
                say = ElementTree.fromstring(document).find("Say")
                assert say is not None and say.text == "Cheerio." and say.attrib["voice"] == "Google.en-GB-Standard-A"

    run(main(), tidy=True)


def test_the_model_s_destination_arrives_at_the_action(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        model = Canned("I'll put you through to the workshop.", end=ReplyEnd(closing="person", destination="workshop"))
        async with serving(tmp_path, monkeypatch, model, toml=TOML) as client:
            _, action = await relay_of(client, To=SALES, CallSid=call_sid(1))
            socket = await client.call(call_sid(1), To=SALES)
            words = "Can you put me through to the workshop, please?"
            await socket.send_json({"type": "prompt", "voicePrompt": words, "lang": "en", "last": True})
            end = (await frames(socket, "end"))[-1]
            await socket.close()
            assert end["handoffData"] == "workshop"
            form = {**voice_form(call_sid(1), CallStatus="in-progress"), "SessionStatus": "ended"}
            path = action.removeprefix(client.server.public_url)
            _, document = await client.post(path, {**form, "HandoffData": end["handoffData"]})
            assert number(document) == WORKSHOP

    run(main(), tidy=True)


class Tools(Canned):
    """Uses two tools, one after the other, and then answers."""

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked.append(request)
        calls = {
            1: ToolCall("t1", "switch_language", '{"language": "de-DE"}'),
            2: ToolCall("t2", "send_keys", '{"digits": "12w#"}'),
        }
        call = calls.get(len(self.asked))
        if call is None:
            yield self.answer
        yield ReplyEnd("tool_calls", calls=(call,)) if call else ReplyEnd()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?agent=sales", [{"type": "language", "ttsLanguage": "de-DE", "transcriptionLanguage": "de-DE"}]),
        ("?agent=several", []),  # "multi" is heard and spoken in all of them anyway
    ],
)
def test_a_call_changes_over_to_another_language_and_presses_keys(
    query: str, expected: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Tools("Ja."), toml=TOML) as client:
            socket = await client.call(call_sid(1), query=query)
            await socket.send_json(
                {"type": "prompt", "voicePrompt": "What is on the menu?", "lang": "en", "last": True}
            )
            found: list[dict[str, Any]] = []
            while not any(frame.get("token") == "Ja." for frame in found):
                found += await frames(socket, "text")
            assert [each for each in found if each["type"] == "language"] == expected
            assert [each for each in found if each["type"] == "sendDigits"] == [
                {"type": "sendDigits", "digits": "12w#"}
            ]
            await socket.close()

    run(main(), tidy=True)


def test_what_the_owner_changes_is_there_for_the_next_call_and_not_for_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        model = Canned()
        async with serving(tmp_path, monkeypatch, model, toml=TOML) as client:
            first = await client.call(call_sid(1), To=SALES)
            await stored(client, call_sid(1))
            file = tmp_path / "voicectl.toml"
            file.write_text(TOML.replace("Kim", "Alex"))
            os.utime(file, ns=(1, 1))
            await asyncio.sleep(1.5)
            relay, _ = await relay_of(client, To=SALES, From="+15550100077")
            assert relay.attrib["welcomeGreeting"].endswith("Alex here.")
            second = await client.call(call_sid(2), session=2, To=SALES)
            for socket in (first, second):
                await socket.send_json({"type": "prompt", "voicePrompt": "Who are you?", "lang": "en", "last": True})
                await frames(socket, "text")
            assert [asked.agent.name for asked in model.asked if asked.agent] == ["Kim", "Alex"]
            await first.close()
            await second.close()

    run(main(), tidy=True)
