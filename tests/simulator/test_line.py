from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_agent import PUBLIC, TOKEN, FakeAgent

from voicectl.errors import UsageError
from voicectl.simulator.actions import AgentStarted, Alert, CallOver
from voicectl.simulator.carrier import TwilioCall
from voicectl.simulator.line import PhoneLine, Route, TokensArrived, session_for
from voicectl.simulator.virtual_time import run

Script = Callable[[PhoneLine, FakeAgent], Awaitable[None]]


def place(
    tmp_path: Path,
    script: Script | None = None,
    *,
    agent: FakeAgent | None = None,
    uds: bool = True,
    token: str = TOKEN,
    watch: Callable[[Any], None] | None = None,
) -> tuple[CallOver, FakeAgent, list[Any]]:
    """One call, in virtual time, to a fake agent; `script` is the caller. Nothing may be left behind."""
    served = agent or FakeAgent()
    seen: list[Any] = []

    async def main() -> CallOver:
        async with served.serve(str(tmp_path / "agent") if uds else None) as address:
            call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=token)
            line = PhoneLine(call, Route(PUBLIC, address), watch or seen.append)
            running = asyncio.create_task(line.run())
            if script is not None:
                await asyncio.sleep(5)
                await script(line, served)
            over = await running
            assert line.over is over
            return over

    return run(main(), tidy=True, real_timeout=10), served, seen


async def hang_up(line: PhoneLine, _: FakeAgent) -> None:
    line.hang_up()


@pytest.mark.parametrize("uds", [True, False], ids=["unix", "tcp"])
def test_a_whole_call(tmp_path: Path, uds: bool) -> None:
    async def script(line: PhoneLine, _: FakeAgent) -> None:
        line.speak("When are your hours?")
        await asyncio.sleep(8)
        line.press("12")
        await asyncio.sleep(5)
        line.speak("Bye now")

    over, agent, seen = place(tmp_path, script, uds=uds)
    assert over.status == "completed"
    assert [name for name, _ in agent.diary if name != "frame"] == [
        "POST /voice",
        "GET /relay",
        "extensions",
        "close",
        "POST /action",
    ]
    assert dict(agent.diary[2:3]) == {"extensions": None}, "Twilio offers no compression"
    assert agent.diary[3][1]["type"] == "setup"
    assert [frame["voicePrompt"] for frame in agent.frames("prompt")] == ["When are your hours?", "Bye now"]
    assert [frame["digit"] for frame in agent.frames("dtmf")] == ["1", "2"]
    assert ("close", 1000) in agent.diary
    tokens = [each for each in seen if isinstance(each, TokensArrived)]
    assert "".join(each.text for each in tokens).startswith("We are open from nine to six, Tuesday to Sunday.You pr")
    assert [each.text for each in tokens if each.last] == [""] * 4
    assert [each.at for each in seen] == sorted(each.at for each in seen)


def test_hanging_up_closes_the_socket_as_twilio_does(tmp_path: Path) -> None:
    over, agent, _ = place(tmp_path, hang_up)
    assert over.status == "completed"
    assert agent.diary[-2:] == [("close", 1000), ("POST /action", agent.diary[-1][1])]
    assert agent.diary[-1][1]["SessionStatus"] == "completed"


def test_a_dropped_socket_has_no_close_frame(tmp_path: Path) -> None:
    async def script(line: PhoneLine, _: FakeAgent) -> None:
        line.drop()

    _, agent, _ = place(tmp_path, script)
    assert ("close", 1006) in agent.diary
    assert agent.diary[-1][1]["SessionStatus"] == "failed"


def test_twilios_close_codes_arrive(tmp_path: Path) -> None:
    async def script(line: PhoneLine, agent: FakeAgent) -> None:
        for _ in range(10):
            await agent.sockets[0].send_str("not JSON")

    _, agent, _ = place(tmp_path, script)
    assert ("close", 1007) in agent.diary
    assert len(agent.frames("error")) == 10


def test_webhooks_are_not_redirected(tmp_path: Path) -> None:
    class Moved(FakeAgent):
        async def _voice(self, request: Any) -> Any:
            from aiohttp import web

            self.diary.append(("asked", request.path))
            raise web.HTTPTemporaryRedirect("/voice?again")

    _, agent, seen = place(tmp_path, agent=Moved())
    assert agent.diary == [("asked", "/voice")]
    assert [type(each) for each in seen] == [Alert]


def test_a_server_that_closes_has_failed(tmp_path: Path) -> None:
    async def script(line: PhoneLine, _: FakeAgent) -> None:
        line.speak("Please crash")

    _, agent, seen = place(tmp_path, script)
    assert agent.diary[-1][1]["ErrorCode"] == "64105"
    assert 64105 in [each.code for each in seen if isinstance(each, Alert)]


def test_a_vanished_connection_has_failed(tmp_path: Path) -> None:
    async def script(line: PhoneLine, agent: FakeAgent) -> None:
        transport = agent.sockets[0]._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    _, agent, _ = place(tmp_path, script)
    assert agent.diary[-1][1]["SessionStatus"] == "failed"


def test_a_refused_signature(tmp_path: Path) -> None:
    _, agent, seen = place(tmp_path, token="another secret")
    assert agent.diary == []
    alerts = [each for each in seen if isinstance(each, Alert)]
    assert alerts[0].code == 11200
    assert "403" in alerts[0].text


def test_a_refused_upgrade(tmp_path: Path) -> None:
    class Stubborn(FakeAgent):
        async def _relay(self, request: Any) -> Any:
            from aiohttp import web

            raise web.HTTPForbidden

    over, _, seen = place(tmp_path, agent=Stubborn())
    assert over.status == "busy"
    assert 64102 in [each.code for each in seen if isinstance(each, Alert)]


def test_a_webhook_that_does_not_answer_in_time(tmp_path: Path) -> None:
    class Slow(FakeAgent):
        async def _voice(self, request: Any) -> Any:
            await asyncio.sleep(16)
            return await super()._voice(request)

    over, agent, seen = place(tmp_path, agent=Slow())
    assert over.status != "completed"
    assert agent.frames("setup") == []
    assert [each.at for each in seen if isinstance(each, Alert)] == [pytest.approx(15, abs=1)]


def test_nobody_listens(tmp_path: Path) -> None:
    async def main(address: str) -> list[Any]:
        seen: list[Any] = []
        call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN)
        over = await PhoneLine(call, Route(PUBLIC, address), seen.append).run()
        assert over.status != "completed"
        return seen

    for address in (str(tmp_path / "nobody"), "http://127.0.0.1:9"):
        seen = run(main(address), tidy=True, real_timeout=10)
        assert [type(each) for each in seen] == [Alert]


def test_a_call_broken_off_leaves_nothing(tmp_path: Path) -> None:
    agent = FakeAgent()

    async def main() -> None:
        async with agent.serve(str(tmp_path / "agent")) as address:
            call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN)
            line = PhoneLine(call, Route(PUBLIC, address))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await line.run()
            line.speak("Nobody hears this.")
            line.hang_up()

    run(main(), tidy=True, real_timeout=10)
    assert ("close", 1006) in agent.diary


def test_what_a_watcher_raises_is_raised_by_the_run(tmp_path: Path) -> None:
    def fussy(seen: Any) -> None:
        if isinstance(seen, AgentStarted):
            raise LookupError("I did not expect that")

    with pytest.raises(LookupError, match="did not expect"):
        place(tmp_path, watch=fussy)


def test_a_watcher_must_not_act(tmp_path: Path) -> None:
    lines: list[PhoneLine] = []

    async def main() -> None:
        async with FakeAgent().serve(str(tmp_path / "agent")) as address:
            call = TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN)
            lines.append(PhoneLine(call, Route(PUBLIC, address), lambda seen: lines[0].hang_up()))
            await lines[0].run()

    with pytest.raises(RuntimeError, match="must not act on the line"):
        run(main(), tidy=True)


def test_lines_may_share_a_session(tmp_path: Path) -> None:
    async def main() -> list[str]:
        agent = FakeAgent()
        async with agent.serve(str(tmp_path / "agent")) as address:
            route = Route(PUBLIC, address)
            async with session_for(route) as session:
                calls = [TwilioCall(voice_url=PUBLIC + "/voice", auth_token=TOKEN, seed=seed) for seed in range(3)]
                lines = [PhoneLine(call, route, session=session) for call in calls]
                running = [asyncio.create_task(line.run()) for line in lines]
                await asyncio.sleep(5)
                for line in lines:
                    line.hang_up()
                over = await asyncio.gather(*running)
                assert not session.closed
                return [each.status for each in over]

    assert run(main(), tidy=True) == ["completed"] * 3


@pytest.mark.parametrize(
    ("address", "url", "dialled", "host"),
    [
        (
            "http://127.0.0.1:80",
            "https://pbx.example/base/voice?a=%20b",
            "http://127.0.0.1:80/voice?a=%20b",
            "pbx.example",
        ),
        ("http://127.0.0.1:80", "wss://PBX.example/base/ws", "ws://127.0.0.1:80/ws", "PBX.example"),
        ("https://10.0.0.1/in", "wss://pbx.example/base/ws", "wss://10.0.0.1/in/ws", "pbx.example"),
        ("http://127.0.0.1:80", "https://elsewhere.example/x", "https://elsewhere.example/x", None),
        ("/tmp/s", "https://pbx.example/base/voice", "http://server/voice", "pbx.example"),
        ("/tmp/s", "wss://pbx.example/base/ws", "ws://server/ws", "pbx.example"),
        ("", "wss://pbx.example/base/ws", "wss://pbx.example/base/ws", None),
    ],
)
def test_public_urls_lead_to_where_the_server_listens(address: str, url: str, dialled: str, host: str | None) -> None:
    assert Route("https://pbx.example/base/", address).resolve(url) == (dialled, host)


@pytest.mark.parametrize("route", [Route("pbx.example"), Route("https://pbx.example", "ftp://127.0.0.1")])
def test_addresses_that_cannot_be_ones(route: Route) -> None:
    with pytest.raises(UsageError, match="is not the address of a server"):
        route.check()
