"""Python functions as tools: found when the server starts, called by keyword, never in anybody's way."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from voicectl.errors import ConfigError
from voicectl.ports import CallInfo, ToolContext, ToolOutcome
from voicectl.tools.python_function import MAX_THREADS, python_function

CONTEXT = ToolContext(CallInfo("CA0", "VX0", "+15550001", "+15550002"), "en-US", "key-0")
SOURCE = """
import threading
from voicectl.ports import ToolOutcome

hold = threading.Event()

def sync(city, days=1):
    return f"{city} {days} {threading.current_thread() is threading.main_thread()}"

async def later(city, *, days=1):
    return {"city": city, "days": days}

def with_context(city, context):
    return f"{context.call.caller} {context.key} {city}"

def outcome(city):
    return ToolOutcome("Rung.", digits="1")

def hands_on(city):
    return later(city)

def anything(**given):
    return given

def hangs(city):
    hold.wait(30)
    return "let go"

def stops(city):
    raise StopIteration

def leaves(city):
    raise SystemExit(3)

class Held:
    def method(city):
        return "held"

number = 7
"""
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
CITY = {**PARAMETERS, "properties": {"city": {"type": "string"}}}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module in the working directory, which is not on the path."""
    (tmp_path / "shop_tools.py").write_text(SOURCE, "utf-8")
    (tmp_path / "broken_tools.py").write_text("raise SystemExit('no')", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop_tools", raising=False)
    yield lambda: sys.modules["shop_tools"]
    sys.modules.pop("shop_tools", None)


@pytest.mark.parametrize(
    ("name", "parameters", "arguments", "came"),
    [
        ("sync", PARAMETERS, {"city": "London", "days": 2}, "London 2 False"),
        ("sync", PARAMETERS, {"city": "London"}, "London 1 False"),
        ("later", PARAMETERS, {"city": "London"}, {"city": "London", "days": 1}),
        ("with_context", CITY, {"city": "London"}, "+15550001 key-0 London"),
        ("outcome", CITY, {"city": "London"}, ToolOutcome("Rung.", digits="1")),
        ("hands_on", CITY, {"city": "London"}, {"city": "London", "days": 1}),
        ("anything", PARAMETERS, {"city": "London", "days": 3}, {"city": "London", "days": 3}),
        ("Held.method", CITY, {"city": "London"}, "held"),
    ],
)
def test_a_function_is_called_by_keyword(
    module: Any, name: str, parameters: dict[str, Any], arguments: dict[str, Any], came: object
) -> None:
    tool = python_function("shop", f"shop_tools:{name}", parameters)
    assert asyncio.run(_come(tool(arguments, CONTEXT))) == came


async def _come(awaitable: Any) -> object:
    return await awaitable


@pytest.mark.parametrize(
    ("target", "parameters", "said"),
    [
        ("shop_tools", CITY, "names no function"),
        ("shop_tools:", CITY, "names no function"),
        (":sync", CITY, "names no function"),
        ("no_such_module:sync", CITY, "cannot be imported"),
        ("broken_tools:sync", CITY, "cannot be imported"),
        ("shop_tools:nothing", CITY, "no function 'nothing'"),
        ("shop_tools:number", CITY, "no function 'number'"),
        ("shop_tools:with_context", PARAMETERS, "does not take days"),
        ("shop_tools:sync", {"type": "object", "properties": {}}, "needs city"),
        ("shop_tools:sync", {**PARAMETERS, "required": ["days"]}, "needs city"),
        ("shop_tools:with_context",
         {"type": "object", "properties": {"city": {}, "context": {}}, "required": ["city"]}, "context"),
    ],
)  # fmt: skip
def test_what_cannot_be_called_is_found_at_the_start(
    module: Any, target: str, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        python_function("shop", target, parameters)
    assert "'shop'" in refused.value.message and refused.value.hint


@pytest.mark.parametrize(("name", "error"), [("stops", RuntimeError), ("leaves", SystemExit)])
def test_what_a_function_throws_comes_out(module: Any, name: str, error: type[BaseException]) -> None:
    tool = python_function("shop", f"shop_tools:{name}", CITY)

    async def main() -> None:
        try:
            await tool({"city": "London"}, CONTEXT)
        except error:
            return
        raise AssertionError("nothing was thrown")

    asyncio.run(main())


def test_a_function_that_hangs_holds_up_nobody(module: Any) -> None:
    """Not the loop, not the others, and when too many hang the next is told so at once."""

    async def main() -> None:
        tool = python_function("shop", "shop_tools:hangs", CITY)
        hung = [asyncio.ensure_future(tool({"city": "London"}, CONTEXT)) for _ in range(MAX_THREADS)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert await tool({"city": "London"}, CONTEXT) == ToolOutcome("It is too busy right now.", "failed")
        hung[0].cancel()
        module().hold.set()
        came = await asyncio.gather(*hung, return_exceptions=True)
        assert came[1:] == ["let go"] * (MAX_THREADS - 1) and isinstance(came[0], asyncio.CancelledError)
        assert await tool({"city": "London"}, CONTEXT) == "let go"

    asyncio.run(main())
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "tool")
