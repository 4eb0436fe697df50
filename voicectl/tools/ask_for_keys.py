"""ask_for_keys: the next keys that the caller presses are for a field, with its length, its end and its secrecy."""

from __future__ import annotations

from collections.abc import Sequence

from voicectl.ports import ToolContext, ToolOutcome, ToolSpec
from voicectl.settings import KeyFieldSettings
from voicectl.tools.tool import Arguments, Tool


def ask_for_keys(fields: Sequence[KeyFieldSettings]) -> Tool:
    """The tool, for an agent with these fields."""
    endings = {each.name: _ending(each) for each in fields}
    spec = ToolSpec(
        "ask_for_keys",
        "Get ready for something that the caller keys in on the telephone. Use it right before you ask for it.",
        {
            "type": "object",
            "properties": {"field": {"type": "string", "enum": [each.name for each in fields]}},
            "required": ["field"],
            "additionalProperties": False,
        },
    )

    async def run(arguments: Arguments, context: ToolContext) -> object:
        name = str(arguments["field"])
        return ToolOutcome(f"Ready. Now ask the caller to key in the {name}{endings[name]}.", field=name)

    return Tool(spec, run)


def _ending(field: KeyFieldSettings) -> str:
    if field.length:
        return f", {field.length} keys"
    spoken = {"#": "the hash key", "*": "the star key"}.get(field.terminator, field.terminator)
    return f" and to press {spoken} at the end" if spoken else ""


__all__ = ["ask_for_keys"]
