"""What Twilio asks over HTTP, and what everybody else gets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from canned import Canned
from twilio_client import call_sid, serving, setup, voice_form

from voicectl.carriers.signature import sign
from voicectl.errors import StoreError
from voicectl.server.relay_socket import PATH
from voicectl.server.voice import MAX_BODY
from voicectl.simulator.virtual_time import run


def elements(document: str) -> list[str]:
    return [element.tag for element in ElementTree.fromstring(document).iter()]


def test_a_call_is_answered_with_a_relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        flags = {
            "agent.greeting": "Hi, {name} at {company}!",
            "voice.voice": "UgBBYS2sOqTuMpoF3BR0",
            "voice.speed": 1.1,
        }
        async with serving(tmp_path, monkeypatch, Canned(), flags=flags) as client:
            status, document = await client.post()
            assert status == 200
            root = ElementTree.fromstring(document)
            relay = root.find("./Connect/ConversationRelay")
            assert relay is not None
            assert relay.attrib["url"] == "wss://127.0.0.1:8080" + PATH
            assert relay.attrib["welcomeGreeting"] == "Hi, Robin at Harbour Cycles!"
            assert relay.attrib["events"] == "speaker-events tokens-played"
            assert relay.attrib["voice"].startswith("UgBBYS2sOqTuMpoF3BR0-") and "1.1_" in relay.attrib["voice"]
            assert root.find("./Connect").attrib["action"] == client.server.public_url + PATH + "/action"  # type: ignore[union-attr]

    run(main(), tidy=True)


@pytest.mark.parametrize("path", [PATH, PATH + "/action", PATH + "/status"])
@pytest.mark.parametrize("token", ["", "another token"])
def test_unsigned_requests_are_refused(path: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            assert await client.post(path, voice_form(call_sid(1)), token=token) == (403, "")
            assert await client.server.services.calls.call(call_sid(1)) is None

    run(main(), tidy=True)


def test_no_header_moves_the_url_that_is_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request signed for another host is not ours, whatever its headers say; ours is, whatever a proxy adds."""

    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            form = voice_form(call_sid(1))
            evil = sign(client.server.auth_token, "https://evil.example" + PATH, form)
            variants = [
                {"Host": "evil.example"},
                {"X-Forwarded-Host": "evil.example"},
                {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Host": "evil.example"},
                {"Forwarded": "host=evil.example;proto=https"},
                {"X-Original-URL": "https://evil.example" + PATH},
                {"X-Forwarded-Prefix": "/evil"},
            ]
            for headers in variants:
                status, _ = await client.post(form=form, **headers, **{"X-Twilio-Signature": evil})
                assert status == 403, headers
                status, _ = await client.post(form=form, **headers)
                assert status == 200, headers

    run(main(), tidy=True)


def test_what_is_no_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            status, _ = await client.post(**{"Content-Type": "application/json"})
            assert status == 415
            assert (await client.post(form=b"CallSid=%ff%fe", **{"X-Twilio-Signature": "x"}))[0] in (400, 403)
            form = voice_form(call_sid(1), CallStatus="nonsense\x00")
            assert (await client.post(form=form))[0] == 400

    run(main(), tidy=True)


def test_a_long_body_is_refused_while_it_streams_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            taken = 0

            async def body() -> AsyncIterator[bytes]:
                nonlocal taken
                for _ in range(4096):
                    taken += 64 * 1024
                    yield b"x" * 64 * 1024

            try:
                async with client.http.post(client.base + PATH, data=body()) as answer:
                    assert answer.status == 413
            except ConnectionError:
                pass  # the server had closed before we had sent it all
            assert taken < 100 * MAX_BODY

    run(main())


def test_a_full_house_hears_that_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), flags={"server.max_calls": 1}) as client:
            socket = await client.call(call_sid(1))
            await asyncio.sleep(0.1)
            status, document = await client.post(form=voice_form(call_sid(2)))
            assert status == 200 and elements(document) == ["Response", "Say", "Hangup"]
            await socket.close()
            await asyncio.sleep(0.1)
            assert "ConversationRelay" in elements((await client.post(form=voice_form(call_sid(3))))[1])

    run(main(), tidy=True)


def test_a_burst_of_webhooks_does_not_pass_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), flags={"server.max_calls": 2}) as client:
            answers = await asyncio.gather(*(client.post(form=voice_form(call_sid(n))) for n in range(1, 13)))
            relays = ["ConversationRelay" in elements(document) for _, document in answers]
            assert sum(relays) == 2
            await asyncio.sleep(16)  # their sockets never came: others may
            assert "ConversationRelay" in elements((await client.post(form=voice_form(call_sid(20))))[1])

    run(main(), tidy=True)


def test_a_captured_webhook_is_worthless_once_its_call_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            sid = call_sid(1)
            first, second = await client.token(sid), await client.token(sid)  # Twilio asked twice
            socket = await client.dial()
            await socket.send_json(setup(sid, first))
            await socket.send_json({"type": "prompt", "voicePrompt": "The original.", "lang": "en", "last": True})
            await socket.receive()
            late = await client.dial()
            await late.send_json(setup(sid, second, 2))
            assert (await late.receive()).data == 1008
            assert await client.post(form=voice_form(sid)) == (403, "")  # replayed while the call is live
            await socket.close()
            await asyncio.sleep(1)
            await client.post(PATH + "/status", {**voice_form(sid), "CallStatus": "completed"})
            await asyncio.sleep(400)  # long after every token has run out
            assert await client.post(form=voice_form(sid)) == (403, "")
            turns = await client.server.services.calls.turns(sid)
            assert "The original." in [turn.generated for turn in turns]

    run(main(), tidy=True)


def test_a_client_that_leaves_in_the_middle_of_its_request_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            _, writer = await asyncio.open_unix_connection(client.server.address)
            writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.close()
            await asyncio.sleep(1)

    run(main())
    assert not [record for record in caplog.records if record.exc_info]


def test_messages_are_in_the_configured_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        flags = {"voice.provider": "Google", "voice.voice": "es-ES-Standard-A", "relay.language": "es-ES"}
        async with serving(tmp_path, monkeypatch, Canned(), flags=flags) as client:
            client.server.admission.open = False
            say = ElementTree.fromstring((await client.post())[1]).find("Say")
            assert say is not None and say.attrib["language"] == "es-ES"
            assert say.attrib["voice"] == "Google.es-ES-Standard-A"

    run(main(), tidy=True)


def test_a_database_that_is_down_is_answered_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:

            async def down(*given: object, **named: object) -> str:
                raise StoreError("down")

            monkeypatch.setattr(client.server.services.calls, "mint_token", down)
            monkeypatch.setattr(client.server.services.calls, "call_status", down)
            status, document = await client.post()
            assert status == 200 and elements(document) == ["Response", "Say", "Hangup"]
            assert (await client.post(PATH + "/status"))[0] == 204

    run(main(), tidy=True)


ACTIONS = [
    ({"SessionStatus": "completed", "CallStatus": "completed"}, False, ["Response", "Hangup"]),
    ({"SessionStatus": "ended", "CallStatus": "in-progress", "HandoffData": "goodbye"}, True, ["Response", "Hangup"]),
    ({"SessionStatus": "ended", "CallStatus": "in-progress", "HandoffData": "person"}, False, ["Response", "Hangup"]),
    (
        {"SessionStatus": "ended", "CallStatus": "in-progress", "HandoffData": "person"},
        True,
        ["Response", "Dial", "Number", "Say", "Hangup"],
    ),
    (
        {
            "SessionStatus": "failed",
            "CallStatus": "in-progress",
            "ErrorCode": "64105",
            "ErrorMessage": "Websocket ended",
        },
        False,
        ["Response", "Say", "Hangup"],
    ),
    (
        {
            "SessionStatus": "failed",
            "CallStatus": "in-progress",
            "ErrorCode": "64105",
            "ErrorMessage": "Websocket ended",
        },
        True,
        ["Response", "Say", "Dial", "Number", "Say", "Hangup"],
    ),
]


@pytest.mark.parametrize(("more", "person", "expected"), ACTIONS)
def test_what_happens_when_a_session_is_over(
    more: dict[str, str], person: bool, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        flags = {"agent.transfer_number": "+14155550123"} if person else {}
        async with serving(tmp_path, monkeypatch, Canned(), flags=flags) as client:
            form = {**voice_form(call_sid(1)), "SessionId": f"VX{1:032x}", "SessionDuration": "9", **more}
            for _ in range(2):  # asked twice, answered twice
                status, document = await client.post(PATH + "/action", form)
                assert status == 200 and elements(document) == expected, document
            if "Number" in expected:
                assert ElementTree.fromstring(document).findtext(".//Number") == "+14155550123"

    run(main(), tidy=True)


def test_status_callbacks_in_any_order_leave_the_same_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            news = [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
            for n, order in enumerate(itertools.permutations(news)):
                sid = call_sid(n + 1)
                for status, sequence in (*order, order[0]):
                    form = {**voice_form(sid), "CallStatus": status, "SequenceNumber": sequence}
                    form["CallbackSource"] = "call-progress-events"
                    if status == "completed":
                        form["CallDuration"] = "35"
                    assert (await client.post(PATH + "/status", form))[0] == 204
                call = await client.server.services.calls.call(sid)
                assert call and call.status == "completed"

    run(main(), tidy=True)


PUBLIC = {
    ("GET", "/healthz"): 200,
    ("GET", "/readyz"): 200,
    ("POST", PATH): 415,
    ("POST", PATH + "/action"): 415,
    ("POST", PATH + "/status"): 415,
    ("GET", PATH): 405,
}
ABSENT = [
    "/",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/metrics",
    "/api",
    "/api/v1/calls",
    "/phone",
    "/phone.js",
    PATH + "/",
    "/healthz/",
]


def test_the_public_listener_serves_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            for (method, path), status in PUBLIC.items():
                async with client.http.request(method, client.base + path) as answer:
                    assert answer.status in (status, 403), (method, path, answer.status)
                    assert "server" not in {name.lower() for name in answer.headers}
            for path in ABSENT:
                for method in ("GET", "POST"):
                    async with client.http.request(method, client.base + path, allow_redirects=False) as answer:
                        assert answer.status == 404, (method, path, answer.status)

    run(main(), tidy=True)


def test_readiness_follows_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            client.server.admission.open = False
            async with client.http.get(client.base + "/readyz") as answer:
                assert answer.status == 503
            async with client.http.get(client.base + "/healthz") as answer:
                assert answer.status == 200
            status, document = await client.post()
            assert status == 200 and "Hangup" in elements(document)  # stopping: no new calls

    run(main(), tidy=True)
