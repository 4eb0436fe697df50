"""An event loop whose clock jumps: twenty seconds of call take two milliseconds.

`loop.time()` stands still while there is anything to do and moves straight to the next timer when there is not.
What counts as something to do:

- callbacks that are ready, and sockets the kernel reports as ready. Sockets are real. A UNIX-domain socket or a
  pipe delivers within the sender's system call, so asking the kernel once is enough. For any other socket the
  kernel is given `settle` seconds of real time before each jump, because loopback TCP may deliver a moment later.
- jobs of `run_in_executor`: they take real time, during which the clock stands still. A timeout around a job can
  therefore not expire while the job runs.

Other threads wake the loop with `call_soon_threadsafe`, but it does not wait for them when it has a timer to jump to.
Subprocesses are not supported. Code that reads `time.monotonic()` sees real time.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, TypeVarTuple, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_POLL = 0.001
"""Seconds of real time between two looks, while an executor job runs."""
_GRACE = 5.0
"""Seconds of real time in which a loop that was found stuck may clean up."""


class Stuck(RuntimeError):
    """A virtual loop used up its real time: it waits for something that does not come, or never comes to rest."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop described above. Its clock starts at 0.

    `real_timeout` seconds after its creation the loop raises Stuck out of whatever runs it (None: never); `settle`
    is the real time, in seconds, that sockets other than UNIX-domain ones get before each jump.
    """

    def __init__(self, *, real_timeout: float | None = None, settle: float = 0.001) -> None:
        self._now = 0.0
        self._jobs = 0
        self._workers: concurrent.futures.ThreadPoolExecutor | None = None
        self._bound: asyncio.TimerHandle | None = None
        self._settle = settle
        self._real_timeout = real_timeout
        self._deadline = None if real_timeout is None else time.monotonic() + real_timeout
        self._jumping = _JumpingSelector(self)
        super().__init__(self._jumping)
        self._own_sockets = frozenset(self._jumping.get_map())  # the pipe that call_soon_threadsafe writes to

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        if executor is None:
            if self._workers is None:
                self._workers = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="virtual")
                self.set_default_executor(self._workers)
            executor = self._workers
        job = executor.submit(func, *args)
        future = asyncio.wrap_future(job, loop=self)
        # After wrap_future's own callback: the result is on its way into the loop before the job counts as done.
        # A future that was given up does not end its thread; the job counts until the thread is through with it.
        self._jobs += 1
        job.add_done_callback(self._job_ends)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait for the threads in real time; asyncio's own waits with a timer, which here would expire at once."""
        if self._workers is not None:
            self._workers.shutdown(wait=True)

    def close(self) -> None:
        if not self.is_closed() and self._workers is not None:
            self._workers.shutdown(wait=True)
        super().close()

    def _job_ends(self, _: object) -> None:
        try:
            self.call_soon_threadsafe(self._job_done)
        except RuntimeError:
            pass  # the loop was closed, and somebody else's executor worked on

    def _job_done(self) -> None:
        self._jobs -= 1

    def _real_time_left(self) -> float | None:
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left > 0:
            return left
        waiting = "\n  ".join(repr(task) for task in asyncio.all_tasks(self))
        self._deadline = time.monotonic() + _GRACE
        raise Stuck(
            f"{self._real_timeout:g} real seconds passed at virtual time {self._now:g}; tasks:\n  {waiting or 'none'}"
        )


class _JumpingSelector(selectors.BaseSelector):
    """The operating system's selector, except that waiting for a timer moves the loop's clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()
        self._slow: set[int] = set()
        """Sockets whose data may arrive later than the sender's system call returns."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self._loop
        left = loop._real_time_left()
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            return self._real.select(left)
        if loop._jobs:
            return self._real.select(_POLL)
        if self._slow:
            ready = self._real.select(loop._settle)
            if ready:
                return ready
        loop._now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._real.register(fileobj, events, data)
        if _is_slow(key.fd):
            self._slow.add(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._real.unregister(fileobj)
        self._slow.discard(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


def _is_slow(fd: int) -> bool:
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        return False  # a pipe
    try:
        return sock.family != socket.AF_UNIX
    finally:
        sock.detach()


def run(
    main: Coroutine[Any, Any, T],
    *,
    timeout: float = 3600.0,
    real_timeout: float | None = 60.0,
    tidy: bool = False,
) -> T:
    """Run a coroutine in virtual time and return its result; tasks it leaves behind are cancelled.

    `timeout` is in virtual seconds (TimeoutError), `real_timeout` in real ones (Stuck). With `tidy`, AssertionError
    tells what the coroutine left behind although it ended well: see `leftovers`.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(real_timeout=real_timeout)) as runner:
        return runner.run(_bounded(main, timeout, tidy))


async def _bounded(main: Coroutine[Any, Any, T], seconds: float, tidy: bool) -> T:
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    task = asyncio.current_task()
    assert task is not None
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    bound = loop._bound = loop.call_later(seconds, expire)
    try:
        result = await main
    except asyncio.CancelledError:
        if expired:
            raise TimeoutError(f"{seconds:g} virtual seconds passed") from None
        raise
    finally:
        bound.cancel()
    if tidy:
        for _ in range(5):  # a closed transport reports its end, and its peer's, in the rounds that follow
            await asyncio.sleep(0)
        for _ in range(100):  # a thread that has handed over its result may not yet have said that it is through
            if not loop._jobs:
                break
            time.sleep(0.001)  # noqa: ASYNC251
            await asyncio.sleep(0)
        left = leftovers(loop)
        if left:
            raise AssertionError("left behind:\n  " + "\n  ".join(left))
    return result


def leftovers(loop: VirtualLoop) -> list[str]:
    """What is still going on in a loop: tasks other than the running one, timers not cancelled, sockets watched,
    executor jobs. One line of description each; empty when everything was put away."""
    running = asyncio.current_task(loop) if loop.is_running() else None
    found = [f"task {task!r}" for task in asyncio.all_tasks(loop) if task is not running]
    timers: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]  # no public door to them
    found += [f"timer {timer!r}" for timer in timers if not timer.cancelled() and timer is not loop._bound]
    found += [f"socket {_describe(fd)}" for fd in loop._jumping.get_map() if fd not in loop._own_sockets]
    if loop._jobs:
        found.append(f"{loop._jobs} executor jobs")
    return found


def _describe(fd: int) -> str:
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        return f"fd {fd}"
    try:
        return f"fd {fd} {sock.family!r}"
    finally:
        sock.detach()


__all__ = ["Stuck", "VirtualLoop", "leftovers", "run"]
