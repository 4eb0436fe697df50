"""The log of a conversation: one line of JSON for each event, with the effects it had.

    {"v": 1, "event": {"t": "CallerSpoke", "at": 3.0, …}, "effects": [{"t": "RecordTurn", …}, …]}

The log is complete: a new Conversation that is given the events in this order returns the same effects. `replay`
checks that, and names the first line where it is not so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation import turns
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners

VERSION = 1
_TYPES: dict[str, Any] = {
    cls.__name__: cls
    for module in (ev, fx, turns)
    for cls in vars(module).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type)
}


def step(event: ev.Event, effects: Sequence[fx.Effect]) -> str:
    """One line of the log, without the line end."""
    data = {"v": VERSION, "event": _plain(event), "effects": [_plain(effect) for effect in effects]}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def read(line: str) -> tuple[ev.Event, list[fx.Effect]]:
    """The event and effects of one line. Raises ValueError when it is none of ours."""
    try:
        data = json.loads(line)
        if data["v"] != VERSION:
            raise ValueError(f"journal version {data['v']!r}, this is {VERSION}")
        return _value(data["event"]), [_value(effect) for effect in data["effects"]]
    except (KeyError, TypeError) as bad:
        raise ValueError(f"not a line of a journal: {bad!r}") from bad


def replay(manners: Manners, lines: Iterable[str]) -> tuple[int, str, str] | None:
    """Feed a log's events to a new conversation. None when every line comes out the same, byte for byte; else the
    number of the first line that differs (from 1), the line as logged and the line as it comes out now."""
    conversation = Conversation(manners)
    for number, line in enumerate(lines, 1):
        event, _ = read(line)
        now = step(event, conversation.handle(event))
        if now != line:
            return number, line, now
    return None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"t": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _value(data: Any) -> Any:
    if isinstance(data, dict):
        fields = {name: _value(each) for name, each in data.items() if name != "t"}
        return _TYPES[data["t"]](**fields)
    if isinstance(data, list):
        return tuple(_value(each) for each in data)
    return data
