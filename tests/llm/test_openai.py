"""OpenAIModel against a server that misbehaves to order, in virtual time: the exact failure, neither early nor late."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from model_rig import CALL, KEY, QUESTION, ask, collect, served

from voicectl.conversation.turns import Usage
from voicectl.errors import ConfigError, ReplyError
from voicectl.llm.openai import OpenAIModel
from voicectl.ports import ReplyEnd
from voicectl.settings import AgentSettings, LlmSettings
from voicectl.simulator.model_server import ModelServer
from voicectl.simulator.virtual_time import run

REPLY = "We close at five on Saturdays."  # six tokens: the first at 0.3 s, the last at 0.4 s
PERSON = AgentSettings(transfer_number="+15550003")


def test_a_reply_and_its_end():
    async def main() -> None:
        async with served(reply=REPLY) as (model, server):
            got = await collect(model)
            assert got.text == REPLY
            assert got.pieces == ["We", " close", " at", " five", " on", " Saturdays."]
            assert got.end is not None
            assert (got.end.reason, got.end.closing) == ("stop", None)
            assert got.end.usage == Usage("gpt-4.1-mini", got.end.usage.prompt_tokens, 6, 0)  # type: ignore[union-attr]
            assert got.seconds == pytest.approx(0.4, abs=0.01)
            assert server.requests[0].left_at is None

    run(main(), tidy=True)


def test_what_the_server_is_asked():
    async def main() -> None:
        async with served(model="some-model", temperature=0.7, max_tokens=123) as (model, server):
            await collect(model)
            body = server.requests[0].body
            assert body["model"] == "some-model"
            assert (body["temperature"], body["max_tokens"]) == (0.7, 123)
            assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
            assert QUESTION in body["messages"][-1]["content"]
            assert [tool["function"]["name"] for tool in body["tools"]] == ["end_call"]
        async with served(agent=PERSON) as (model, server):
            await collect(model)
            names = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
            assert names == ["end_call", "transfer_to_person"]

    run(main(), tidy=True)


# What each fault becomes: kind, seconds, text that came before, requests made. Budgets: first token 4, gap 5, total 20.
FAULTS: list[tuple[str, str, float, str, int]] = [
    ("ok", "ok", 0.4, REPLY, 1),
    ("refuse", "refused", 0.0, "", 1),
    ("rst", "refused", 0.0, "", 1),
    ("hang", "timeout", 4.0, "", 1),
    ("ttft=3.6", "ok", 4.0, REPLY, 1),
    ("ttft=3.8", "timeout", 4.0, "", 1),
    ("drip=3", "ok", 15.3, REPLY, 1),
    ("drip=4", "timeout", 20.0, "We close at five on", 1),
    ("gap@3=4.9", "ok", 5.26, REPLY, 1),
    ("gap@3=5.1", "stall", 5.34, "We close at", 1),
    ("stall@0", "timeout", 4.0, "", 1),
    ("stall@2", "stall", 5.32, "We close", 1),
    ("comments", "timeout", 4.0, "", 1),
    ("comments@2", "stall", 5.32, "We close", 1),
    ("cut@0", "truncated", 0.3, "", 1),
    ("cut@2", "truncated", 0.34, "We close", 1),
    ("cutclean@0", "truncated", 0.3, "", 1),
    ("cutclean@2", "truncated", 0.34, "We close", 1),
    ("eof@2", "truncated", 0.34, "We close", 1),
    ("400", "bad_data", 0.0, "", 1),
    ("401", "auth", 0.0, "", 1),
    ("402", "quota", 0.0, "", 1),
    ("403", "auth", 0.0, "", 1),
    ("404", "bad_data", 0.0, "", 1),
    ("408", "timeout", 0.0, "", 1),
    ("429", "rate_limit", 0.0, "", 1),
    ("429=7", "rate_limit", 0.0, "", 1),
    ("quota", "quota", 0.0, "", 1),
    ("slow_down", "overload", 0.0, "", 1),
    ("500", "overload", 0.0, "", 1),
    ("503", "overload", 0.0, "", 1),
    ("529", "overload", 0.0, "", 1),
    ("badjson", "bad_data", 0.3, "", 1),
    ("badjson@2", "bad_data", 0.34, "We close", 1),
    ("errevent", "overload", 0.3, "", 1),
    ("errevent@2", "overload", 0.34, "We close", 1),
    ("wrongtool", "bad_data", 0.0, "", 1),
    ("empty", "empty", 0.0, "", 1),
    ("html", "bad_data", 0.0, "", 1),
    ("json", "bad_data", 0.0, "", 1),
    ("finish=content_filter", "ok", 0.4, REPLY, 1),
    ("refusal", "ok", 0.4, REPLY, 1),
    ("lazy=0.9", "ok", 1.3, REPLY, 1),
    ("lazy=9", "ok", 1.4, REPLY, 1),
    ("param=temperature", "ok", 0.4, REPLY, 2),
]


@pytest.mark.parametrize(("fault", "kind", "seconds", "text", "requests"), FAULTS, ids=[row[0] for row in FAULTS])
def test_faults(fault: str, kind: str, seconds: float, text: str, requests: int) -> None:
    async def main() -> None:
        async with served(fault, reply=REPLY) as (model, server):
            got = await collect(model)
            assert (got.kind, got.text) == (kind, text)
            assert seconds - 0.001 <= got.seconds <= seconds + 0.03
            assert server.count == requests
            await asyncio.sleep(0.001)
            assert server.answering == 0
            if got.error is not None:
                assert got.error.retry_after == (7.0 if fault == "429=7" else None)
                shown = f"{got.error} {got.error.hint}"
                for secret in (KEY, QUESTION, "Saturdays", "Simulated failure"):
                    assert secret not in shown
                if fault.isdigit():
                    assert fault in shown
                    assert "req-1" in shown

    run(main(), tidy=True)


def test_the_total_budget_ends_an_endless_reply():
    async def main() -> None:
        async with served("endless", reply=REPLY) as (model, server):
            got = await collect(model)
            assert got.kind == "timeout"
            assert got.seconds == pytest.approx(20.0, abs=0.03)
            await asyncio.sleep(0.001)
            assert server.requests[0].left_at == pytest.approx(20.0, abs=0.05)

    run(main(), tidy=True)


def test_characters_cut_in_the_middle_arrive_whole():
    async def main() -> None:
        async with served("utf8split") as (model, _):
            got = await collect(model)
            assert got.text == "Grüß Gott, das macht 12 € — naïve café 你好 ☎️👋🏽 schön."

    run(main(), tidy=True)


def test_a_server_that_is_not_there():
    async def main() -> None:
        async with served() as (model, server):
            await server.stop()
            assert (await collect(model)).kind == "refused"

    run(main(), tidy=True)


def test_a_server_that_speaks_no_tls():
    async def main() -> None:
        async with ModelServer() as server:
            secure = server.base_url.replace("http:", "https:")
            model = OpenAIModel(LlmSettings(base_url=secure, api_key=KEY), AgentSettings())
            assert (await collect(model)).kind == "refused"
            await model.close()

    run(main(), tidy=True)


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)

    async def main() -> None:
        model = OpenAIModel(LlmSettings(base_url="http://model.invalid/v1"), AgentSettings())
        assert (await collect(model)).kind == "refused"
        await model.close()

    run(main())


# --- how a call ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reply", "agent", "kind", "closing"),
    [
        ("tool=end_call", "Goodbye.", AgentSettings(), "ok", "goodbye"),
        ("tool=end_call", "", AgentSettings(), "ok", "goodbye"),
        ("tool=transfer_to_person", "One moment.", PERSON, "ok", "person"),
        ("tool=transfer_to_person", "One moment.", AgentSettings(), "ok", None),
        ("tool=transfer_to_person", "", AgentSettings(), "bad_data", None),
        ("tool=lookup", "Let me see.", AgentSettings(), "ok", None),
    ],
)
def test_tools(fault: str, reply: str, agent: AgentSettings, kind: str, closing: str | None) -> None:
    async def main() -> None:
        async with served(fault, reply=reply, agent=agent) as (model, server):
            got = await collect(model)
            assert (got.kind, got.text) == (kind, reply)
            assert (got.end.closing if got.end else None) == closing
            assert server.count == 1  # what came before the call is all there will be
            assert model.ignored_tools == (1 if kind == "ok" and closing is None else 0)

    run(main(), tidy=True)


# --- interrupted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.1, 0.305, 0.35])
def test_cancelling_closes_the_connection_at_once(after: float) -> None:
    async def main() -> None:
        async with served("endless") as (model, server):
            task = asyncio.create_task(collect(model))
            await asyncio.sleep(after)
            assert server.answering == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.001)
            assert server.requests[0].left_at == after  # before the clock could move at all
            assert server.connections == 0

    run(main(), tidy=True)


def test_closing_the_iterator_closes_the_connection():
    async def main() -> None:
        async with served("endless") as (model, server):
            items = model.reply(ask())
            await anext(items)
            await anext(items)
            await items.aclose()  # type: ignore[attr-defined]
            assert len(asyncio.all_tasks()) == 2  # this one and the server's
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(0.001)
            assert server.requests[0].left_at == now
            assert server.connections == 0

    run(main(), tidy=True)


def test_an_iterator_that_is_dropped_closes_the_connection():
    async def main() -> None:
        async with served("endless") as (model, server):
            async for _ in model.reply(ask()):
                break
            await asyncio.sleep(0.001)
            assert server.connections == 0

    run(main(), tidy=True)


# --- connections -----------------------------------------------------------------------------------------------


def test_one_connection_serves_reply_after_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        # The pool reads the real clock when it decides whether a connection has been idle for too long.
        monkeypatch.setattr("aiohttp.connector.monotonic", asyncio.get_running_loop().time)
        async with served() as (model, server):
            for _ in range(5):
                assert (await collect(model)).kind == "ok"
                await asyncio.sleep(100)
            assert server.connected == 1

    run(main(), tidy=True)


def test_a_kept_connection_that_turns_out_dead_is_replaced():
    async def main() -> None:
        async with served("ok", "rst", "ok", "refuse", "ok") as (model, server):
            for _ in range(3):
                assert (await collect(model)).kind == "ok"
            assert (server.count, server.connected) == (5, 3)

    run(main(), tidy=True)


def test_warm_up_opens_the_connection_and_asks_for_no_completion():
    async def main() -> None:
        async with served() as (model, server):
            await model.warm_up()
            assert (server.connected, server.listed, server.count) == (1, 1, 0)
            await collect(model)
            await model.warm_up()
            assert (server.connected, server.listed, server.count) == (1, 2, 1)

    run(main(), tidy=True)


def test_warm_up_does_not_mind_a_dead_or_silent_server():
    async def main() -> None:
        async with served() as (model, server):
            await server.stop()
            await model.warm_up()
        with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, never answers
            async with served(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1") as (model, _):
                started = asyncio.get_running_loop().time()
                await model.warm_up()
                assert asyncio.get_running_loop().time() - started == pytest.approx(4.0)

    run(main())


def test_closing_twice_is_fine_and_so_is_closing_what_never_opened():
    async def main() -> None:
        async with served() as (model, _):
            await collect(model)
            await model.close()
            await model.close()
        await OpenAIModel(LlmSettings(api_key=KEY), AgentSettings()).close()

    run(main(), tidy=True)


# --- what the SDK would do -------------------------------------------------------------------------------------

STATUSES = {
    "AuthenticationError": {"auth"},
    "PermissionDeniedError": {"auth"},
    "RateLimitError": {"rate_limit", "quota"},
    "InternalServerError": {"overload"},
    "BadRequestError": {"bad_data"},
    "NotFoundError": {"bad_data"},
    "ConflictError": {"bad_data"},
    "UnprocessableEntityError": {"bad_data"},
    "APIStatusError": {"bad_data", "quota", "timeout"},  # 402, 408, 418
}


@pytest.mark.parametrize("fault", [*"400 401 402 403 404 408 409 418 422 429 500 502 503 529".split(), "quota"])
def test_statuses_mean_what_the_sdk_says_they_mean(fault: str) -> None:
    async def main() -> None:
        import openai

        async with served(fault) as (model, server):
            sdk = openai.AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0)
            with pytest.raises(openai.APIStatusError) as raised:
                await sdk.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
                )
            await sdk.close()
            got = await collect(model)
            assert got.kind in STATUSES[type(raised.value).__name__]

    run(main())


def test_the_request_is_the_sdks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, key, organisation, project, custom headers: as the SDK sends them, environment included."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-7")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj_8")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: phones")

    async def main() -> None:
        import openai

        async with ModelServer(prefix="/some/where") as server:
            model = OpenAIModel(LlmSettings(base_url=server.base_url, api_key=KEY), AgentSettings())
            sdk = openai.AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0, timeout=None)
            stream = await sdk.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
            )
            async for _ in stream:
                pass
            await sdk.close()
            assert (await collect(model)).kind == "ok"
            await model.close()
            theirs, ours = server.requests
            encoding = ours.headers["accept-encoding"]
            for name in ("content-length", "accept-encoding", "connection"):
                theirs.headers.pop(name, None)
                ours.headers.pop(name, None)
            assert ours.headers == theirs.headers
            assert ours.headers["authorization"] == f"Bearer {KEY}"
            assert encoding == "identity"  # an event stream that is compressed comes in lumps
            assert ours.headers["openai-organization"] == "org-7"
            assert ours.headers["openai-project"] == "proj_8"

    run(main())


def test_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ModelServer(prefix="http://model.example/v1") as server:  # a proxy is asked for whole addresses
            monkeypatch.setenv("http_proxy", server.base_url.partition("http://model")[0])
            model = OpenAIModel(LlmSettings(base_url="http://model.example/v1", api_key=KEY), AgentSettings())
            assert (await collect(model)).kind == "ok"
            await model.close()

    run(main())


@pytest.mark.parametrize("name", ["temperature", "max_tokens", "stream_options", "tools"])
def test_a_parameter_the_server_does_not_know_is_left_out_from_then_on(name: str) -> None:
    async def main() -> None:
        async with served(f"param={name}") as (model, server):
            assert (await collect(model)).kind == "ok"
            assert (await collect(model)).kind == "ok"
            assert [name in request.body for request in server.requests] == [True, False, False]
            assert ("max_completion_tokens" in server.requests[-1].body) == (name == "max_tokens")

    run(main(), tidy=True)


def test_a_refused_parameter_that_is_needed_is_a_failure():
    async def main() -> None:
        async with served("param=model") as (model, server):
            assert (await collect(model)).kind == "bad_data"
            assert server.count == 1

    run(main(), tidy=True)


# --- settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [LlmSettings(), LlmSettings(base_url="127.0.0.1:8000/v1"), LlmSettings(api_key="sk-abc…xyz"),
     LlmSettings(api_key="sk-\nabc")],
    ids=["nothing", "no scheme", "copied from a web page", "broken line"],
)  # fmt: skip
def test_impossible_settings(settings: LlmSettings) -> None:
    with pytest.raises(ConfigError) as refused:
        OpenAIModel(settings, AgentSettings())
    assert refused.value.hint
    assert "abc" not in str(refused.value)


def test_a_key_with_a_line_end_is_a_key():
    async def main() -> None:
        async with served(api_key=f" {KEY}\n") as (model, server):
            assert (await collect(model)).kind == "ok"
            assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"

    run(main(), tidy=True)


def test_the_model_is_told_the_time():
    async def main() -> None:
        async with ModelServer() as server:
            settings = LlmSettings(base_url=server.base_url)
            model = OpenAIModel(settings, AgentSettings(), now=lambda: datetime(2026, 11, 22, 21, 40))
            await collect(model)
            await model.close()
            assert "Sunday, 22 November 2026, 21:40" in server.requests[0].body["messages"][-1]["content"]

    run(main(), tidy=True)


def test_importing_it_imports_no_sdk():
    import subprocess
    import sys

    code = "import sys, voicectl.llm.openai; sys.exit(any(m in sys.modules for m in ('openai', 'aiohttp', 'httpx2')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- many at once ----------------------------------------------------------------------------------------------


def test_a_cancelled_reply_is_never_heard_in_another_call():
    """Half of 200 replies are cut off somewhere; whatever then uses the connections hears only its own words."""

    def echo(body: dict[str, Any]) -> str:
        word = body["messages"][-1]["content"].split()[-1]
        return " ".join([word] * 30)

    async def main() -> None:
        async with served(reply=echo) as (model, server):

            async def call(number: int, patience: float | None) -> None:
                request = replace(ask(f"word{number}"), call=replace(CALL, sid=f"CA{number}"))
                pieces: list[str | ReplyEnd] = []
                try:
                    async with asyncio.timeout(patience):
                        pieces += [item async for item in model.reply(request)]
                except TimeoutError:
                    assert patience is not None
                else:
                    text = "".join(piece for piece in pieces if isinstance(piece, str))
                    assert text.split() == [f"word{number}"] * 30

            for round_ in range(4):
                calls = []
                for number in range(round_ * 50, round_ * 50 + 50):
                    calls.append(call(number, None if number % 2 else 0.25 + number % 50 * 0.015))
                await asyncio.gather(*calls)
            assert server.count == 200

    run(main(), tidy=True)


def test_a_broken_server_is_an_error_of_the_world():
    """Bytes that are no HTTP at all."""

    async def main() -> None:
        async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(json.dumps({"not": "http"}).encode() * 10 + b"\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        model = OpenAIModel(LlmSettings(base_url=f"http://127.0.0.1:{port}/v1"), AgentSettings())
        with pytest.raises(ReplyError):
            async for _ in model.reply(ask()):
                pass
        await model.close()
        server.close()
        await server.wait_closed()

    run(main())
