"""The simulated reply model's server, judged by the official SDK and by bare HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from voicectl.simulator.model_faults import FAULTS, Fault, parse
from voicectl.simulator.model_server import DEFAULT_REPLY, ModelServer
from voicectl.simulator.virtual_time import run

HELLO: Any = [{"role": "user", "content": "Hello there"}]


@asynccontextmanager
async def sdk(server: ModelServer) -> AsyncIterator[Any]:
    import openai

    async with openai.AsyncOpenAI(api_key="key", base_url=server.base_url, max_retries=0) as client:
        yield client


async def http(server: ModelServer, request: str) -> bytes:
    """One bare exchange; returns all that came until the server closed or fell silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.base_url.split(":")[2].split("/")[0]))
    writer.write(request.replace("\n", "\r\n").encode())
    got = b""
    try:
        async with asyncio.timeout(1.0):
            while data := await reader.read(65536):
                got += data
    except TimeoutError:
        pass
    writer.close()
    await writer.wait_closed()
    return got


def test_the_sdk_reads_its_stream():
    async def main() -> None:
        async with ModelServer("One two three.", first_token=0.3, per_token=0.1) as server, sdk(server) as client:
            loop = asyncio.get_running_loop()
            chunks, times = [], []
            options = {"include_usage": True}
            async for chunk in await client.chat.completions.create(
                model="some-model", messages=HELLO, stream=True, stream_options=options
            ):
                chunks.append(chunk)
                if chunk.choices and chunk.choices[0].delta.content:
                    times.append(loop.time())
            words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
            assert [word for word in words if word] == ["One", " two", " three."]
            assert [b - a for a, b in pairwise(times)] == pytest.approx([0.1, 0.1])
            assert chunks[-2].choices[0].finish_reason == "stop"
            assert chunks[-1].usage.completion_tokens == 3
            assert {chunk.model for chunk in chunks} == {"some-model"}
            request = server.requests[0]
            assert (request.number, request.tokens, request.left_at) == (1, 3, None)
            assert request.ended_at is not None
            assert request.ended_at - request.at == pytest.approx(0.5)
            assert request.body["messages"] == HELLO
            assert request.headers["authorization"] == "Bearer key"

    run(main())


def test_the_sdk_reads_its_whole_replies_and_its_models():
    async def main() -> None:
        async with ModelServer() as server, sdk(server) as client:
            whole = await client.chat.completions.create(model="m", messages=HELLO)
            assert whole.choices[0].message.content == DEFAULT_REPLY
            assert whole.usage.total_tokens > 0
            assert [model.id async for model in client.models.list()] == ["simulated"]
            assert server.count == 1

    run(main())


def test_replies_in_turn_or_by_what_was_asked():
    async def ask(client: Any) -> str:
        whole = await client.chat.completions.create(model="m", messages=HELLO)
        return str(whole.choices[0].message.content)

    async def main() -> None:
        async with ModelServer(["A", "B"]) as server, sdk(server) as client:
            assert [await ask(client) for _ in range(3)] == ["A", "B", "A"]
        async with ModelServer(lambda body: body["messages"][-1]["content"].upper()) as server, sdk(server) as client:
            assert await ask(client) == "HELLO THERE"

    run(main())


def test_who_decides_the_fault():
    async def main() -> None:
        import openai

        async with ModelServer(faults=["500", "ok", "quota"]) as server, sdk(server) as client:
            statuses = []
            for model, header in [("m", ""), ("m", ""), ("m", ""), ("m", ""), ("fault:503", ""), ("fault:503", "401")]:
                try:
                    await client.chat.completions.create(
                        model=model, messages=HELLO, extra_headers={"x-fault": header} if header else {}
                    )
                    statuses.append(200)
                except openai.APIStatusError as failed:
                    statuses.append(failed.status_code)
            assert statuses == [500, 200, 429, 429, 503, 401]

    run(main())


def test_tool_calls_as_the_sdk_reads_them():
    async def main() -> None:
        async with ModelServer("Bye.", faults=["tool=end_call"]) as server, sdk(server) as client:
            names, arguments, reasons = [], "", []
            async for chunk in await client.chat.completions.create(model="m", messages=HELLO, stream=True):
                for call in chunk.choices[0].delta.tool_calls or ():
                    names += [call.function.name] if call.function.name else []
                    arguments += call.function.arguments or ""
                reasons += [chunk.choices[0].finish_reason] if chunk.choices[0].finish_reason else []
            assert (names, arguments, reasons) == (["end_call"], "{}", ["tool_calls"])

    run(main())


def test_a_client_that_leaves_is_noticed():
    async def main() -> None:
        async with ModelServer(per_token=0.1, faults=["endless"]) as server, sdk(server) as client:
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            await anext(aiter(stream))
            await asyncio.sleep(2)
            assert server.answering == 1
            await stream.close()
            await asyncio.sleep(0.01)
            request = server.requests[0]
            assert request.left_at == pytest.approx(2, abs=0.1)
            assert request.ended_at is None
            assert (server.answering, server.connections) == (0, 0)

    run(main())


def test_a_client_that_does_not_read_is_waited_for():
    async def main() -> None:
        async with ModelServer("word " * 100_000) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(server.base_url.split(":")[2][:-3]))
            body = json.dumps({"model": "m", "messages": HELLO, "stream": True})
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            sent, before = 0, -1
            while sent != before:
                before = sent
                await asyncio.sleep(5)
                sent = server.requests[0].tokens if server.requests else 0
            assert 0 < sent < 100_000
            assert server.answering == 1
            writer.close()
            await writer.wait_closed()
            del reader

    run(main())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /v1/models HTTP/1.1\nhost: x\n\n", b"200"),
        ("GET /v1/nothing HTTP/1.1\nhost: x\n\n", b"404"),
        ("GET /models HTTP/1.1\nhost: x\n\n", b"404"),
        ("GET /v1/chat/completions HTTP/1.1\nhost: x\n\n", b"404"),
        ("POST /v1/chat/completions HTTP/1.1\ncontent-length: 3\n\n{x}", b"400"),
        ("POST /v1/chat/completions HTTP/1.1\ncontent-length: 2\n\n[]", b"400"),
        ("POST /v1/chat/completions HTTP/1.1\ncontent-length: 2\n\n{}", b"400"),
        ('POST /v1/chat/completions HTTP/1.1\ncontent-length: 37\n\n{"messages": [], "model": "fault:xx"}', b"400"),
    ],
)
def test_what_it_says_to_bare_http(request_: str, status: bytes) -> None:
    async def main() -> None:
        async with ModelServer() as server:
            assert (await http(server, request_)).split()[1] == status

    run(main(), tidy=True)


@pytest.mark.parametrize("noise", ["\x16\x03\x01 hello", "GET\n\n", "GET / HTTP/1.1\ncontent-length: x\n\n",
                                   "GET / HTTP/1.1\ncontent-length: -1\n\n",
                                   "GET / HTTP/1.1\ncontent-length: 99999999\n\n", "x" * 70_000])  # fmt: skip
def test_noise_is_hung_up_on(noise: str) -> None:
    async def main() -> None:
        async with ModelServer() as server:
            try:
                assert await http(server, noise) == b""
            except ConnectionError:
                pass
            assert server.connections == 0

    run(main(), tidy=True)


def test_requests_in_one_go_are_answered_one_by_one():
    async def main() -> None:
        async with ModelServer() as server:
            got = await http(server, "GET /v1/models HTTP/1.1\nhost: x\n\n" * 3)
            assert got.count(b"HTTP/1.1 200") == 3

    run(main(), tidy=True)


def test_stopping_cuts_everybody_and_refuses():
    async def main() -> None:
        async with ModelServer(faults=["hang"]) as server, sdk(server) as client:
            import openai

            asking = asyncio.create_task(client.chat.completions.create(model="m", messages=HELLO))
            await asyncio.sleep(1)
            await server.stop()
            with pytest.raises(openai.APIConnectionError):
                await asking
            with pytest.raises(openai.APIConnectionError):
                await client.models.list()
            await server.start()  # on the same port
            await client.models.list()

    run(main())


@pytest.mark.parametrize("name", [*FAULTS, "500", "429"])
def test_every_fault_can_be_written_down(name: str) -> None:
    assert parse(name) == Fault(name)
    assert parse(f"{name}@3") == Fault(name, 3)
    assert parse(f"{name}@3=1.5").seconds == 1.5


@pytest.mark.parametrize("spec", ["", "nonsense", "cut@x", "ttft=soon", "200", "600", "@3", "=1"])
def test_what_is_no_fault(spec: str) -> None:
    with pytest.raises(ValueError, match=r"fault|status|token|seconds"):
        parse(spec)


def test_the_command_line():
    command = [sys.executable, "-m", "voicectl.simulator.model_server", "--port", "0", "--stamp", "2"]
    command += ["--first-token-ms", "0", "--per-token-ms", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()

        async def ask() -> str:
            import openai

            async with openai.AsyncOpenAI(api_key="key", base_url=address, max_retries=0) as client:
                stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        try:
            tokens = asyncio.run(ask()).split()
        finally:
            process.send_signal(2)
        assert [token.rsplit(".", 1)[0] for token in tokens] == ["1.0", "1.1"]
        assert process.wait(10) == 0


def test_the_command_line_refuses_a_fault_that_is_none():
    command = [sys.executable, "-m", "voicectl.simulator.model_server", "--fault", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such fault" in done.stderr


def test_it_starts_quickly():
    """No HTTP library, no SDK: a test or a benchmark that starts it does not wait."""
    code = "import sys, voicectl.simulator.model_server as m; print([n for n in sys.modules if n in %r])"
    heavy = ("openai", "aiohttp", "httpx2", "pydantic", "fastapi", "msgspec")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
