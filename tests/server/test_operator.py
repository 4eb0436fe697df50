"""The operator's page: who may come in, and the telephone on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from canned import Canned

from voicectl import bootstrap, settings
from voicectl.server.serving import Started, serving
from voicectl.simulator.virtual_time import run

server_services: dict[str, bootstrap.Services] = {}


@contextlib.asynccontextmanager
async def started(
    folder: Path, monkeypatch: pytest.MonkeyPatch, model: Any = None
) -> AsyncIterator[tuple[Started, aiohttp.ClientSession]]:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(bootstrap, "reply_model", lambda given: model or Canned())
    (folder / "knowledge").mkdir(exist_ok=True)
    (folder / "knowledge" / "hours.md").write_text("# Hours\n\nWe are open from ten to six.\n")
    flags = {"server.port": 0, "server.operator_port": 0}
    async with serving(settings.load(environ={}, flags=flags)) as (server, services, _):
        server_services[server.address] = services
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            yield server, http


def test_the_link_opens_the_door_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with started(tmp_path, monkeypatch) as (server, http):
            async with http.get(server.operator_address) as answer:
                assert answer.status == 401
            async with http.get(server.phone_link.replace("key=", "key=x")) as answer:
                assert answer.status == 401
            async with http.get(server.phone_link) as answer:
                assert answer.status == 200 and str(answer.url) == server.operator_address + "/"
                assert "voicectl phone" in await answer.text()
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy and "unsafe" not in policy
            cookie = next(iter(http.cookie_jar))
            assert cookie["httponly"] and cookie["samesite"] == "strict"
            for path in ("/phone.js", "/phone.css"):
                async with http.get(server.operator_address + path) as answer:
                    assert answer.status == 200
            async with aiohttp.ClientSession() as stranger, stranger.get(server.phone_link) as answer:
                assert answer.status == 401
            printed = capsys.readouterr().out
            assert printed.count("/?key=") == 1  # the operator, who may have lost the session, finds a fresh link
            fresh = printed.split("a fresh link: ")[1].strip()
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as again, again.get(fresh) as answer:
                assert answer.status == 200

    run(main())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_only_its_own_names_reach_it(host: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with started(tmp_path, monkeypatch) as (server, http):
            async with http.get(server.phone_link):
                pass
            port = server.operator_address.rsplit(":", 1)[1]
            cookie = "; ".join(f"{c.key}={c.value}" for c in http.cookie_jar)
            headers = {"Host": f"{host}:{port}" if host else "", "Cookie": cookie}
            async with aiohttp.ClientSession() as bare, bare.get(server.operator_address, headers=headers) as answer:
                assert answer.status == status

    run(main())


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1"])
def test_the_telephone_wants_our_own_page(origin: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with started(tmp_path, monkeypatch) as (server, http):
            async with http.get(server.phone_link):
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(server.operator_address + "/phone", origin=origin)
            assert refused.value.status == 403
            async with aiohttp.ClientSession() as stranger:
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await stranger.ws_connect(server.operator_address + "/phone", origin=server.operator_address)

    run(main())


def test_a_call_from_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        model = Canned("We are open from ten to six.")
        async with started(tmp_path, monkeypatch, model) as (server, http):
            async with http.get(server.phone_link):
                pass
            socket = await http.ws_connect(server.operator_address + "/phone", origin=server.operator_address)
            news: list[dict[str, Any]] = []

            async def until(kind: str, text: str = "") -> dict[str, Any]:
                while True:
                    seen = json.loads((await socket.receive()).data)
                    news.append(seen)
                    if seen["type"] == kind and text in str(seen):
                        return seen

            await socket.send_json({"do": "say", "text": "too early"})
            await until("Trouble")
            await socket.send_str("nonsense")
            await until("Trouble")
            await socket.send_json({"do": "call"})
            await until("AgentSpoke", "Hello, this is Robin")
            await socket.send_json({"do": "say", "text": "When are you open?"})
            assert (await until("CallerSaid", "When are you open?"))["reported"]
            await until("AgentSaying", "ten to six")
            await socket.send_json({"do": "say", "text": "Thanks, I know now"})
            await until("CallerCutIn")
            await socket.send_json({"do": "keys", "keys": "12"})
            await until("KeyDialled", "2")
            await socket.send_json({"do": "keys", "keys": "<script>"})
            await until("Trouble")
            await socket.send_json({"do": "hang_up"})
            await until("CallOver")
            await socket.send_json({"do": "call"})  # and again, on the same page
            await until("AgentSaying")
            await socket.close()  # the page is closed in mid-call: the caller hangs up
            await asyncio.sleep(5)
            calls = await server_services[server.address].calls.calls()
            assert len(calls) == 2 and all(call.ended_at and call.status == "completed" for call in calls)

    run(main())
