"""What stands in a file, a variable or a flag, as the value of a setting."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any, get_args, get_origin, get_type_hints

from voicectl.settings.whole import SettingInfo


def convert(kind: Any, raw: Any, row: SettingInfo) -> Any:
    """The value as the setting's type; ValueError says in plain words what is wrong."""
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if isinstance(raw, str):
            raw = [part.strip() for part in raw.split("|") if part.strip()]
        if not isinstance(raw, (list, tuple)):
            raise ValueError("must be a list")
        if dataclasses.is_dataclass(item):
            return tuple(_nested(item, each) for each in raw)
        return tuple(convert(item, each, row) for each in raw)
    options = get_args(kind)
    if options:  # X | None
        kind = next(each for each in options if each is not type(None))
        if raw is None:
            return None
    if kind is bool:
        if isinstance(raw, bool):
            return raw
        word = str(raw).strip().lower()
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
        raise ValueError("must be true or false")
    if kind in (int, float):
        if isinstance(raw, bool):
            raise ValueError("must be a number")
        try:
            number = kind(raw)
        except (TypeError, ValueError, OverflowError):
            raise ValueError("must be a whole number" if kind is int else "must be a number") from None
        if number != number or (kind is int and isinstance(raw, float) and raw != number):
            raise ValueError("must be a whole number" if kind is int else "must be a number")
        if (row.low is not None and number < row.low) or (row.high is not None and number > row.high):
            low = "" if row.low is None else f"at least {row.low:g}"
            high = "" if row.high is None else f"at most {row.high:g}"
            raise ValueError("must be " + " and ".join(part for part in (low, high) if part))
        return number
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise ValueError("must be text")
    text = str(raw)
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must be text in UTF-8")
    if row.choices and text not in row.choices:
        same = {choice.lower(): choice for choice in row.choices}
        if text.lower() in same:
            return same[text.lower()]
        raise ValueError("must be one of " + ", ".join(choice or '""' for choice in row.choices))
    return text


def _nested(cls: Any, body: Any) -> Any:
    if not isinstance(body, dict):
        raise ValueError("must be a table")
    kinds = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    given: dict[str, Any] = {}
    for name, raw in body.items():
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            raise ValueError(f"has no key {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
        f = fields[name]
        given[name] = convert(kinds[name], raw, SettingInfo(name, kinds[name], f.default, **f.metadata))
    return cls(**given)
