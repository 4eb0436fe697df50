"""Whether an agent's replies may be begun before its callers' words are final.

A reply that was begun too early is thrown away, and paid for. So of the latest guesses of an agent, over all its calls,
no more than a given share may be in vain; else there are none for a while, and then it is tried again.
"""

from __future__ import annotations

from collections import deque

WINDOW = 40
"""Guesses that are looked at."""
ENOUGH = 10
"""Fewer prove nothing."""
PAUSE_TURNS = 30
"""Turns without a guess, before it is tried again."""


class GuessBudget:
    """`most_wasted`: the share of guesses, 0..1, that may be in vain."""

    def __init__(self, most_wasted: float) -> None:
        self.most_wasted = most_wasted
        self._latest: deque[bool] = deque(maxlen=WINDOW)
        self._pause = 0
        self.used = 0
        self.wasted = 0
        """Guesses since the process began."""

    @property
    def on(self) -> bool:
        return not self._pause

    def note(self, used: bool) -> bool:
        """A guess was of use, or was not. True when that uses the budget up."""
        self.used += used
        self.wasted += not used
        self._latest.append(used)
        in_vain = self._latest.count(False)
        if self.on and len(self._latest) >= ENOUGH and in_vain > self.most_wasted * len(self._latest):
            self._pause = PAUSE_TURNS
            return True
        return False

    def turn(self) -> bool:
        """A caller was answered. True when guesses are allowed again from now on."""
        if self.on:
            return False
        self._pause -= 1
        if self._pause:
            return False
        self._latest.clear()
        return True
