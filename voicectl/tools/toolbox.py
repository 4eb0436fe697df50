"""The tools of an agent, and how they are used: nothing the model writes is carried out unless it is whole and fits.

- Arguments that are cut short, are no JSON object or do not fit the tool's schema are refused, with what is wrong in a
  sentence that the model can act on. They are never mended, and nothing is carried out with a part of them.
- A tool has its time. What it throws is a failure that says nothing of how we are made; the log has the kind of error
  and the place, and not what was asked for.
- The same deed, told by its idempotency key, is done once: whoever asks for it again, while it is being done or for
  some minutes after, gets the same outcome. Keys that were pressed are not pressed again.
- A result is text of a bounded length.

When nobody waits for a tool any more, because the call is over, it is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from voicectl.conversation.turns import ToolCall
from voicectl.errors import ConfigError
from voicectl.ports import ToolContext, ToolOutcome, ToolSpec
from voicectl.tools.tool import CLOSINGS, Arguments, Tool

MAX_RESULT = 2_000
"""Characters."""
REMEMBERED_SECONDS = 600.0
REMEMBERED = 1_000
"""Outcomes that are kept, and for how long."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Deed:
    """A tool at work, or done."""

    task: asyncio.Task[ToolOutcome]
    waiting: int = 0
    done_at: float | None = None


class Toolbox:
    """ports.Tools. `closers` are awaited by aclose(). Raises ConfigError when two tools have one name."""

    def __init__(self, tools: Iterable[Tool], closers: Iterable[Callable[[], Awaitable[None]]] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            name = tool.spec.name
            if name in self._tools or name in CLOSINGS:
                raise ConfigError(f"there are two tools of the name {name!r}", "give one of them another name")
            self._tools[name] = tool
        self._specs = tuple(tool.spec for tool in self._tools.values())
        self._closers = tuple(closers)
        self._deeds: OrderedDict[str, _Deed] = OrderedDict()

    def offered(self, language: str) -> tuple[ToolSpec, ...]:
        """See ports.Tools; the same in every language."""
        return self._specs

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """See ports.Tools."""
        tool = self._tools.get(call.name)
        if tool is None:
            names = ", ".join((*self._tools, *CLOSINGS[:1]))
            return ToolOutcome(f"There is no tool of that name. The tools are: {names}.", "refused")
        arguments, fault = _read(tool, call.arguments)
        if fault:
            return ToolOutcome(fault, "refused")
        self._forget()
        deed = self._deeds.get(context.key)
        again = deed is not None
        if deed is None:
            deed = _Deed(asyncio.get_running_loop().create_task(_carry_out(tool, arguments, context)))
            deed.task.add_done_callback(lambda task: self._over(context.key, task))
            self._deeds[context.key] = deed
        deed.waiting += 1
        try:
            outcome = await asyncio.shield(deed.task)
        except asyncio.CancelledError:
            if _cancelled():  # we are, or it is
                raise
            return ToolOutcome("It was broken off.", "failed")
        finally:
            deed.waiting -= 1
            if not deed.waiting and not deed.task.done():
                self._deeds.pop(context.key, None)
                deed.task.cancel()
        if again and outcome.digits:
            return replace(outcome, digits="", result="This was done already, just now.")
        return outcome

    async def aclose(self) -> None:
        """Stop what is still at work and give back what the tools hold."""
        tasks = [deed.task for deed in self._deeds.values() if not deed.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._deeds.clear()
        for close in self._closers:
            await close()

    def _over(self, key: str, task: asyncio.Task[ToolOutcome]) -> None:
        deed = self._deeds.get(key)
        if deed is None or deed.task is not task:
            return
        if task.cancelled():
            del self._deeds[key]
        else:
            deed.done_at = task.get_loop().time()
            self._deeds.move_to_end(key)

    def _forget(self) -> None:
        """Outcomes that are too old, or too many. What is at work stays."""
        now = asyncio.get_running_loop().time()
        spare = len(self._deeds) - REMEMBERED
        for key, deed in list(self._deeds.items()):
            if deed.done_at is None:
                continue
            if spare < 0 and now - deed.done_at < REMEMBERED_SECONDS:
                break
            del self._deeds[key]
            spare -= 1


def _read(tool: Tool, text: str) -> tuple[Arguments, str]:
    """The arguments, or what is wrong with them."""
    if not text.strip():
        text = "{}"  # how many servers write that there are none; the schema knows whether there must be
    try:
        given = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}, "Not done: the arguments are not whole JSON. Call it again with all of them."
    if not isinstance(given, dict):
        return {}, "Not done: the arguments are no JSON object. Call it again with an object."
    fault = tool.check(given)
    return (
        given,
        f"Not done: the arguments do not fit: {fault}. Call it again with arguments that fit." if fault else "",
    )


async def _carry_out(tool: Tool, arguments: Arguments, context: ToolContext) -> ToolOutcome:
    name = tool.spec.name
    limit = asyncio.timeout(tool.seconds)
    try:
        async with limit:
            return _outcome(await tool.run(arguments, context))
    except asyncio.CancelledError:
        if _cancelled():
            raise
        log.warning("a tool was cancelled from within", extra={"tool": name})
        return ToolOutcome("It was broken off.", "failed")
    except TimeoutError:
        if limit.expired():
            log.warning("a tool took too long", extra={"tool": name, "seconds": tool.seconds})
            return ToolOutcome("It took too long. Whether it was done is not known.", "timeout")
        log.warning("a tool failed", extra={"tool": name, "error": "TimeoutError"})
        return ToolOutcome("It failed.", "failed")
    except (Exception, SystemExit) as error:  # a tool that exits does not end the server
        log.warning("a tool failed", extra={"tool": name, "error": type(error).__name__, "at": _place(error)})
        return ToolOutcome("It failed.", "failed")


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _place(error: BaseException) -> str:
    """Where it was raised, as file:line; its message may hold what a caller said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""


def _outcome(came: object) -> ToolOutcome:
    outcome = came if isinstance(came, ToolOutcome) else ToolOutcome(_text(came))
    if len(outcome.result) <= MAX_RESULT:
        return outcome
    return replace(outcome, result=outcome.result[: MAX_RESULT - 1] + "…")


def _text(came: object) -> str:
    if came is None:
        return "Done."
    return came if isinstance(came, str) else msgspec.json.encode(came, enc_hook=str).decode()


__all__ = ["MAX_RESULT", "REMEMBERED", "REMEMBERED_SECONDS", "Toolbox"]
