"""What the agent says while a reply or a tool is awaited.

Rules
1. Never the same words twice in a row, whatever they were said for and in whatever language; capitals and punctuation
   make no difference. Where only the words just said are left, nothing is said.
2. Wordings take turns, each list by itself, so a call is told again exactly from its events.
3. A tool's own words come before the general ones.
4. Who is still waiting is told that the agent is still there, not what it does a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from voicectl.conversation.hearing.wording import bare
from voicectl.conversation.phrases import Phrases

Awaited = Literal["thinking", "looking_up", "tool"]
"""A reply; a reply that has something looked up first; what a tool brings."""


class Fillers:
    """Those of one call."""

    def __init__(self) -> None:
        self._last = ""
        self._next: dict[tuple[str, ...], int] = {}
        """Of each list of wordings, whose turn it is."""

    def choose(self, phrases: Phrases, awaited: Awaited, own: Sequence[str] = (), *, again: bool = False) -> str:
        """What to say now; "" is nothing. `own` are a tool's own words; `again`: something was said in this wait
        already."""
        if again:
            lists = [phrases.still_working]
        elif awaited == "tool":
            lists = [tuple(own), phrases.working]
        else:
            lists = [phrases.looking_up if awaited == "looking_up" else phrases.thinking]
        for wordings in lists:
            first = self._next.get(wordings, 0)
            for at in (each % len(wordings) for each in range(first, first + len(wordings))):
                plain = bare(wordings[at])
                if plain and plain != self._last:
                    self._last = plain
                    self._next[wordings] = at + 1
                    return wordings[at]
        return ""
