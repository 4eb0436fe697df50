"""How the simulated reply model's server calls tools, and what it insists on when it is told of calls.

OpenAI streams a call as its id and name, then its arguments in pieces, all under the call's index. Other servers do
otherwise, in the ways that STYLES names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

STYLES = {
    "": "as OpenAI does",
    "whole": "each call whole, in one piece, all under index 0",
    "together": "all calls whole, in one piece",
    "bare": "in pieces, without index or id",
    "repeat": "in pieces that repeat id and name",
    "object": "arguments as an object",
    "woven": "the pieces of several calls in turn",
}


def call_pieces(
    style: str, calls: Sequence[tuple[str, str]], id_of: Callable[[int], str]
) -> Iterator[list[dict[str, Any]]]:
    """What each delta's `tool_calls` holds, for calls given as name and arguments."""
    whole = [_piece(at, id_of(at), name, arguments) for at, (name, arguments) in enumerate(calls)]
    match style:
        case "together":
            yield whole
        case "whole":
            yield from ([{**piece, "index": 0}] for piece in whole)
        case "object":
            for piece in whole:
                function = piece["function"]
                yield [{**piece, "function": {**function, "arguments": json.loads(function["arguments"])}}]
        case "woven":
            yield [_piece(at, id_of(at), name, "") for at, (name, _) in enumerate(calls)]
            for at in range(max((len(arguments) for _, arguments in calls), default=0)):
                for index, (_, arguments) in enumerate(calls):
                    if arguments[at : at + 1]:
                        yield [{"index": index, "function": {"arguments": arguments[at]}}]
        case _:
            for at, (name, arguments) in enumerate(calls):
                yield from ([piece] for piece in _pieces(style, at, id_of(at), name, arguments))


def broken_rule(messages: Sequence[Any]) -> tuple[str, int]:
    """What OpenAI's API would refuse these messages for, and the message it is about; "" for nothing.

    Of what it checks, what concerns tools: each call is answered by one tool message with its id, right after the
    message that holds it; a tool message answers a call; no id is there twice; names and arguments are text.
    """
    awaited: list[str] = []
    seen: set[str] = set()
    for at, message in enumerate(messages):
        role, calls = message.get("role"), message.get("tool_calls")
        if role == "tool":
            if message.get("tool_call_id") not in awaited:
                return "a message of the role 'tool' must answer a preceding message with 'tool_calls'", at
            awaited.remove(message["tool_call_id"])
        elif awaited:
            return f"these tool_call_ids did not have response messages: {', '.join(awaited)}", at
        if not isinstance(message.get("content"), str) and not (role == "assistant" and calls):
            return "content must be text", at
        if calls is None:
            continue
        if role != "assistant" or not calls:
            return "tool_calls belong to an assistant and are not empty", at
        for call in calls:
            function = call.get("function", {})
            if not call.get("id") or call["id"] in seen or call.get("type") != "function":
                return "a call needs an id of its own and a type", at
            if not function.get("name") or not isinstance(function.get("arguments"), str):
                return "a call needs a name, and its arguments as text", at
            seen.add(call["id"])
            awaited.append(call["id"])
    if awaited:
        return f"these tool_call_ids did not have response messages: {', '.join(awaited)}", len(messages)
    return "", 0


def _piece(index: int, id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _pieces(style: str, index: int, id: str, name: str, arguments: str) -> Iterator[dict[str, Any]]:
    middle = len(arguments) // 2
    for at, part in enumerate(("", arguments[:middle], arguments[middle:])):
        if style == "bare":
            yield {"function": {"name": name, "arguments": part} if at == 0 else {"arguments": part}}
        elif at == 0 or style == "repeat":
            yield _piece(index, id, name, part)
        else:
            yield {"index": index, "function": {"arguments": part}}


__all__ = ["STYLES", "broken_rule", "call_pieces"]
