"""A deadline that moves with every token and costs next to nothing to move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Wait for one thing after the other, each with its own deadline on the loop's clock.

    asyncio.timeout() sets and cancels a timer for each wait. Here one timer serves them all: moving the deadline
    later only writes it down, and the timer, when it rings too early, is set again. It strikes only during wait(),
    never in what its owner does between two waits, and it tells its own cancellation of the task from somebody
    else's. Each wait may run in another task.
    """

    __slots__ = ("_due", "_loop", "_struck", "_task", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._due = 0.0
        self._struck = False

    async def wait(self, awaitable: Awaitable[T], due: float) -> T:
        """Await it until the loop's time `due` at the latest; then TimeoutError."""
        task = asyncio.current_task()
        assert task is not None
        self._due = due
        self._struck = False
        timer = self._timer
        if timer is None or due < timer.when():
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(due, self._ring)
        cancelled = task.cancelling()
        self._task = task
        try:
            result = await awaitable
        except asyncio.CancelledError:
            if self._struck and task.uncancel() <= cancelled:
                raise TimeoutError from None
            raise
        finally:
            self._task = None
        if self._struck:  # and the awaitable made nothing of it
            task.uncancel()
        return result

    def close(self) -> None:
        """Put the timer away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if self._task is None:
            return  # between two waits; the next one sets a timer
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._ring)
        else:
            self._struck = True
            self._task.cancel()
