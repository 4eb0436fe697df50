"""Tools that were used, as the chat API is told of them.

A call is part of an assistant's message; a message of the role "tool" for each call has to follow at once, with the
call's id, which no other call has. Servers refuse anything else, and some of them a call whose arguments are no JSON or
whose name is none. So a call is never told without its result, ids that are there twice are told apart, and arguments
that make no sense (they were refused, as the result says) are told as none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from voicectl.conversation.turns import Line, ToolUse
from voicectl.llm.cleaning import clean

NO_RESULT = "(no result)"
_MAX_ARGUMENTS = 4_000
"""Characters; longer ones are not worth being told again."""
_LEAST = 20
"""Characters that a use counts for at the least."""
_NO_ID = re.compile(r"[^\w.-]", re.ASCII)
_NO_NAME = re.compile(r"[^\w-]", re.ASCII)


def weight(line: Line) -> int:
    """The characters that a line and the tools used after it take."""
    if not line.tools:
        return len(line.text)
    return len(line.text) + sum(
        max(_LEAST, min(len(use.call.arguments), _MAX_ARGUMENTS) + len(use.result)) for use in line.tools
    )


def add_tools(told: list[dict[str, Any]], uses: Sequence[ToolUse], ids: set[str]) -> None:
    """Tell of the tools used after the last message. `ids` are those of the calls told so far."""
    if not uses:
        return
    names = [_id(use.call.id, ids) for use in uses]
    calls = [
        {"id": id, "type": "function", "function": {"name": _name(use), "arguments": _arguments(use.call.arguments)}}
        for id, use in zip(names, uses, strict=True)
    ]
    if told[-1]["role"] == "assistant":
        told[-1]["tool_calls"] = calls
    else:
        told.append({"role": "assistant", "content": None, "tool_calls": calls})
    for id, use in zip(names, uses, strict=True):
        told.append({"role": "tool", "tool_call_id": id, "content": clean(use.result) or NO_RESULT})


def _id(given: str, ids: set[str]) -> str:
    plain = id = _NO_ID.sub("_", given)[:48] or "call"
    number = 2
    while id in ids:
        id, number = f"{plain}.{number}", number + 1
    ids.add(id)
    return id


def _name(use: ToolUse) -> str:
    return _NO_NAME.sub("_", use.call.name)[:64] or "_"


def _arguments(text: str) -> str:
    """A JSON object, whatever the model wrote."""
    if len(text) > _MAX_ARGUMENTS:
        return "{}"
    try:
        given = msgspec.json.decode(text)
        return clean(msgspec.json.encode(given).decode()) if isinstance(given, dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


__all__ = ["NO_RESULT", "add_tools", "weight"]
