"""A tool that is a Python function of the owner's.

It is imported when the server starts, so that what is wrong with it is known then. Its arguments are the tool's, by
keyword, and `context` (a ports.ToolContext) if it has a parameter of that name. What it returns is the result: text,
anything that can be made JSON, or a ports.ToolOutcome. A function that is not async has a thread of its own, so that it
holds nobody up; one that hangs keeps its thread, and when too many do the tool fails at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from voicectl.errors import ConfigError
from voicectl.ports import ToolContext, ToolOutcome
from voicectl.tools.tool import Arguments, Run

MAX_THREADS = 32
"""Of one tool, at work or hung."""


def python_function(name: str, target: str, parameters: Mapping[str, Any]) -> Run:
    """What carries out the tool `name`: the function `target`, written module:name. Raises ConfigError when it cannot
    be imported or cannot be called with what the schema `parameters` allows."""
    function = _imported(name, target)
    takes_context = _fits(name, function, parameters)
    threads = _Threads()

    async def run(arguments: Arguments, context: ToolContext) -> object:
        given = {**arguments, "context": context} if takes_context else dict(arguments)
        call = partial(function, **given)
        if inspect.iscoroutinefunction(function):
            return await call()
        came = await threads.run(call)
        return await came if inspect.isawaitable(came) else came

    return run


class _Threads:
    """Threads that die with the process: one that hangs does not keep it from ending."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(MAX_THREADS)

    async def run(self, call: Callable[[], Any]) -> Any:
        if not self._free.acquire(blocking=False):
            return ToolOutcome("It is too busy right now.", "failed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(came: Any, error: BaseException | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(came)
            elif isinstance(error, StopIteration):  # a future takes none
                done.set_exception(RuntimeError("StopIteration"))
            else:
                done.set_exception(error)

        def work() -> None:
            came: Any = None
            error: BaseException | None = None
            try:
                came = context.run(call)
            except BaseException as raised:
                error = raised
            finally:
                self._free.release()
            try:
                loop.call_soon_threadsafe(settle, came, error)
            except RuntimeError:  # the loop is closed; nobody waits
                pass

        threading.Thread(target=work, name="tool", daemon=True).start()
        return await done


def _imported(name: str, target: str) -> Callable[..., Any]:
    module, colon, attribute = target.partition(":")
    if not colon or not module or not attribute:
        raise ConfigError(f"the tool {name!r}: {target!r} names no function", "write it as module:name")
    here = str(Path.cwd())
    if here not in sys.path:  # last, so that nothing there stands in for a library
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as bad:
        raise ConfigError(
            f"the tool {name!r}: the module {module!r} cannot be imported: {type(bad).__name__}: {bad}",
            "the module must be installed, or lie in the directory that voicectl is started from",
        ) from bad
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigError(
            f"the tool {name!r}: the module {module!r} has no function {attribute!r}", "mend the name after the colon"
        )
    function: Callable[..., Any] = found
    return function


def _fits(name: str, function: Callable[..., Any], parameters: Mapping[str, Any]) -> bool:
    """Whether the function wants the context. ConfigError when schema and function do not go together."""
    try:
        wanted = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C: nothing is known of it
        return False
    given: Mapping[str, Any] = parameters.get("properties") or {}
    sure = set(parameters.get("required") or ())
    kinds = inspect.Parameter
    anything = any(each.kind is kinds.VAR_KEYWORD for each in wanted.values())
    by_name = {n for n, each in wanted.items() if each.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    takes_context = "context" in by_name
    needed = {
        n
        for n, each in wanted.items()
        if each.default is kinds.empty and each.kind not in (kinds.VAR_KEYWORD, kinds.VAR_POSITIONAL)
    }
    missing = needed - sure - {"context"}
    strange = set() if anything else set(given) - by_name
    if takes_context:
        strange |= {"context"} & set(given)
    if missing:
        what = f"the function needs {', '.join(sorted(missing))}, which its parameters do not require"
    elif strange:
        what = f"the function does not take {', '.join(sorted(strange))}"
    else:
        return takes_context
    raise ConfigError(f"the tool {name!r}: {what}", "make the function's arguments and the schema the same")


__all__ = ["MAX_THREADS", "python_function"]
