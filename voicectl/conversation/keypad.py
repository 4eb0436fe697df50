"""The keys of the caller's telephone, collected into what they mean.

Keys belong to a field: a run of them, ended by its length, by a key that says so, or by a pause. Where the agent has
asked for nothing and there is a menu, a key is a choice at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_KEYS = 64

Choice = Literal["say", "person", "goodbye", "repeat", "language"]


@dataclass(frozen=True, slots=True)
class KeyField:
    """Something that is keyed in: a PIN, an order number."""

    name: str = ""
    """As the model is told: "order number"; "" for keys that nobody asked for."""
    asked_by: str = ""
    """A regular expression; the agent asks for this field when it is found in what the agent said last."""
    length: int = 0
    """So many keys are complete at once; 0 for any number."""
    terminator: str = "#"
    """Ends the field at once; "" for none."""
    timeout: float = 2.0
    """Seconds after the last key, then the field is complete."""
    backspace: str = ""
    """Takes back the last key; "" for none."""
    sensitive: bool = False
    """Nobody is to read it: masked in journal, logs and storage. The model and its tools see it."""


@dataclass(frozen=True, slots=True)
class MenuChoice:
    """What a single key means."""

    key: str
    does: Choice = "say"
    text: str = ""
    """say: what the caller would say. person: to whom ("" is the usual one). language: which, "de-DE"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Keys that are complete."""

    keys: str
    field: KeyField
    choice: MenuChoice | None = None


class Keypad:
    """Collects the keys of a call."""

    def __init__(self, usual: KeyField, fields: Sequence[KeyField] = (), menu: Sequence[MenuChoice] = ()) -> None:
        self._usual = usual
        self._fields = {each.name: each for each in fields}
        self._asked = [(re.compile(each.asked_by, re.IGNORECASE), each) for each in fields if each.asked_by]
        self._menu = {each.key: each for each in menu}
        self._keys = ""
        self._opened: KeyField | None = None
        self._current = usual

    @property
    def field(self) -> KeyField:
        """What the keys are collected for."""
        return self._current

    @property
    def waiting(self) -> bool:
        """Keys have come that are not complete."""
        return bool(self._keys)

    def open(self, name: str) -> bool:
        """The caller is asked for this field; False when there is none of that name."""
        self._opened = self._fields.get(name)
        return self._opened is not None

    def answered(self) -> None:
        """The caller has said something instead: no field is open any more."""
        self._opened = None

    def press(self, key: str, asked: str) -> Entry | None:
        """A key was pressed; `asked` is what the agent said last. Returns the field that it completes."""
        if not self._keys:
            self._current = self._opened or self._asked_for(asked) or self._usual
            if self._current is self._usual and key in self._menu:
                return Entry(key, self._usual, self._menu[key])
        field = self._current
        if key == field.backspace and key:
            self._keys = self._keys[:-1]
            return None
        self._keys += key
        if key == field.terminator or len(self._keys) >= (field.length or MOST_KEYS):
            return self.complete()
        return None

    def complete(self) -> Entry | None:
        """No further key comes. A terminator alone is an entry too: some menus mean something by it."""
        keys, self._keys = self._keys, ""
        if not keys:
            return None
        field = self._current
        self._opened = None
        digits = keys.removesuffix(field.terminator) if field.terminator else keys
        return Entry(digits or keys, field)

    def _asked_for(self, asked: str) -> KeyField | None:
        return next((field for pattern, field in self._asked if pattern.search(asked)), None)
