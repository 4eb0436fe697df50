"""How a conversation went, counted once at its end."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from voicectl.conversation.turns import Turn
from voicectl.ports import CallSummary

_NO_FAILURES = ("interrupted", "overrun", "length", "hung_up")


def summary(turns: Sequence[Turn]) -> CallSummary:
    """Count a conversation's figures. A response is a caller's turn to the first token of the reply to it."""
    responses = [
        (turn.first_token_at - turn.at) * 1000
        for turn in turns
        if turn.kind == "reply" and turn.first_token_at is not None
    ]
    return CallSummary(
        turns=len(turns),
        interruptions=sum(turn.interrupted for turn in turns),
        reprompts=sum(turn.kind == "reprompt" for turn in turns),
        failures=sum(bool(turn.failure) and turn.failure not in _NO_FAILURES for turn in turns),
        response_p50_ms=statistics.median(responses) if responses else None,
        response_max_ms=max(responses, default=None),
        prompt_tokens=sum(turn.usage.prompt_tokens for turn in turns if turn.usage),
        completion_tokens=sum(turn.usage.completion_tokens for turn in turns if turn.usage),
        gained_ms=sum(turn.gained_ms or 0.0 for turn in turns),
        wasted_tokens=sum(turn.wasted_tokens for turn in turns),
    )
