"""Calls of tools, put together from the fragments that a stream brings. No I/O, no clock.

OpenAI sends a call's id and name first and then its arguments in pieces, all under the call's index. Other servers
repeat the name or the id in every piece, leave out index or id, send whole calls in one piece all under index 0, or
write arguments as an object. Where it is not clear whether a piece begins a call, it does if the last call is whole.

Arguments are kept as they were written, JSON or not: whoever carries the call out looks at that.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from voicectl.conversation.turns import ToolCall

MAX_ARGUMENTS = 64 * 1024
"""Characters; nothing that is meant to be done takes more."""
MAX_CALLS = 32

_NOTHING = msgspec.Raw(b"null")


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = _NOTHING  # text, or an object


class CallFragment(msgspec.Struct):
    """One item of a delta's `tool_calls`."""

    index: int | None = None
    id: str | int | None = None
    function: _Function | None = None


@dataclass(slots=True)
class _Call:
    index: int | None
    id: str
    name: str = ""
    arguments: str = ""

    @property
    def whole(self) -> bool:
        """Its arguments are an object, to the end."""
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(self.arguments)
        except (ValueError, RecursionError):
            return False
        return True


class Calls:
    """The calls of one reply."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, fragment: CallFragment) -> bool:
        """Take one piece. False when it is too much, or no piece of a call: the reply is then bad data."""
        function = fragment.function or _Function()
        name = function.name or ""
        id = "" if fragment.id is None else str(fragment.id)
        try:
            arguments = _text(function.arguments)
        except (ValueError, RecursionError):
            return False
        call = self._of(fragment.index, id, name, arguments)
        if call is None:
            if len(self._calls) >= MAX_CALLS:
                return False
            call = _Call(fragment.index, id)
            self._calls.append(call)
        call.id = call.id or id
        if name and name != call.name and not call.arguments:
            call.name += name
        call.arguments += arguments
        return len(call.arguments) <= MAX_ARGUMENTS

    def whole(self) -> tuple[ToolCall, ...]:
        """The calls, in the order in which they began; one without an id is given one. Those that have no name are
        none."""
        return tuple(
            ToolCall(call.id or f"call_{secrets.token_hex(8)}", call.name, call.arguments)
            for call in self._calls
            if call.name
        )

    def _of(self, index: int | None, id: str, name: str, arguments: str) -> _Call | None:
        """The call that a piece belongs to; None when it begins one."""
        begun = [call for call in self._calls if call.index == index] if index is not None else self._calls
        if not begun:
            return None
        last = begun[-1]
        if id and last.id and id != last.id:
            same = next((call for call in begun if call.id == id), None)
            return same if same is not None or name else last
        if id and last.id:
            return last
        if not name or not last.name:
            return last
        renamed = index is None and name != last.name
        return None if renamed or ((index is None or arguments) and last.whole) else last


def _text(arguments: msgspec.Raw) -> str:
    raw = bytes(arguments)
    if raw == b"null":
        return ""
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()


__all__ = ["MAX_ARGUMENTS", "MAX_CALLS", "CallFragment", "Calls"]
