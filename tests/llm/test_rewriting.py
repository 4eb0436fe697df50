"""A question made whole by a model: used when it comes in time and is one; the rules answer for everything else."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.turns import Line
from voicectl.llm.rewriting import LINES, LONGEST, ModelRewriter
from voicectl.settings import LlmSettings
from voicectl.simulator.model_server import ModelServer
from voicectl.simulator.virtual_time import run

CANARY = "kayaks"
SAID = (
    Line("caller", f"How much is it to rent {CANARY}?"),
    Line("agent", "Renting one costs ten pounds a day."),
    Line("caller", "And on Sundays?"),
)
WHOLE = f"What does it cost to rent {CANARY} on Sundays?"
RULES = standalone_question(SAID)
SECONDS = 0.6


@asynccontextmanager
async def asked(reply: Any = WHOLE, *faults: str, **llm: Any) -> AsyncIterator[tuple[ModelRewriter, ModelServer]]:
    """A rewriter and the server it talks to; when it is closed no connection is left."""
    async with ModelServer(reply, faults=faults) as server:
        rewriter = ModelRewriter(LlmSettings(**{"api_key": "sk-key", "base_url": server.base_url} | llm), SECONDS)
        try:
            yield rewriter, server
        finally:
            await rewriter.close()
        for _ in range(50):  # the server hears of it a moment later
            if not server.connections:
                break
            await asyncio.sleep(0.01)
        assert server.connections == 0


def test_the_rules_alone_would_say_something_else() -> None:
    assert RULES and RULES != WHOLE


def test_what_the_model_says_is_used() -> None:
    async def main() -> None:
        async with asked(model="some-model") as (rewriter, server):
            await rewriter.warm_up()
            assert await rewriter.standalone(SAID) == WHOLE
            assert await rewriter.standalone(SAID) == WHOLE
            assert (server.count, server.connected) == (2, 1)
            request = server.requests[0]
            assert request.headers["authorization"] == "Bearer sk-key"
            assert request.body["model"] == "some-model" and not request.body.get("stream")
            system, user = request.body["messages"]
            assert (system["role"], user["role"]) == ("system", "user")
            assert user["content"] == "\n".join(f"{line.role}: {line.text}" for line in SAID)

    run(main(), tidy=True)


def test_only_the_last_lines_are_told() -> None:
    many = tuple(Line("agent" if at % 2 else "caller", f"line {at}.") for at in range(2 * LINES + 1))

    async def main() -> None:
        async with asked() as (rewriter, server):
            await rewriter.standalone(many)
            told = server.requests[0].body["messages"][1]["content"].splitlines()
            assert len(told) == LINES and told[-1] == f"caller: line {2 * LINES}."

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("reply", "used"),
    [
        (f'"{WHOLE}"', WHOLE),
        (f"  {WHOLE}\n", WHOLE),
        (WHOLE.replace(" ", "\n"), WHOLE),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), RULES),
        ("", RULES),
        (' "" ', RULES),
    ],
)
def test_one_line_of_bounded_length_without_quotes(reply: str, used: str) -> None:
    async def main() -> None:
        async with asked(reply) as (rewriter, _):
            assert await rewriter.standalone(SAID) == used

    run(main(), tidy=True)


@pytest.mark.parametrize(
    "fault", ["400", "401", "404", "429=7", "500", "503", "quota", "refuse", "rst", "html", "slow_down", "hang"]
)
def test_whatever_goes_wrong_the_rules_answer_at_once(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="voicectl")

    async def main() -> None:
        async with asked(WHOLE, fault, "ok") as (rewriter, server):
            loop = asyncio.get_running_loop()
            began = loop.time()
            assert await rewriter.standalone(SAID) == RULES
            took = loop.time() - began
            assert took == pytest.approx(SECONDS, abs=0.02) if fault == "hang" else took < 0.1
            assert server.count == 1  # a caller waits: it is not asked again
            assert await rewriter.standalone(SAID) == WHOLE  # and the next question may have more luck

    run(main(), tidy=True)
    said = [record for record in caplog.records if record.name.startswith("voicectl")]
    assert len(said) == 1 and "rules" in said[0].getMessage()
    assert all(word not in str(record.__dict__) for record in said for word in (CANARY, "sk-key"))


def test_a_server_that_is_not_there() -> None:
    async def main() -> None:
        async with ModelServer() as server:
            gone = server.base_url
        rewriter = ModelRewriter(LlmSettings(api_key="", base_url=gone), SECONDS)
        assert await rewriter.standalone(SAID) == RULES
        await rewriter.close()

    run(main(), tidy=True)


@pytest.mark.parametrize(("takes", "used"), [(SECONDS - 0.05, WHOLE), (SECONDS + 0.05, RULES)])
def test_it_is_waited_for_so_long_and_no_longer(takes: float, used: str) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": WHOLE}, "finish_reason": "stop"}
    answer = {"id": "a", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    body = json.dumps(answer).encode()
    gone: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        await asyncio.sleep(takes)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        gone.append(not await reader.read())
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        rewriter = ModelRewriter(LlmSettings(api_key="k", base_url=address), SECONDS)
        await rewriter.warm_up()
        began = asyncio.get_running_loop().time()
        assert await rewriter.standalone(SAID) == used
        assert asyncio.get_running_loop().time() - began == pytest.approx(min(takes, SECONDS), abs=0.02)
        await rewriter.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(1)
        assert gone == [True]

    run(main(), tidy=True)


def test_a_caller_who_hangs_up_leaves_nothing_open() -> None:
    async def main() -> None:
        async with asked(WHOLE, "hang") as (rewriter, server):
            asking = asyncio.ensure_future(rewriter.standalone(SAID))
            await asyncio.sleep(0.2)
            assert server.answering == 1
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await asyncio.sleep(0.1)
            assert server.answering == 0

    run(main(), tidy=True)


def test_closing_what_was_never_used() -> None:
    run(ModelRewriter(LlmSettings(), SECONDS).close(), tidy=True)
