"""Frames of the application, judged as Twilio judges them.

Bad is: not JSON, not an object, a `type` nobody knows (all "malformed"), or a known type with a field missing or of the
wrong kind ("invalid"). Keys that nobody asked for are tolerated. `config`, `hints` and the newer keys of `language`
are accepted unread: their schemas are not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

Frame = dict[str, Any]


class BadFrame(ValueError):
    """Answered with an error 64107. `known` tells that the type at least was a known one."""

    def __init__(self, raw: str, *, known: bool) -> None:
        super().__init__(raw)
        self.raw = raw
        self.known = known


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _media_url(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _digits(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9w#*]+", value) is not None


Fields = dict[str, Callable[[Any], bool]]
TYPES: dict[str, tuple[Fields, Fields]] = {
    # type: (required fields, optional fields)
    "text": (
        {"token": _string},
        {"last": _boolean, "lang": _string, "interruptible": _boolean, "preemptible": _boolean},
    ),
    "play": ({"source": _media_url}, {"loop": _count, "preemptible": _boolean, "interruptible": _boolean}),
    "sendDigits": ({"digits": _digits}, {}),
    "language": ({}, {"ttsLanguage": _string, "transcriptionLanguage": _string}),
    "end": ({}, {"handoffData": _string}),
    "config": ({}, {}),
    "hints": ({}, {}),
}


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def read(data: str | bytes) -> Frame:
    """The frame, or BadFrame. A binary message is malformed whatever is in it."""
    if isinstance(data, bytes):
        raise BadFrame(data.decode("utf-8", "replace"), known=False)
    try:
        frame = json.loads(data, parse_constant=_not_json)
    except (ValueError, RecursionError):
        raise BadFrame(data, known=False) from None
    kind = frame.get("type") if isinstance(frame, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        raise BadFrame(data, known=False)
    required, optional = TYPES[kind]
    good = all(name in frame and check(frame[name]) for name, check in required.items()) and all(
        check(frame[name]) for name, check in optional.items() if name in frame
    )
    if kind == "language" and not ("ttsLanguage" in frame or "transcriptionLanguage" in frame):
        good = False
    if not good:
        raise BadFrame(data, known=True)
    assert isinstance(frame, dict)
    return frame
