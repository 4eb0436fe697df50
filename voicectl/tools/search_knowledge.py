"""search_knowledge: the reply model looks something up in the documents by itself, in words of its own."""

from __future__ import annotations

from collections.abc import Sequence

from voicectl.conversation.excerpts import excerpts
from voicectl.conversation.questions import read_question
from voicectl.conversation.turns import Line
from voicectl.errors import StoreError
from voicectl.ports import Inquiry, Knowledge, ToolContext, ToolOutcome, ToolSpec
from voicectl.tools.tool import Arguments, Tool

SPEC = ToolSpec(
    "search_knowledge",
    "Look something up in the company's documents. Use it when the reference passages do not have what is needed, or "
    "when the caller has asked for several things: once for each.",
    {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": 400,
                "description": "A whole question, in the language of the call, understood without the conversation.",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    },
)
_EACH = 600
"""Characters of one passage."""


def search_knowledge(knowledge: Knowledge, collections: Sequence[str], *, seconds: float = 3.0) -> Tool:
    """The tool, over this knowledge base and these collections of it."""

    async def run(arguments: Arguments, context: ToolContext) -> object:
        query = str(arguments["query"])
        inquiry = Inquiry((Line("caller", query),), context.language, tuple(collections))
        try:
            found = await knowledge.search(inquiry)
        except StoreError:
            return ToolOutcome("The documents cannot be looked into right now.", "failed")
        if not found.passages:
            return "Nothing was found in the documents."
        texts = excerpts(read_question(query), found.passages)
        pieces = [
            f"{passage.title}\n{text if len(text) <= _EACH else text[: _EACH - 1] + '…'}"
            for passage, text in zip(found.passages, texts, strict=True)
        ]
        return "\n\n".join(pieces)

    return Tool(SPEC, run, seconds)


__all__ = ["SPEC", "search_knowledge"]
