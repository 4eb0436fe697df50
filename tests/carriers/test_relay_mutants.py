"""A million structured mutants of frames through the decoder: none raises, none leaks, none yields unusable text."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from relay_recordings import sample_frames

from voicectl.carriers._relay import BadFrame, Frame, decode, to_event

MUTANTS = 1_000_000 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 200_000
CANARY = "4929123412341234"
HOSTILE = [
    *["null", "true", "false", "0", "-1", "1.5", "1e999", "-0", "NaN", "Infinity", "9" * 25, '""', "[]", "{}", "'x'"],
    *[
        f'"{CANARY}"',
        CANARY,
        '"\\u0000"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\ude00"',
        '"\x00"',
        '"\n"',
        '"\xff"',
    ],
    *['"on"', '"off"', '"7"', '"-7"', '"1e3"', '"\\"', '"type"', '{"type":"dtmf","digit":"1"}', "[[[]]]", "\ufeff1"],
]
HUGE = [
    *["9" * 5000, "[" * 900 + "]" * 900, "[" * 20_000, '{"a":' * 5_000, '{"":' * 300 + "1" + "}" * 300],
    *['"' + "x" * 70_000 + '"', '"' + "é" * 9_000 + '"'],
]
KEYS = [
    "type",
    "last",
    "lang",
    "digit",
    "name",
    "value",
    "from",
    "to",
    "",
    "\\u0000",
    "__class__",
    CANARY,
    "\\ud800",
    "é",
]
WHY = re.compile(
    r"too long|not Unicode text|nested too deeply|not JSON|not an object|no type"
    r"|(setup|prompt|dtmf|interrupt|error|info): bad [A-Za-z]+"
)


def object_text(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"


class Mutator:
    """Edits frames as trees and as bytes. Byte flips alone die in the JSON parser and find nothing behind it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.frames: dict[str, list[list[tuple[str, str]]]] = {}
        for frame in sample_frames():
            pairs = [(key, json.dumps(value, ensure_ascii=False)) for key, value in frame.items()]
            self.frames.setdefault(frame["type"], []).append(pairs)
        self.kinds = list(self.frames)
        self.edits: list[Callable[[list[tuple[str, str]]], list[tuple[str, str]]]] = [
            *[self.drop, self.duplicate, self.swap, self.hostile, self.hostile],
            *[self.add, self.rename, self.wrap, self.shuffle],
        ]

    def pairs(self) -> list[tuple[str, str]]:
        return list(self.dice.choice(self.frames[self.dice.choice(self.kinds)]))

    def mutant(self) -> bytes:
        pairs = self.pairs()
        for _ in range(self.dice.choice((0, 1, 1, 1, 2, 3))):
            if pairs:
                pairs = self.dice.choice(self.edits)(pairs)
        data = object_text(pairs).encode("utf-8", "surrogatepass")
        roll = self.dice.random()
        if roll < 0.10:
            data = self.flip(data)
        elif roll < 0.17:
            data = data[: self.dice.randrange(len(data) + 1)]
        elif roll < 0.24:
            other = object_text(self.pairs()).encode()
            data = data[: self.dice.randrange(len(data) + 1)] + other[self.dice.randrange(len(other) + 1) :]
        elif roll < 0.26:
            data = self.dice.choice((b"[%b]", b'{"frame":%b}', b"%b%b", b"\xef\xbb\xbf%b", b" %b\n", b'"%b"')).replace(
                b"%b", data
            )
        return data

    def at(self, pairs: list[tuple[str, str]]) -> int:
        return self.dice.randrange(len(pairs))

    def drop(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        del pairs[self.at(pairs)]
        return pairs

    def duplicate(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        key, value = pairs[self.at(pairs)]
        pairs.insert(self.at(pairs), (key, self.dice.choice((value, self.dice.choice(HOSTILE)))))
        return pairs

    def swap(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        a, b = self.at(pairs), self.at(pairs)
        pairs[a], pairs[b] = (pairs[a][0], pairs[b][1]), (pairs[b][0], pairs[a][1])
        return pairs

    def hostile(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        at = self.at(pairs)
        pairs[at] = (pairs[at][0], self.dice.choice(HUGE if self.dice.random() < 0.005 else HOSTILE))
        return pairs

    def add(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        pairs.insert(self.at(pairs), (self.dice.choice(KEYS), self.dice.choice(HOSTILE)))
        return pairs

    def rename(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        at = self.at(pairs)
        pairs[at] = (self.dice.choice(KEYS), pairs[at][1])
        return pairs

    def wrap(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        at = self.at(pairs)
        key, value = pairs[at]
        pairs[at] = (key, self.dice.choice((f"[{value}]", f'{{"value":{value}}}', json.dumps(value))))
        return pairs

    def shuffle(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        self.dice.shuffle(pairs)
        return pairs

    def flip(self, data: bytes) -> bytes:
        edited = bytearray(data)
        for _ in range(self.dice.randrange(1, 4)):
            if edited:
                edited[self.dice.randrange(len(edited))] = self.dice.choice(
                    (self.dice.randrange(256), 0, 34, 92, 123, 255)
                )
        return bytes(edited)


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for text in pair]
    return [value] if isinstance(value, str) else []


def sound(frame: Frame) -> None:
    if isinstance(frame, BadFrame):
        assert WHY.fullmatch(frame.why), frame
        return
    for value in msgspec.structs.astuple(frame):
        for text in strings(value):
            assert "\0" not in text
            text.encode()  # no lone surrogate came through


def test_mutants_never_raise() -> None:
    mutator = Mutator(7)
    kinds: Counter[str] = Counter()
    for number in range(MUTANTS):
        raw: bytes | str = mutator.mutant()
        if number % 2 and isinstance(raw, bytes):
            raw = raw.decode("utf-8", "surrogateescape")
        frame = decode(raw)
        kinds[type(frame).__name__] += 1
        sound(frame)
        to_event(frame, 1.0)
    # The mutants reach behind the parser: every kind of outcome is common.
    assert set(kinds) == {"Setup", "Prompt", "Dtmf", "Interrupt", "Error", "Info", "Unknown", "BadFrame"}
    assert min(kinds.values()) > MUTANTS // 200, kinds
