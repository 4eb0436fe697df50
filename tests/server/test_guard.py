"""What a stranger's connection may cost."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from canned import Canned
from twilio_client import Client, call_sid, serving, voice_form

from voicectl.server.guard import MAX_HEADER, MAX_WAITING, REQUEST_SECONDS
from voicectl.simulator.virtual_time import run


async def connect(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(client.server.address)


def test_a_header_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            reader, writer = await connect(client)
            writer.write(b"GET /healthz HTTP/1.1\r\nX-A: ")
            sent = 0
            try:
                while sent < 10_000_000:
                    writer.write(b"a" * 4096)
                    await writer.drain()
                    sent += 4096
                    await asyncio.sleep(0.001)
            except ConnectionError:
                pass
            assert MAX_HEADER / 2 < sent < 4 * MAX_HEADER
            with contextlib.suppress(ConnectionError):
                assert b"431" in await reader.read()
            writer.transport.abort()

    run(main())


def test_headers_of_a_usual_size_and_long_bodies_are_not_its_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            async with client.http.get(client.base + "/healthz", headers={"X-A": "a" * (MAX_HEADER // 2)}) as answer:
                assert answer.status == 200
            form = voice_form(call_sid(1), Note="x" * 50_000)
            assert (await client.post(form=form))[0] == 200
            status, _ = await client.post(form=b"x" * 70_000)
            assert status == 413

    run(main(), tidy=True)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_never_asks_is_closed(sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            began = asyncio.get_running_loop().time()
            reader, writer = await connect(client)
            writer.write(sent)
            answer = await reader.read()
            took = asyncio.get_running_loop().time() - began
            assert REQUEST_SECONDS - 0.1 <= took <= REQUEST_SECONDS + 0.5
            assert (b"408" in answer) == bool(sent)
            writer.close()

    run(main())


def test_idle_connections_make_room_for_those_that_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned()) as client:
            idle = [await connect(client) for _ in range(MAX_WAITING + 50)]
            assert (await client.post())[0] == 200
            closed = [reader.at_eof() or bool(await _ended(reader)) for reader, _ in idle[:50]]
            assert all(closed)
            for _, writer in idle:
                writer.close()

    run(main())


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.5):
            return await reader.read() == b""
    except TimeoutError:
        return False


def test_a_live_call_is_not_disturbed_by_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(tmp_path, monkeypatch, Canned(), flags={"conversation.silence_seconds": 120}) as client:
            socket = await client.call(call_sid(1))
            reading = asyncio.ensure_future(socket.receive())
            await asyncio.sleep(3 * REQUEST_SECONDS)
            assert client.server.handler.live
            reading.cancel()
            await socket.close()
            await asyncio.sleep(0.1)

    run(main())
