"""Tools that the reply model has called, until all of them are back and it can go on.

Several are at work side by side. A round that the caller has talked over is over; what its tools still bring is kept
in the history, and is not spoken.
"""

from __future__ import annotations

from collections.abc import Iterable

from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import ToolStatus


class ToolRound:
    """One turn of the caller: its rounds one after the other, and how often the model called tools wrongly."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._pending: set[str] = set()
        self._rounds = 0
        self._refusals = 0
        self.words: tuple[str, ...] = ()
        """What can be said meanwhile, of the first tool that has words of its own."""

    @property
    def open(self) -> bool:
        return bool(self._pending)

    @property
    def exhausted(self) -> bool:
        """The model has to answer without tools now."""
        return self._refusals >= self._manners.refusals or self._rounds >= self._manners.tool_rounds

    def begin(self, ids: Iterable[str], names: Iterable[str]) -> None:
        """`ids` of the calls, `names` of their tools."""
        self._pending = set(ids)
        self._rounds += 1
        of_their_own = (self._manners.tool_words.get(name, ()) for name in names)
        self.words = next((words for words in of_their_own if words), ())

    def returned(self, id: str, status: ToolStatus) -> bool:
        """True when it was the last one that the round waits for."""
        if id not in self._pending:
            return False
        self._pending.remove(id)
        self._refusals += status == "refused"
        return not self._pending

    def awaits(self, id: str) -> bool:
        return id in self._pending

    def late(self) -> set[str]:
        """The tools that have not returned; the round waits for them no longer."""
        pending, self._pending = self._pending, set()
        return pending
