"""How long a call has become, by the clock, by its turns and by what the model has cost: a word of warning, then an
end with words. The hard cap does not live here, nor anywhere in the conversation (machine.py, rule 7)."""

from __future__ import annotations

from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.turns import Usage

_EARLIEST = 20.0
"""Seconds into the call; a warning before that would be among its first words."""


class CallLength:
    """Seconds are those into the call."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self.to_warn = False
        """The caller is to be told at the next pause."""
        self.at_its_end = False
        """The next reply is the last."""
        self.overdue = False
        """So by the clock: it is given at the next pause, even if the caller asks nothing."""
        self._warned = False
        self._turns = 0
        self._tokens = 0
        self._prompt = 0
        """Tokens of the latest prompt whose size is known."""

    def next_look(self, now: float) -> float | None:
        """When to look at the clock again."""
        whole, warning, last = self._manners.call_seconds, self._manners.warning, self._manners.wind_down
        if whole <= 0 or self.at_its_end:
            return None
        warn_at = whole - warning
        if warning > last and warn_at > _EARLIEST and not self._warned and warn_at > now:
            return warn_at
        return max(now, whole - last)

    def look(self, now: float) -> None:
        whole, warning = self._manners.call_seconds, self._manners.warning
        if now >= whole - self._manners.wind_down:
            self.to_warn, self.at_its_end, self.overdue = False, True, True
        elif now >= whole - warning:
            self.to_warn = self._warned = True

    def turn(self) -> None:
        """The caller has taken a turn that is answered."""
        self._turns += 1
        if 0 < self._manners.max_turns <= self._turns:
            self.at_its_end = True

    def spent(self, usage: Usage | None) -> None:
        """A reply was written."""
        if usage is not None:
            self._prompt = usage.prompt_tokens
            self._spend(usage.prompt_tokens + usage.completion_tokens)

    def cancelled(self, tokens: int) -> None:
        """A reply was stopped after so many tokens, reckoned. Its prompt is paid for too."""
        self._spend(tokens + self._prompt)

    def _spend(self, tokens: int) -> None:
        self._tokens += tokens
        if 0 < self._manners.max_tokens <= self._tokens:
            self.at_its_end = True

    def warning(self, phrases: Phrases, now: float) -> str:
        """What the caller is told; they are told once."""
        self.to_warn = False
        minutes = max(1, round((self._manners.call_seconds - now) / 60))
        one, several = phrases.minutes
        left = one if minutes == 1 else several.replace("{count}", str(minutes))
        return phrases.length_warning.replace("{minutes}", left)
