"""The movable deadline: strikes in time, only while waiting, and leaves other cancellations alone."""

from __future__ import annotations

import asyncio

import pytest

from voicectl.llm._deadline import Deadline
from voicectl.simulator.virtual_time import run


def test_strikes_at_its_time_and_not_before():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop)
        assert await deadline.wait(asyncio.sleep(2.9, "done"), 3.0) == "done"
        with pytest.raises(TimeoutError):
            await deadline.wait(asyncio.sleep(9), 4.0)
        assert loop.time() == pytest.approx(4.0)
        deadline.close()

    run(main(), tidy=True)


def test_moving_it_later_sets_no_new_timer():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop)
        timers = []
        real = loop.call_at
        loop.call_at = lambda when, *rest, **more: timers.append(when) or real(when, *rest, **more)  # type: ignore
        for _ in range(100):
            await deadline.wait(_turn(), loop.time() + 5.0)
        assert timers == [5.0]
        for _ in range(20):
            await deadline.wait(asyncio.sleep(1.0), loop.time() + 5.0)
        # asyncio.sleep's own timers aside, one each time the deadline's rang too early
        assert len(timers) - 1 - 20 == pytest.approx(20 / 5, abs=1)
        deadline.close()

    run(main(), tidy=True)


async def _turn() -> None:
    await asyncio.sleep(0)


def test_an_earlier_deadline_is_kept():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop)
        await deadline.wait(_turn(), 10.0)
        with pytest.raises(TimeoutError):
            await deadline.wait(asyncio.sleep(20), 1.0)
        assert loop.time() == pytest.approx(1.0)
        deadline.close()

    run(main(), tidy=True)


def test_between_two_waits_nothing_is_struck():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        faults: list[object] = []
        loop.set_exception_handler(lambda _, context: faults.append(context))
        deadline = Deadline(loop)
        await deadline.wait(_turn(), 1.0)
        await asyncio.sleep(5)  # the owner is busy with something else, well past the deadline
        assert await deadline.wait(asyncio.sleep(1, "in time"), loop.time() + 2) == "in time"
        with pytest.raises(TimeoutError):
            await deadline.wait(asyncio.sleep(9), loop.time() - 1)  # and one that has passed strikes at once
        assert loop.time() == pytest.approx(6.0)
        assert faults == []
        deadline.close()

    run(main(), tidy=True)


def test_a_cancellation_from_outside_stays_one():
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def waits() -> None:
            deadline = Deadline(loop)
            try:
                await deadline.wait(asyncio.sleep(9), 5.0)
            finally:
                deadline.close()

        task = asyncio.create_task(waits())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        both = asyncio.create_task(waits())
        await asyncio.sleep(0)
        loop.call_at(5.0, both.cancel)  # in the same round as the deadline
        with pytest.raises(asyncio.CancelledError):
            await both

    run(main(), tidy=True)


def test_works_inside_a_timeout_of_somebody_else():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop)
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await deadline.wait(asyncio.sleep(9), 2.0)
            await asyncio.sleep(1)  # the task is not left half cancelled
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await deadline.wait(asyncio.sleep(9), loop.time() + 5)
        assert loop.time() == pytest.approx(4.0)
        deadline.close()

    run(main(), tidy=True)


def test_something_that_swallows_the_cancellation_still_returns():
    async def stubborn() -> str:
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            return "anyway"
        return "late"

    async def main() -> None:
        deadline = Deadline(asyncio.get_running_loop())
        assert await deadline.wait(stubborn(), 1.0) == "anyway"
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
        deadline.close()

    run(main(), tidy=True)
