"""What the parts of a simulated call share: its timers, its dice, its knobs and the list of actions being made."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from voicectl.simulator.actions import Action
from voicectl.simulator.knobs import Knobs, Range


class Timer:
    """Something to be done at `when`. Setting `do` to None calls it off."""

    __slots__ = ("do", "when")

    def __init__(self, when: float, do: Callable[[], object]) -> None:
        self.when = when
        self.do: Callable[[], object] | None = do


class Stage:
    def __init__(self, knobs: Knobs, seed: int) -> None:
        self.knobs = knobs
        self.now = 0.0
        """Inside a timer: the time it was set for, so that a driver who comes late does not stretch the speech."""
        self._dice = random.Random(seed)
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._actions: list[Action] = []
        self._reacted = 0.0

    def emit(self, action: Action) -> None:
        self._actions.append(action)

    def take(self) -> list[Action]:
        """The actions made since the last take."""
        actions, self._actions = self._actions, []
        return actions

    def at(self, when: float, do: Callable[[], object]) -> Timer:
        """Do it at `when`; what is set for the same time is done in the order it was set."""
        timer = Timer(when, do)
        self._count += 1
        heapq.heappush(self._timers, (timer.when, self._count, timer))
        return timer

    def after(self, delay: Range, do: Callable[[], object]) -> Timer:
        return self.at(self.now + self.draw(delay), do)

    def react(self, do: Callable[[], object]) -> None:
        """Do it when Twilio's reaction to a frame of the application would arrive; reactions never overtake."""
        self._reacted = max(self._reacted, self.now + self.draw(self.knobs.delays.reaction))
        self.at(self._reacted, do)

    def draw(self, delay: Range) -> float:
        return 0.0 if self.knobs.fast else self._dice.uniform(*delay)

    def chance(self, share: float) -> bool:
        return self._dice.random() < share

    @property
    def due(self) -> float | None:
        while self._timers and self._timers[0][2].do is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def run(self, now: float) -> None:
        """Do all that is due by `now`, each thing at its own time."""
        while (due := self.due) is not None and due <= now:
            timer = heapq.heappop(self._timers)[2]
            do, timer.do = timer.do, None
            self.now = max(self.now, due)
            if do is not None:
                do()
        self.now = max(self.now, now)

    def clear(self) -> None:
        """Nothing more is going to happen."""
        self._timers.clear()
