from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voicectl.simulator.virtual_time import Stuck, VirtualLoop, leftovers, run


def now() -> float:
    return asyncio.get_running_loop().time()


def this_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_two_hours_pass_at_once() -> None:
    async def main() -> float:
        for _ in range(720):
            await asyncio.sleep(10)
        return now()

    began = time.monotonic()
    assert run(main(), timeout=8000) == pytest.approx(7200)
    assert time.monotonic() - began < 1


def test_tasks_run_in_the_order_of_their_clocks() -> None:
    seen: list[tuple[str, float]] = []

    async def beat(name: str, period: float, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(period)
            seen.append((name, round(now(), 6)))

    async def main() -> None:
        await asyncio.gather(beat("a", 0.3, 3), beat("b", 0.5, 2))

    run(main(), tidy=True)
    assert seen == [("a", 0.3), ("b", 0.5), ("a", 0.6), ("a", 0.9), ("b", 1.0)]


@contextlib.asynccontextmanager
async def echo_server(kind: str, tmp_path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A server that echoes lines, and a connection to it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            writer.write(line)
        writer.close()
        await writer.wait_closed()

    if kind == "unix":
        path = str(tmp_path / "echo")
        server = await asyncio.start_unix_server(echo, path)
        connection = await asyncio.open_unix_connection(path)
    else:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        connection = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield connection
    finally:
        connection[1].close()
        await connection[1].wait_closed()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_sockets_are_real_and_timers_do_not_overtake_them(kind: str, tmp_path: Path) -> None:
    async def main() -> tuple[int, float]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticker = asyncio.create_task(tick())
        async with echo_server(kind, tmp_path) as (reader, writer):
            for number in range(100):
                writer.write(b"%d\n" % number)
                assert await reader.readline() == b"%d\n" % number
            exchanged = now()
            await asyncio.sleep(1)
        ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticker
        return ticks, exchanged

    ticks, exchanged = run(main(), tidy=True)
    assert exchanged == 0, "a hundred round trips cost no virtual time"
    assert 98 <= ticks <= 102


def test_a_tcp_peer_that_needs_a_moment_is_given_it() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def echo_late() -> None:
        peer, _ = listening.accept()
        with peer:
            while data := peer.recv(100):
                time.sleep(0.01)
                peer.sendall(data)

    async def main() -> float:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        async with asyncio.timeout(60):
            for _ in range(3):
                writer.write(b"hello\n")
                assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
        return now()

    thread = threading.Thread(target=echo_late)
    thread.start()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(settle=5, real_timeout=20)) as runner:
        assert runner.run(main()) == 0
    thread.join()
    listening.close()


def test_a_megabyte_through_a_socket_takes_no_virtual_time(tmp_path: Path) -> None:
    async def main() -> float:
        async with echo_server("unix", tmp_path) as (reader, writer):
            data = b"x" * 60_000 + b"\n"
            for _ in range(20):
                writer.write(data)

            async def read() -> None:
                for _ in range(20):
                    assert await reader.readline() == data

            async with asyncio.timeout(0.001):
                await read()
        return now()

    assert run(main()) == 0


def test_the_clock_stands_still_while_an_executor_job_runs() -> None:
    async def main() -> float:
        async with asyncio.timeout(1):
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
            await asyncio.to_thread(time.sleep, 0.02)
        return now()

    assert run(main(), tidy=True) == 0


def test_a_timeout_still_ends_a_wait_beside_the_job() -> None:
    async def main() -> float:
        job = asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.02)
        await job
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        return now()

    assert run(main()) == 3


def test_a_job_nobody_waits_for_any_more_still_holds_the_clock() -> None:
    ended: list[float] = []

    async def main() -> None:
        loop = this_loop()

        def work() -> None:
            time.sleep(0.05)
            ended.append(loop.time())

        job = loop.run_in_executor(None, work)
        await asyncio.sleep(0)
        job.cancel()
        assert leftovers(loop) == ["1 executor jobs"]
        await asyncio.sleep(5)

    run(main(), tidy=True)
    assert ended == [0.0]


def test_call_soon_threadsafe_wakes_a_loop_without_timers() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Timer(0.02, lambda: loop.call_soon_threadsafe(answer.set_result, "here"))
        thread.start()
        word = await answer
        thread.join()
        return word

    # No virtual timeout: its timer would be jumped to.
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == "here"


def test_names_and_numeric_addresses_resolve() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(1):
            numeric = await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
            await loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        return [str(info[4][0]) for info in numeric]

    assert run(main()) == ["127.0.0.1"]


def test_virtual_timeout() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match="90 virtual seconds passed"):
        run(main(), timeout=90)


def test_a_timeout_of_the_coroutine_itself_is_passed_on() -> None:
    async def main() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        run(main())


@pytest.mark.parametrize("restless", [True, False])
def test_a_loop_that_gets_nowhere_is_stuck(restless: bool) -> None:
    async def main() -> None:
        while restless:
            await asyncio.sleep(0)
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.3)
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="virtual time 0; tasks:\n  <Task"):
        run(main(), real_timeout=0.1)


def test_leftovers_are_named() -> None:
    async def forgotten() -> None:
        await asyncio.sleep(1000)

    async def main() -> list[str]:
        loop = this_loop()
        assert leftovers(loop) == []
        task = asyncio.create_task(forgotten())
        handle = loop.call_later(5, print)
        ours, theirs = socket.socketpair()
        _, writer = await asyncio.open_connection(sock=ours)
        found = leftovers(loop)
        handle.cancel()
        task.cancel()
        writer.close()
        await writer.wait_closed()
        theirs.close()
        await asyncio.sleep(0)
        assert leftovers(loop) == []
        return found

    found = run(main(), tidy=True)
    kinds = [line.split()[0] for line in found]
    assert sorted(kinds) == ["socket", "task", "timer", "timer"], "one timer is the task's sleep"


def test_tidy_fails_when_a_task_is_left() -> None:
    async def main() -> None:
        main.task = asyncio.create_task(asyncio.sleep(1000))  # type: ignore[attr-defined]

    with pytest.raises(AssertionError, match="left behind:\n  task <Task"):
        run(main(), tidy=True)
    run(main())


def test_leftover_tasks_are_cancelled() -> None:
    ended: list[str] = []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("cancelled")

    async def main() -> None:
        main.task = asyncio.create_task(forgotten())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    run(main())
    assert ended == ["cancelled"]
