"""One suite over every reply model: what ports.ReplyModel promises, whoever keeps it.

In virtual time, with `tidy`: whatever a model leaves behind, a task, a timer, an open socket, fails the test.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from voicectl.conversation.turns import Line, Passage, Usage
from voicectl.errors import ReplyError
from voicectl.llm.chain import Chain
from voicectl.llm.offline import OfflineModel
from voicectl.llm.openai import OpenAIModel
from voicectl.llm.scripted import ScriptedModel, ScriptedReply
from voicectl.ports import CallInfo, ReplyEnd, ReplyModel, ReplyRequest
from voicectl.settings import AgentSettings, LlmSettings
from voicectl.simulator.model_server import ModelServer
from voicectl.simulator.virtual_time import run

# A hundred things to ask the price of, no two alike.
THINGS = ["".join(pair) for pair in itertools.product("ba ke lo mi nu pa ri so tu va".split(), repeat=2)]


def request(number: int) -> ReplyRequest:
    thing = THINGS[number % len(THINGS)]
    return ReplyRequest(
        CallInfo(f"CA{number}", f"VX{number}", "+15550001", "+15550002"),
        (Line("agent", "Hello, how can I help?"), Line("caller", f"How much is the {thing}?")),
        (Passage(1, f"Prices > {thing}", f"The {thing} costs twenty pounds and comes with a bell.", "prices.md", 1.0),),
    )


def _of_server(body: dict[str, Any]) -> str:
    thing = body["messages"][-1]["content"].split()[-1].rstrip("?")
    return f"The {thing} costs twenty pounds and comes with a bell."


@asynccontextmanager
async def openai(*faults: str) -> AsyncIterator[ReplyModel]:
    async with ModelServer(_of_server, first_token=0.3, per_token=0.02, faults=faults) as server:
        yield OpenAIModel(LlmSettings(base_url=server.base_url), AgentSettings())


@asynccontextmanager
async def scripted() -> AsyncIterator[ReplyModel]:
    yield ScriptedModel([ScriptedReply(f"The {thing} costs twenty pounds.", when=thing) for thing in THINGS])


@asynccontextmanager
async def offline() -> AsyncIterator[ReplyModel]:
    yield OfflineModel("Robin", "Harbour Cycles", False)


@asynccontextmanager
async def chain() -> AsyncIterator[ReplyModel]:
    """Whose first model always fails."""
    async with openai("500") as broken, openai() as whole:
        yield Chain([broken, whole], first_token_seconds=4)


@asynccontextmanager
async def hanging_chain() -> AsyncIterator[ReplyModel]:
    async with openai("hang") as hung, offline() as last:
        yield Chain([hung, last], first_token_seconds=2)


MODELS = [openai, scripted, offline, chain, hanging_chain]
Factory = Callable[[], AbstractAsyncContextManager[ReplyModel]]
each_model = pytest.mark.parametrize("factory", MODELS, ids=lambda factory: factory.__name__)


def words(items: list[str | ReplyEnd]) -> str:
    return "".join(item for item in items if isinstance(item, str))


@each_model
def test_text_and_one_end(factory: Factory) -> None:
    async def main() -> None:
        async with factory() as model:
            assert model.name
            items = [item async for item in model.reply(request(7))]
            *text, end = items
            assert isinstance(end, ReplyEnd)
            assert text
            assert all(isinstance(piece, str) and piece for piece in text)
            assert end.reason
            assert end.closing is None
            assert end.usage is None or isinstance(end.usage, Usage)
            assert THINGS[7] in words(items)
            await model.close()

    run(main(), tidy=True)


@each_model
def test_nothing_happens_before_it_is_asked_for(factory: Factory) -> None:
    async def main() -> None:
        async with factory() as model:
            before = asyncio.all_tasks()
            for _ in range(3):
                items = model.reply(request(1))
                await items.aclose()  # type: ignore[attr-defined]
            assert asyncio.all_tasks() == before
            await model.close()

    run(main(), tidy=True)


@each_model
@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_iterator_can_be_closed_early(factory: Factory, count: int) -> None:
    async def main() -> None:
        async with factory() as model:
            for number in range(5):
                items = model.reply(request(number))
                for _ in range(count):
                    await anext(items)
                await items.aclose()  # type: ignore[attr-defined]
                await _nothing_goes_on()
            await model.close()

    run(main(), tidy=True)


@each_model
def test_cancelling_leaves_nothing_and_harms_nobody(factory: Factory) -> None:
    async def main() -> None:
        async with factory() as model:
            for patience in (0.0, 0.1, 0.3, 0.31, 0.35, 0.4, 2.01):
                task = asyncio.create_task(_all(model, 3))
                await asyncio.sleep(patience)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
                await _nothing_goes_on()
            assert THINGS[4] in words(await _all(model, 4))
            await model.close()

    run(main(), tidy=True)


@each_model
def test_each_item_may_be_waited_for_by_another_task(factory: Factory) -> None:
    async def main() -> None:
        async with factory() as model:
            items = model.reply(request(5))
            got: list[str | ReplyEnd] = []
            while not got or isinstance(got[-1], str):
                got.append(await asyncio.create_task(_next(items)))
            assert THINGS[5] in words(got)
            with pytest.raises(StopAsyncIteration):
                await anext(items)
            await model.close()

    run(main(), tidy=True)


@each_model
def test_a_hundred_replies_at_once_do_not_mix(factory: Factory) -> None:
    """Also while others are cut off at every stage, and on the connections that these left behind."""

    async def main() -> None:
        chance = random.Random(1)
        async with factory() as model:
            for _ in range(2):
                whole = [_all(model, number) for number in range(100)]
                cut = [_cut_off(model, number, chance.uniform(0, 0.6)) for number in range(100)]
                said = (await asyncio.gather(*whole, *cut))[:100]
                for number, items in enumerate(said):
                    heard = words(items).split()
                    assert [thing for thing in THINGS if thing in heard] == [THINGS[number]]
            await model.close()

    run(main(), tidy=True)


@each_model
def test_whatever_a_call_brings_there_is_a_reply(factory: Factory) -> None:
    call = CallInfo("CA1", "VX1", "", "", language="zz-Unknown")
    odd = [
        ReplyRequest(call, ()),
        ReplyRequest(call, (Line("caller", ""),)),
        ReplyRequest(call, (Line("agent", "", cut=True), Line("caller", "?"))),
        ReplyRequest(call, (Line("caller", "\x00\ud800<reference>{}%s" * 50),)),
        ReplyRequest(call, tuple(Line("caller", "and " * 500) for _ in range(100))),
        ReplyRequest(call, (Line("caller", "Hello"), Line("agent", "Hello!"))),
        ReplyRequest(call, (Line("caller", "(pressed keys: 4711)"),), knowledge_failed=True),
        ReplyRequest(call, (Line("caller", "Open?"),), (Passage(1, "", "", ""), Passage(2, "\x00", "\ud800", "x"))),
    ]

    async def main() -> None:
        async with factory() as model:
            for case in odd:
                items: list[str | ReplyEnd] = []
                try:
                    async for item in model.reply(case):
                        items.append(item)
                except ReplyError as failed:
                    assert isinstance(model, ScriptedModel)  # whose script has nothing for it
                    assert failed.kind == "empty"
                else:
                    assert isinstance(items[-1], ReplyEnd)
                    assert words(items)
            await model.close()

    run(main(), tidy=True)


@each_model
def test_warming_up_and_closing(factory: Factory) -> None:
    async def main() -> None:
        async with factory() as model:
            await model.warm_up()
            await model.warm_up()
            assert THINGS[2] in words(await _all(model, 2))
            await model.close()
            await model.close()
        async with factory() as model:
            await model.close()

    run(main(), tidy=True)


FAILING = [
    lambda: OpenAIModel(LlmSettings(base_url="http://127.0.0.1:9/v1"), AgentSettings()),
    lambda: ScriptedModel([ScriptedReply("One two three", fail="stall", after=2)]),
    lambda: Chain([ScriptedModel([ScriptedReply("", fail="auth")])] * 2, first_token_seconds=1),
]


@pytest.mark.parametrize("make", FAILING, ids=["openai", "scripted", "chain"])
def test_a_failure_is_a_reply_error_and_leaves_nothing(make: Callable[[], ReplyModel]) -> None:
    async def main() -> None:
        model = make()
        await model.warm_up()
        with pytest.raises(ReplyError) as failed:
            await _all(model, 1)
        assert failed.value.message
        await _nothing_goes_on()
        await model.close()

    run(main(), tidy=True)


async def _next(items: AsyncIterator[str | ReplyEnd]) -> str | ReplyEnd:
    return await anext(items)


async def _all(model: ReplyModel, number: int) -> list[str | ReplyEnd]:
    return [item async for item in model.reply(request(number))]


async def _cut_off(model: ReplyModel, number: int, patience: float) -> list[str | ReplyEnd]:
    try:
        async with asyncio.timeout(patience):
            return await _all(model, number)
    except TimeoutError:
        return []


async def _nothing_goes_on() -> None:
    """No task but this one, once those of the server have seen that the caller has gone."""
    for _ in range(20):
        await asyncio.sleep(0)
        if len(asyncio.all_tasks()) == 1:
            return
    await asyncio.sleep(0.001)
    assert len(asyncio.all_tasks()) == 1
