"""A script of replies, and reading it from YAML: see scripted.py for what it is for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args

import yaml

from voicectl.conversation.effects import Note
from voicectl.conversation.turns import Closing
from voicectl.errors import ConfigError, ReplyFailure

FIRST_TOKEN = 0.3
PER_TOKEN = 0.02


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A tool that a scripted reply calls."""

    name: str
    arguments: str = "{}"
    """As the model writes them: JSON, or not."""


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    say: str
    """{result} stands for what the last tool brought."""
    when: str = ""
    """Regular expression looked for in the caller's words; "" for a reply that is given in order."""
    closing: Closing | None = None
    fail: ReplyFailure | None = None
    after: int = 0
    """Words said before `fail`."""
    first_token: float | None = None
    """Seconds, in place of the script's."""
    per_token: float | None = None
    calls: tuple[ScriptedCall, ...] = ()
    note: Note | None = None
    """Given only to a request with this note."""
    after_tool: str = ""
    """Given only right after this tool was used."""


@dataclass(frozen=True, slots=True)
class Script:
    """A file of replies. Times in seconds."""

    replies: tuple[ScriptedReply, ...]
    first_token: float = FIRST_TOKEN
    per_token: float = PER_TOKEN


def read_script(path: Path, text: str) -> Script:
    """Read `text`; `path` is for the messages. ConfigError names the line and what to do."""
    loader = yaml.SafeLoader(text)
    try:
        return _Reader(path, loader).read(loader.get_single_node())
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: {bad.problem or 'not YAML'}", "mend the YAML there") from bad
    except yaml.YAMLError as bad:
        raise ConfigError(f"{path}: {bad}", "the file must be YAML in UTF-8") from bad
    finally:
        loader.dispose()


class _Reader:
    """Goes node by node, because only nodes know their lines."""

    def __init__(self, path: Path, loader: yaml.SafeLoader) -> None:
        self._path = path
        self._loader = loader

    def read(self, root: yaml.Node | None) -> Script:
        if root is None:
            raise ConfigError(f"{self._path}: holds no reply", "write replies: and a list of them")
        found = self._mapping(root, ("first_token", "per_token", "replies"), "the script")
        made = {name: self._seconds(name, found[name]) for name in ("first_token", "per_token") if name in found}
        replies = found.get("replies")
        if replies is None:
            self._fault(root, "there are no replies", "add replies: and a list of them")
        if not isinstance(replies, yaml.SequenceNode) or not replies.value:
            self._fault(replies, "replies is no list", "write each reply on a line of its own, after a dash")
        return Script(tuple(self._reply(node) for node in replies.value), **made)

    def _reply(self, node: yaml.Node) -> ScriptedReply:
        if isinstance(node, yaml.ScalarNode):
            return ScriptedReply(self._text("a reply", node))
        names = (
            *("say", "when", "closing", "fail", "after", "first_token", "per_token"),
            *("call", "note", "after_tool"),
        )
        found = self._mapping(node, names, "a reply")
        made: dict[str, Any] = {"say": self._text("say", found["say"]) if "say" in found else ""}
        if "when" in found:
            made["when"] = self._pattern(found["when"])
        for name, choices in (
            ("closing", get_args(Closing)),
            ("fail", get_args(ReplyFailure)),
            ("note", get_args(Note)),
        ):
            if name in found:
                made[name] = self._choice(name, found[name], choices)
        if "after" in found:
            made["after"] = self._count("after", found["after"])
        for name in ("first_token", "per_token"):
            if name in found:
                made[name] = self._seconds(name, found[name])
        if "after_tool" in found:
            made["after_tool"] = self._text("after_tool", found["after_tool"])
        if "call" in found:
            made["calls"] = self._calls(found["call"])
        if not made["say"] and not any(made.get(name) for name in ("closing", "fail", "calls")):
            self._fault(node, "a reply says nothing", "add say:, or call:, closing: or fail:")
        return ScriptedReply(**made)

    def _calls(self, node: yaml.Node) -> tuple[ScriptedCall, ...]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(self._call(each) for each in nodes)

    def _call(self, node: yaml.Node) -> ScriptedCall:
        found = self._mapping(node, ("name", "arguments"), "a call")
        if "name" not in found:
            self._fault(node, "a call has no name", "add name: and the tool's name")
        name = self._text("name", found["name"])
        if "arguments" not in found:
            return ScriptedCall(name)
        value = self._value(found["arguments"])
        if not isinstance(value, (str, dict)):
            self._fault(found["arguments"], "arguments are no mapping", "write name: value for each, or text")
        return ScriptedCall(name, value if isinstance(value, str) else json.dumps(value, default=str))

    def _mapping(self, node: yaml.Node, names: Sequence[str], what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, f"{what} is no mapping", f"write {what} as key: value, with {', '.join(names)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value not in names:
                self._fault(key, f"{what} has no key {key.value!r}", f"use {', '.join(names)}")
            if key.value in found:
                self._fault(key, f"{key.value} is there twice", "keep one of them")
            found[key.value] = value
        return found

    def _text(self, name: str, node: yaml.Node) -> str:
        value = self._value(node)
        if not isinstance(value, str) or not value.strip():
            self._fault(node, f"{name} is no text", "write words; put quotes around numbers and yes or no")
        return value.strip()

    def _pattern(self, node: yaml.Node) -> str:
        pattern = self._text("when", node)
        try:
            re.compile(pattern)
        except re.error as bad:
            self._fault(node, f"when is no regular expression: {bad}", "mend the expression, or put plain words there")
        return pattern

    def _choice(self, name: str, node: yaml.Node, choices: Sequence[str]) -> str:
        value = self._value(node)
        if value not in choices:
            self._fault(node, f"{name} cannot be {value!r}", f"use one of {', '.join(choices)}")
        return str(value)

    def _count(self, name: str, node: yaml.Node) -> int:
        value = self._value(node)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self._fault(node, f"{name} is no number of words", "write a whole number, 0 or more")
        return value

    def _seconds(self, name: str, node: yaml.Node) -> float:
        value = self._value(node)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
            self._fault(node, f"{name} is no time", "write seconds, for example 0.3")
        return float(value)

    def _value(self, node: yaml.Node) -> Any:
        return self._loader.construct_object(node, deep=True)

    def _fault(self, node: yaml.Node, what: str, hint: str) -> NoReturn:
        raise ConfigError(f"{self._path}, line {node.start_mark.line + 1}: {what}", hint)


__all__ = ["read_script"]
