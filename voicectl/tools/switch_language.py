"""switch_language: the call goes on in another of its languages."""

from __future__ import annotations

from collections.abc import Sequence

from voicectl.ports import ToolContext, ToolOutcome, ToolSpec
from voicectl.tools.tool import Arguments, Tool


def switch_language(languages: Sequence[str]) -> Tool:
    """The tool, for a call that can be held in these languages."""
    spec = ToolSpec(
        "switch_language",
        "From now on hear and speak another language. Use it when the caller speaks that language or asks for it, and "
        "then go on in it.",
        {
            "type": "object",
            "properties": {"language": {"type": "string", "enum": list(languages)}},
            "required": ["language"],
            "additionalProperties": False,
        },
    )

    async def run(arguments: Arguments, context: ToolContext) -> object:
        language = str(arguments["language"])
        if language == context.language:
            return f"The call is held in {language} already."
        return ToolOutcome(f"The call is now held in {language}. Go on in it.", language=language)

    return Tool(spec, run)


__all__ = ["switch_language"]
