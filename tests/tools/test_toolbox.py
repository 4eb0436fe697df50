"""The toolbox, over the port: what is carried out, what is refused, and what the model is told of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.turns import ToolCall
from voicectl.errors import ConfigError
from voicectl.ports import CallInfo, ToolContext, ToolOutcome, ToolSpec
from voicectl.simulator.virtual_time import run
from voicectl.tools.tool import Tool, parse_schema
from voicectl.tools.toolbox import MAX_RESULT, REMEMBERED, REMEMBERED_SECONDS, Toolbox

CONTEXT = ToolContext(CallInfo("CA0", "VX0", "+15550001", "+15550002"), "en-US", "key-0")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 1}, "days": {"type": "integer", "maximum": 7}},
    "required": ["city"],
    "additionalProperties": False,
}


class Weather:
    """A tool that notes what it is asked for."""

    def __init__(self, does: Callable[[], Coroutine[Any, Any, object]] | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.cancelled = 0
        self._does = does

    async def __call__(self, arguments: Any, context: ToolContext) -> object:
        self.asked.append(dict(arguments))
        try:
            return await self._does() if self._does else "Sunny."
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def box(self, **more: Any) -> Toolbox:
        return Toolbox([Tool(ToolSpec("weather", "The weather.", SCHEMA), self, **more)])


def call(arguments: str = '{"city": "London"}', name: str = "weather") -> ToolCall:
    return ToolCall("c1", name, arguments)


def key(name: str) -> ToolContext:
    return replace(CONTEXT, key=name)


def test_what_fits_is_carried_out():
    async def main() -> None:
        weather = Weather()
        outcome = await weather.box().run(call('{"city": "London", "days": 2}'), CONTEXT)
        assert outcome == ToolOutcome("Sunny.")
        assert weather.asked == [{"city": "London", "days": 2}]

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"city": "Lo', "whole JSON"),
        ("{", "whole JSON"),
        ('{"city": "London"', "whole JSON"),
        ('{"city": "London"}}', "whole JSON"),
        ("city=London", "whole JSON"),
        ('{"city": NaN}', "whole JSON"),
        ("[" * 100_000, "whole JSON"),
        ('{"city": "\ud800"}', "whole JSON"),
        ('["London"]', "no JSON object"),
        ("null", "no JSON object"),
        ('"London"', "no JSON object"),
        ("", "city"),
        ("  ", "city"),
        ("{}", "city"),
        ('{"city": 7}', "city must be string"),
        ('{"city": ""}', "city"),
        ('{"city": "London", "days": "2"}', "days must be integer"),
        ('{"city": "London", "days": 8}', "days"),
        ('{"city": "London", "country": "UK"}', "country"),
    ],
)
def test_what_is_not_whole_or_does_not_fit_is_refused(arguments: str, said: str) -> None:
    async def main() -> None:
        weather = Weather()
        outcome = await weather.box().run(call(arguments), CONTEXT)
        assert outcome.status == "refused" and said in outcome.result
        assert outcome.result.startswith("Not done") and len(outcome.result) < 500
        assert weather.asked == []

    run(main(), tidy=True)


@given(st.integers(0, 40), st.text(max_size=8))
def test_no_beginning_of_arguments_is_carried_out(cut: int, city: str) -> None:
    whole = json.dumps({"city": city + "x", "days": 3})

    async def main() -> None:
        weather = Weather()
        outcome = await weather.box().run(call(whole[:cut]), CONTEXT)
        done = cut >= len(whole)
        assert (outcome.status, len(weather.asked)) == (("ok", 1) if done else ("refused", 0))

    run(main(), tidy=True)


def test_a_tool_that_needs_nothing_may_be_called_with_nothing():
    async def main() -> None:
        async def work(arguments: Any, context: ToolContext) -> object:
            return None

        box = Toolbox([Tool(ToolSpec("ping", "Ping.", parse_schema("ping", "")), work)])
        assert await box.run(call("", "ping"), CONTEXT) == ToolOutcome("Done.")

    run(main(), tidy=True)


def test_an_unknown_tool_is_refused_with_the_names_there_are():
    async def main() -> None:
        outcome = await Weather().box().run(call(name="wheather"), CONTEXT)
        assert outcome.status == "refused" and "weather, end_call" in outcome.result

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ("Sunny.", "Sunny."),
        (None, "Done."),
        ({"sky": "blue", "°C": 20}, '{"sky":"blue","°C":20}'),
        ([1, 2], "[1,2]"),
        (7, "7"),
        ({"at": object}, '{"at":"<class \'object\'>"}'),
        ("x" * 2_000, "x" * 2_000),
        ("x" * 2_001, "x" * 1_999 + "…"),
        (ToolOutcome("y" * 9_000, "failed"), "y" * 1_999 + "…"),
    ],
)
def test_a_result_is_text_of_a_bounded_length(came: object, told: str) -> None:
    async def does() -> object:
        return came

    async def main() -> None:
        outcome = await Weather(does).box().run(call(), CONTEXT)
        assert outcome.result == told and len(told) <= MAX_RESULT
        assert outcome.status == (came.status if isinstance(came, ToolOutcome) else "ok")

    run(main(), tidy=True)


def test_a_tool_has_its_time():
    async def main() -> None:
        weather = Weather(lambda: asyncio.sleep(100, "Sunny."))
        loop = asyncio.get_running_loop()
        outcome = await weather.box(seconds=2.5).run(call(), CONTEXT)
        assert (outcome.status, loop.time(), weather.cancelled) == ("timeout", 2.5, 1)

    run(main(), tidy=True)


@pytest.mark.parametrize("error", [ValueError, TimeoutError, SystemExit, KeyError, RecursionError])
def test_a_failure_tells_nothing_of_what_was_asked(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def does() -> object:
        raise error("4711 is secret")

    async def main() -> None:
        with caplog.at_level(logging.DEBUG):
            outcome = await Weather(does).box().run(call('{"city": "Secretville"}'), CONTEXT)
        assert outcome == ToolOutcome("It failed.", "failed")
        (record,) = caplog.records
        assert record.tool == "weather" and record.error == error.__name__  # type: ignore[attr-defined]
        assert "4711" not in str(record.__dict__) and "Secretville" not in str(record.__dict__)

    run(main(), tidy=True)


def test_a_tool_that_cancels_itself_has_failed():
    async def does() -> object:
        raise asyncio.CancelledError

    async def main() -> None:
        assert (await Weather(does).box().run(call(), CONTEXT)).status == "failed"

    run(main(), tidy=True)


def test_a_result_that_cannot_be_told_is_a_failure():
    async def does() -> object:
        circle: list[Any] = []
        circle.append(circle)
        return circle

    async def main() -> None:
        assert (await Weather(does).box().run(call(), CONTEXT)).status == "failed"

    run(main(), tidy=True)


# --- the same deed ---------------------------------------------------------------------------------------------


def test_the_same_deed_at_the_same_time_is_done_once():
    async def main() -> None:
        weather = Weather(lambda: asyncio.sleep(1, "Sunny."))
        box = weather.box()
        outcomes = await asyncio.gather(*(box.run(call(), CONTEXT) for _ in range(5)), box.run(call(), key("other")))
        assert [outcome.result for outcome in outcomes] == ["Sunny."] * 6
        assert len(weather.asked) == 2

    run(main(), tidy=True)


@pytest.mark.parametrize(("later", "times"), [(0.0, 1), (REMEMBERED_SECONDS - 1, 1), (REMEMBERED_SECONDS + 1, 2)])
def test_the_same_deed_later_is_done_once_for_some_minutes(later: float, times: int) -> None:
    async def does() -> object:
        raise ValueError

    async def main() -> None:
        weather = Weather(does)
        box = weather.box()
        await box.run(call(), CONTEXT)
        await asyncio.sleep(later)
        assert (await box.run(call(), CONTEXT)).status == "failed"
        assert len(weather.asked) == times

    run(main(), tidy=True)


def test_keys_are_not_pressed_again():
    async def does() -> object:
        return ToolOutcome("Pressed.", digits="12#")

    async def main() -> None:
        box = Weather(does).box()
        assert (await box.run(call(), CONTEXT)).digits == "12#"
        again = await box.run(call(), CONTEXT)
        assert (again.digits, again.status) == ("", "ok")
        assert (await box.run(call(), key("other"))).digits == "12#"

    run(main(), tidy=True)


def test_what_is_remembered_is_bounded_and_what_is_at_work_stays():
    async def main() -> None:
        hold = asyncio.Event()

        async def does() -> object:
            await hold.wait()
            return "Sunny."

        weather, quick = Weather(does), Weather()
        box = Toolbox([Tool(ToolSpec(name, "?", SCHEMA), each) for name, each in (("weather", weather), ("q", quick))])
        slow = asyncio.create_task(box.run(call(), CONTEXT))
        for number in range(REMEMBERED + 10):
            await box.run(call(name="q"), key(str(number)))
        for number in (REMEMBERED + 9, 20, 0):  # the newest, one of the oldest that are kept, one that is forgotten
            await box.run(call(name="q"), key(str(number)))
        assert len(quick.asked) == REMEMBERED + 11
        again = asyncio.create_task(box.run(call(), CONTEXT))
        await asyncio.sleep(0)
        hold.set()
        assert (await slow).result == (await again).result == "Sunny."
        assert len(weather.asked) == 1

    run(main(), tidy=True)


def test_who_stops_waiting_stops_nobody_else():
    async def main() -> None:
        weather = Weather(lambda: asyncio.sleep(5, "Sunny."))
        box = weather.box()
        first, second = (asyncio.create_task(box.run(call(), CONTEXT)) for _ in range(2))
        await asyncio.sleep(1)
        first.cancel()
        assert (await second).result == "Sunny." and weather.cancelled == 0
        assert first.cancelled()

    run(main(), tidy=True)


def test_a_tool_that_nobody_waits_for_is_cancelled_and_forgotten():
    async def main() -> None:
        weather = Weather(lambda: asyncio.sleep(5, "Sunny."))
        box = weather.box()
        waiting = asyncio.create_task(box.run(call(), CONTEXT))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        await asyncio.sleep(0)
        assert waiting.cancelled() and weather.cancelled == 1 and len(asyncio.all_tasks()) == 1
        assert (await box.run(call(), CONTEXT)).result == "Sunny."

    run(main(), tidy=True)


def test_closing_ends_what_is_at_work_and_gives_everything_back():
    async def main() -> None:
        closed: list[int] = []

        async def close() -> None:
            closed.append(1)

        weather = Weather(lambda: asyncio.sleep(50, "Sunny."))
        box = Toolbox([Tool(ToolSpec("weather", "The weather.", SCHEMA), weather, 60.0)], [close])
        waiting = asyncio.create_task(box.run(call(), CONTEXT))
        await asyncio.sleep(1)
        await box.aclose()
        assert (await waiting).status == "failed"
        assert (weather.cancelled, closed) == (1, [1])

    run(main(), tidy=True)


# --- declared wrongly ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "properties": {"city": {"type": "town"}}},
        {"type": "object", "properties": {"city": {"$ref": "http://127.0.0.1:9/city.json"}}},
        {"type": "object", "properties": {"city": {"$ref": "file:///etc/passwd"}}},
        {"type": "object", "properties": {"city": {"type": "string", "pattern": "("}}},
        {"type": "object", "properties": {"city": {"$ref": "#/nowhere"}}},
        {"type": "object", "properties": 7},
    ],
)
def test_a_schema_that_is_none_is_found_at_the_start(schema: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="'weather'") as refused:
        Tool(ToolSpec("weather", "The weather.", schema), Weather())
    assert refused.value.hint


@pytest.mark.parametrize("text", ["[]", "{", "object", '"x"', "7"])
def test_parameters_that_are_no_json_object(text: str) -> None:
    with pytest.raises(ConfigError, match="'weather'"):
        parse_schema("weather", text)


@pytest.mark.parametrize(
    "name", ["", "get weather", "wetter-heute", "x" * 65, "größe", "end_call", "transfer_to_person"]
)
def test_names_that_are_none_or_taken(name: str) -> None:
    with pytest.raises(ConfigError):
        Toolbox([Tool(ToolSpec(name, "The weather.", SCHEMA), Weather())])


def test_two_tools_of_one_name():
    tool = Tool(ToolSpec("weather", "The weather.", SCHEMA), Weather())
    with pytest.raises(ConfigError, match="'weather'"):
        Toolbox([tool, tool])
