"""One tool: what the reply model is told of it, what carries it out, and the check of what it is given."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec

from voicectl.errors import ConfigError
from voicectl.ports import ToolContext, ToolSpec

Arguments = Mapping[str, Any]
"""What the model gave, fitting the tool's schema."""

Run = Callable[[Arguments, ToolContext], Awaitable[object]]
"""Carries a tool out. Returns a ToolOutcome, or the result alone: text, or what can be made JSON."""

NOTHING: dict[str, object] = {"type": "object", "properties": {}}
"""The schema of a tool without arguments."""

CLOSINGS = ("end_call", "transfer_to_person")
"""Names of what the reply model can do in any case."""

_MAX_FAULT = 300


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. Raises ConfigError when its name or its schema is none."""

    spec: ToolSpec
    run: Run
    seconds: float = 6.0
    """A call that takes longer is given up."""
    check: Callable[[object], str] = field(init=False, repr=False)
    """What is wrong with arguments, in words that the model can act on; "" for nothing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", _checker(self.spec.name, self.spec.parameters))


def parse_schema(name: str, text: str) -> Mapping[str, object]:
    """A schema as the settings have it: JSON, or "" for a tool without arguments. ConfigError names the tool."""
    if not text.strip():
        return NOTHING
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (ValueError, RecursionError) as bad:
        raise ConfigError(
            f"the tool {name!r}: its parameters are no JSON object: {bad}",
            'write a JSON schema, for example {"type": "object", "properties": {"city": {"type": "string"}}}',
        ) from bad


def _checker(name: str, schema: Mapping[str, object]) -> Callable[[object], str]:
    import fastjsonschema  # with the first tool: whoever has none does not wait for it

    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", name):
        raise ConfigError(f"{name!r} is no name of a tool", "use letters, digits and _, at most 64")
    if schema.get("type") != "object":
        raise ConfigError(
            f"the tool {name!r}: its parameters are no object", 'the schema must have "type": "object" at the top'
        )

    def elsewhere(_: str) -> NoReturn:
        raise ValueError("a schema cannot refer to another document")

    schemes = ("http", "https", "ftp", "file", "data", "")
    try:
        validate = fastjsonschema.compile(
            dict(schema), handlers=dict.fromkeys(schemes, elsewhere), use_default=False, use_formats=False
        )
    except Exception as bad:  # the library raises whatever a schema makes it stumble over
        raise ConfigError(
            f"the tool {name!r}: its parameters are no JSON schema: {bad}", "mend the schema; see json-schema.org"
        ) from bad

    def check(arguments: object) -> str:
        try:
            validate(arguments)
        except fastjsonschema.JsonSchemaValueException as bad:
            return re.sub(r"^data\b\.?", "", bad.message).strip()[:_MAX_FAULT] or "they do not fit"
        return ""

    return check


__all__ = ["CLOSINGS", "NOTHING", "Arguments", "Run", "Tool", "parse_schema"]
