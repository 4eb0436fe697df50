"""send_keys: the agent presses keys towards the other side, whose menu may ask for them."""

from __future__ import annotations

from voicectl.ports import ToolContext, ToolOutcome, ToolSpec
from voicectl.tools.tool import Arguments, Tool

SPEC = ToolSpec(
    "send_keys",
    "Press keys of the telephone towards the other side. Use it only when an automated menu on the line asks for keys.",
    {
        "type": "object",
        "properties": {
            "digits": {
                "type": "string",
                "pattern": "^[0-9*#w]{1,32}$",
                "description": "The keys: 0-9, * and #; w waits half a second. At most 32.",
            },
        },
        "required": ["digits"],
        "additionalProperties": False,
    },
)


def send_keys() -> Tool:
    """The tool."""

    async def run(arguments: Arguments, context: ToolContext) -> object:
        return ToolOutcome("The keys are pressed.", digits=str(arguments["digits"]))

    return Tool(SPEC, run)


__all__ = ["SPEC", "send_keys"]
