"""The relay socket's door, and what it does with whatever comes through it."""

from __future__ import annotations

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from canned import Canned
from twilio_client import call_sid, serving, setup

from voicectl.carriers import _relay as relay
from voicectl.server.relay_socket import MAX_BAD_FRAMES, MAX_UNPROVEN, SETUP_SECONDS
from voicectl.simulator.virtual_time import run


async def closed(socket: aiohttp.ClientWebSocketResponse, within: float = 30.0) -> int:
    """Read until the server closes; the code."""
    async with asyncio.timeout(within):
        while True:
            message = await socket.receive()
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                return socket.close_code or 0


async def reply(socket: aiohttp.ClientWebSocketResponse) -> str:
    """What is said up to the next `last`."""
    text = ""
    while True:
        frame = json.loads((await socket.receive()).data)
        text += frame["token"]
        if frame["last"]:
            return text


async def ask(socket: aiohttp.ClientWebSocketResponse, question: str) -> str:
    await socket.send_json({"type": "prompt", "voicePrompt": question, "lang": "en", "last": True})
    return await reply(socket)


def test_a_proven_socket_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned("We open at ten.")) as client:
            socket = await client.call(call_sid(1))
            assert await ask(socket, "When do you open?") == "We open at ten."
            assert len(client.server.handler.live) == 1
            await socket.close()
            while client.server.handler.live:
                await asyncio.sleep(0.01)
            call = await client.server.services.calls.call(call_sid(1))
            assert call and call.end_reason == "hung_up" and call.ended_at

    run(main(), tidy=True)


@pytest.mark.parametrize("token", ["", "another auth token"])
def test_an_unsigned_upgrade_gets_403_before_it_is_accepted(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.dial(token=token)
            assert refused.value.status == 403
            assert client.server.handler.counts["refused_signature"] == 1

    run(main(), tidy=True)


def _bad_setups(token: str, other: str) -> list[dict[str, Any]]:
    sid = call_sid(1)
    return [
        setup(sid, ""),
        setup(sid, "guessed"),
        setup(call_sid(2), token),  # another call's token
        setup(sid, other),
        {"type": "prompt", "voicePrompt": "Hello", "lang": "en", "last": True},
        {"type": "setup"},
        {"type": "novelty"},
    ]


@pytest.mark.parametrize("number", range(len(_bad_setups("", ""))))
def test_a_socket_without_its_token_is_closed_and_reaches_nothing(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        model = Canned()
        async with serving(tmp_path, monkeypatch, model) as client:
            frames = _bad_setups(await client.token(call_sid(1)), await client.token(call_sid(3)))
            socket = await client.dial()
            await socket.send_json(frames[number])
            await socket.send_json({"type": "prompt", "voicePrompt": "Hello", "lang": "en", "last": True})
            assert await closed(socket) == 1008
            assert not model.asked and not client.server.handler.live
            assert not await client.server.services.calls.turns(call_sid(1))

    run(main(), tidy=True)


def test_a_socket_that_says_nothing_is_closed_after_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            socket = await client.dial()
            began = asyncio.get_running_loop().time()
            assert await closed(socket) == 1008
            assert SETUP_SECONDS - 0.1 <= asyncio.get_running_loop().time() - began <= SETUP_SECONDS + 0.5

    run(main(), tidy=True)


def test_unproven_sockets_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            sockets = [await client.dial() for _ in range(MAX_UNPROVEN)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.dial()
            assert refused.value.status == 403
            await asyncio.sleep(SETUP_SECONDS + 1)
            assert client.server.handler.unproven == 0
            socket = await client.call(call_sid(7))
            assert await ask(socket, "Hello?")
            for each in [*sockets, socket]:
                await each.close()

    run(main(), tidy=True)


def test_fifty_sockets_race_for_one_token_and_one_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), tcp=True) as client:
            token = await client.token(call_sid(1))
            sockets = await asyncio.gather(*(client.dial() for _ in range(50)))
            await asyncio.gather(
                *(socket.send_json(setup(call_sid(1), token, n)) for n, socket in enumerate(sockets, 1))
            )

            async def outcome(socket: aiohttp.ClientWebSocketResponse) -> bool:
                try:
                    return await ask(socket, "Hello?") == "Yes."
                except (ConnectionError, TypeError, ValueError):
                    return False

            assert sum(await asyncio.gather(*map(outcome, sockets))) == 1
            assert client.server.handler.counts["refused_token"] == 49
            await asyncio.gather(*(socket.close() for socket in sockets))

    run(main(), real_timeout=120)


def test_a_second_setup_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            socket = await client.call(call_sid(1))
            await socket.send_json(setup(call_sid(1), "again"))
            assert await closed(socket) == 1008

    run(main(), tidy=True)


BAD = [
    "not json",
    "[",
    "{}",
    "null",
    '{"type":"prompt"}',
    '{"type":"dtmf","digit":5}',
    "[" * 5000,
    '{"type":"\\ud800"}',
]


def test_bad_frames_do_not_end_a_call_below_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned("Still here.")) as client:
            socket = await client.call(call_sid(1))
            for n in range(MAX_BAD_FRAMES - 1):
                await socket.send_str(BAD[n % len(BAD)])
            await socket.send_bytes(b"\x00\xff binary")
            assert await ask(socket, "Hello?") == "Still here."
            assert client.server.handler.counts["bad_frame"] == MAX_BAD_FRAMES
            await socket.send_str("one too many")
            assert await closed(socket) == 1008

    run(main(), tidy=True)


def test_unknown_types_names_and_keys_are_tolerated_without_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned("Yes.")) as client:
            socket = await client.call(call_sid(1))
            for n in range(100):
                await socket.send_json({"type": "novelty", "n": n})
                await socket.send_json({"type": "info", "name": "novelty", "value": {"deep": [n]}})
            await socket.send_json({"type": "prompt", "voicePrompt": "Hi?", "lang": "en", "last": True, "new": [1]})
            assert await reply(socket) == "Yes."
            assert client.server.handler.counts["unknown_type"] == 100
            assert client.server.handler.counts["info_novelty"] == 100
            await socket.close()

    run(main(), tidy=True)


def test_a_frame_over_64_kib_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            socket = await client.call(call_sid(1))
            await ask(socket, "x" * 60_000)
            await socket.send_json({"type": "prompt", "voicePrompt": "x" * 70_000, "lang": "en", "last": True})
            assert await closed(socket) == 1009

    run(main(), tidy=True)


def test_ten_thousand_mutated_frames_over_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random damage to real frames; every call stays up until its own limit of bad frames."""
    rng = random.Random(7)
    wanted = 10_000 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 2_000
    seeds = [
        {"type": "prompt", "voicePrompt": "Hello there", "lang": "en", "last": False},
        {"type": "dtmf", "digit": "5"},
        {"type": "interrupt", "utteranceUntilInterrupt": "We are", "durationUntilInterruptMs": 684},
        {"type": "info", "name": "tokensPlayed", "value": "We are open."},
        {"type": "info", "name": "agentSpeaking", "value": "on"},
        {"type": "error", "description": "Invalid message received, code: 64107, x"},
    ]
    hostile: list[Any] = [None, True, -1, 1e308, "", "\x00", "9" * 5000, [], {}, [[[[]]]], "\ud83d\ude00"]

    def mutant() -> str:
        frame = dict(rng.choice(seeds))
        for _ in range(rng.randint(0, 2)):
            key = rng.choice(list(frame))
            frame[key] = rng.choice(hostile) if rng.random() < 0.7 else rng.choice(list(frame.values()))
        text = json.dumps(frame)
        if rng.random() < 0.4:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(["", '"', "{", "\\", "\u2028", "\x00"]) + text[at + rng.randint(0, 3) :]
        return text

    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned("Yes.")) as client:
            sent = calls = 0
            while sent < wanted:
                calls += 1
                socket = await client.call(call_sid(calls), calls)
                bad = 0
                while bad < MAX_BAD_FRAMES - 1 and sent < wanted:
                    frame = mutant()
                    bad += isinstance(relay.decode(frame), relay.BadFrame)
                    await socket.send_str(frame)
                    sent += 1
                assert await _still_answers(socket), f"call {calls} was lost below the limit"
                await socket.close()
            assert not client.server.handler.counts["setup_failed"]

    run(main(), real_timeout=240)


async def _still_answers(socket: aiohttp.ClientWebSocketResponse) -> bool:
    await socket.send_json({"type": "prompt", "voicePrompt": "Are you there?", "lang": "en", "last": True})
    text = ""
    async with asyncio.timeout(60):
        while not text.endswith("Yes."):
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return False
            text += json.loads(message.data).get("token", "")
    return True


def test_a_peer_that_answers_no_ping_is_given_up_within_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            sid = call_sid(1)
            token = await client.token(sid)
            public = client.server.public_url.replace("https", "wss")
            from voicectl.carriers.signature import sign
            from voicectl.server.relay_socket import PATH

            signature = sign(client.server.auth_token, public + PATH, {})
            socket = await client.http.ws_connect(
                client.base + PATH, headers={"X-Twilio-Signature": signature}, autoping=False
            )
            await socket.send_json(setup(sid, token))
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(0.1)
            assert client.server.handler.live
            while client.server.handler.live:  # nobody reads the socket, so nobody answers
                await asyncio.sleep(0.1)
                assert asyncio.get_running_loop().time() - began < 11
            call = await client.server.services.calls.call(sid)
            assert call and call.end_reason == "socket_lost"
            await socket.close()

    run(main())


def test_the_socket_dies_in_mid_reply_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        model = Canned("word " * 500, each=0.05)
        async with serving(tmp_path, monkeypatch, model, flags={"agent.max_words": 200}) as client:
            socket = await client.call(call_sid(1))
            await socket.send_json({"type": "prompt", "voicePrompt": "Go", "lang": "en", "last": True})
            await socket.receive()
            assert model.running == 1
            socket._response.connection.transport.abort()  # type: ignore[union-attr]
            await asyncio.sleep(0.1)
            assert model.running == 0 and not client.server.handler.live
            turns = await client.server.services.calls.turns(call_sid(1))
            assert turns[-1].interrupted and turns[-1].done
            call = await client.server.services.calls.call(call_sid(1))
            assert call and call.end_reason == "socket_lost"

    run(main(), tidy=True)
