from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from storage_databases import opened

from voicectl.conversation.turns import Turn
from voicectl.errors import StoreError
from voicectl.ports import CallEvent, CallInfo, CallSummary, Receipt
from voicectl.storage import engine
from voicectl.storage.calls import Calls
from voicectl.storage.database import Database


def call(sid: str = "CA1") -> CallInfo:
    return CallInfo(sid, f"VX-{sid}", "+15550001", "+15550002")


def turn(order: int, words: str = "words") -> Turn:
    return Turn(order, "caller", "speech", float(order), words, heard=words, done=True)


@contextmanager
def counted(database: Database, event: str) -> Iterator[list[None]]:
    """How often something happens to the database's transactions."""
    seen: list[None] = []

    def count(*_: Any) -> None:
        seen.append(None)

    sa.event.listen(database.engine, event, count)
    try:
        yield seen
    finally:
        sa.event.remove(database.engine, event, count)


async def outcomes(receipts: list[Receipt]) -> list[bool]:
    """For each receipt whether the write is durable."""
    for receipt in receipts:
        try:
            await receipt.wait()
        except StoreError:
            assert receipt.failed is not None
            assert not receipt.done
        else:
            assert receipt.failed is None
            assert receipt.done
    return [receipt.done for receipt in receipts]


class Gate:
    """Holds the writer's thread inside a transaction until it is opened."""

    def __init__(self, database: Database) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        self.receipt = database.run(self._hold)

    def _hold(self, connection: sa.Connection) -> None:
        self.reached.set()
        assert self._open.wait(30)

    async def is_reached(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.reached.wait, 30)

    def open(self) -> None:
        self._open.set()


def test_writes_share_a_commit(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            await outcomes([calls.begin_call(call(f"CA{n}")) for n in range(50)])
            with counted(database, "commit") as commits:
                gate = Gate(database)
                await gate.is_reached()
                receipts = []
                for order in range(10):
                    receipts += [calls.record_turn(f"CA{n}", turn(order)) for n in range(50)]
                    receipts += [calls.record_event(f"CA{n}", CallEvent(0.0, "key")) for n in range(50)]
                    await asyncio.sleep(0)
                assert not any(receipt.done for receipt in receipts)
                gate.open()
                assert all(await outcomes(receipts))
            assert len(commits) == 2  # the gate's, and one for the thousand that waited

    asyncio.run(run())


def test_rows_of_one_statement_are_sent_together(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            with counted(database, "before_cursor_execute") as statements:
                calls.begin_call(call())
                for order in range(100):
                    calls.record_turn("CA1", turn(order))
                    calls.record_event("CA1", CallEvent(0.0, "key"))
                await calls.end_call("CA1", "hung_up", CallSummary()).wait()
            # BEGIN (SQLite's alone is a statement), call, turns, events, and three to end the call.
            assert len(statements) == 6 + database.is_sqlite

    asyncio.run(run())


def test_the_order_of_writing_is_kept(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            calls.begin_call(call())
            finished: list[int] = []

            async def note(number: int, receipt: Receipt) -> None:
                await receipt.wait()
                finished.append(number)

            async with asyncio.TaskGroup() as tasks:
                for number in range(200):
                    receipt = calls.record_turn("CA1", turn(number % 3, f"version {number}"))
                    tasks.create_task(note(number, receipt))
                    if number % 7 == 0:
                        await asyncio.sleep(0)
            assert finished == list(range(200))
            assert [each.generated for each in await calls.turns("CA1")] == [f"version {n}" for n in (198, 199, 197)]

    asyncio.run(run())


def test_a_refused_write_leaves_its_neighbours_alone(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            await calls.begin_call(call()).wait()
            gate = Gate(database)
            await gate.is_reached()
            receipts = [
                calls.record_turn("CA1", turn(0)),
                calls.record_turn("nobody", turn(0)),
                calls.record_turn("CA1", turn(1)),
                calls.record_turn("CA1", turn(2**70)),
                calls.end_call("nobody", "hung_up", CallSummary()),
                calls.record_event("CA1", CallEvent(0.0, "key")),
                calls.record_turn("CA1", turn(2)),
            ]
            gate.open()
            assert await outcomes(receipts) == [True, False, True, False, False, True, True]
            assert [each.order for each in await calls.turns("CA1")] == [0, 1, 2]
            assert len(await calls.events("CA1")) == 1
            assert await calls.call("nobody") is None
            assert await outcomes([calls.record_turn("CA1", turn(3))]) == [True]

    asyncio.run(run())


def test_who_gives_up_waiting_does_not_stop_the_others(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            gate = Gate(database)
            receipt = calls.begin_call(call())
            waiting = [asyncio.create_task(receipt.wait()) for _ in range(3)]
            await gate.is_reached()
            waiting[1].cancel()
            await asyncio.wait([waiting[1]])
            gate.open()
            await asyncio.wait_for(asyncio.gather(waiting[0], waiting[2]), 30)
            assert receipt.done

    asyncio.run(run())


def test_whoever_writes_and_reads_finds_what_was_written(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            for order in range(20):
                if order == 0:
                    calls.begin_call(call())
                calls.record_turn("CA1", turn(order))
                assert len(await calls.turns("CA1")) == order + 1
            calls.record_turn("nobody", turn(0))
            assert len(await calls.turns("CA1")) == 20

    asyncio.run(run())


def test_another_process_that_holds_the_file_delays_and_loses_nothing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process lets go only when our writer has given up once: the busy timeout is not what saves us."""
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.02)

    async def run() -> None:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if other.in_transaction:
                other.execute("COMMIT")

        monkeypatch.setattr(engine.time, "sleep", pause)
        async with opened(sqlite_url) as database:
            calls = Calls(database)
            receipts = [calls.begin_call(call())] + [calls.record_turn("CA1", turn(order)) for order in range(20)]
            assert all(await outcomes(receipts))
            assert len(await calls.turns("CA1")) == 20
        other.close()
        assert pauses == [engine.PAUSES[0]]

    asyncio.run(run())


def test_a_file_that_stays_locked_is_reported(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.0)
    monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))

    async def run() -> None:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        async with opened(sqlite_url) as database:
            calls = Calls(database)
            refused = calls.begin_call(call())
            with pytest.raises(StoreError, match="locked by another process"):
                await refused.wait()
            other.execute("COMMIT")
            assert await outcomes([calls.begin_call(call())]) == [True]
        other.close()

    asyncio.run(run())


def test_a_full_disk_refuses_and_recovers(sqlite_url: str) -> None:
    async def run() -> None:
        async with opened(sqlite_url) as database:
            calls = Calls(database)
            await calls.begin_call(call()).wait()
            pages = database.run(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
            room = await pages.result() + 4

            def set_limit(number: int) -> Any:
                return database.run(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={number}").scalar()).result()

            await set_limit(room)
            receipts = [calls.record_turn("CA1", turn(0)), calls.record_turn("CA1", turn(1, "x" * 100_000))]
            assert await outcomes(receipts) == [True, False]
            assert "make room" in getattr(receipts[1].failed, "hint", "")
            assert [each.order for each in await calls.turns("CA1")] == [0]
            await set_limit(1_000_000)
            assert await outcomes([calls.record_turn("CA1", turn(1, "x" * 100_000))]) == [True]

    asyncio.run(run())


def test_a_failed_sync_is_not_tried_again(sqlite_url: str) -> None:
    async def run() -> None:
        async with opened(sqlite_url) as database:
            calls = Calls(database)
            await calls.begin_call(call()).wait()
            attempts: list[None] = []

            def fail(*_: Any) -> None:
                attempts.append(None)
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error

            sa.event.listen(database.engine, "commit", fail)
            with counted(database, "connect") as connects:
                receipts = [calls.record_turn("CA1", turn(order)) for order in range(3)]
                assert await outcomes(receipts) == [False, False, False]
                assert len(attempts) == 1
                sa.event.remove(database.engine, "commit", fail)
                assert await outcomes([calls.record_turn("CA1", turn(9))]) == [True]
                assert len(connects) == 1  # the connection that failed was given up

    asyncio.run(run())


@pytest.mark.parametrize("broken", ["before", "after"])
def test_a_broken_connection_is_mended(postgresql_url: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server drops our connection before the commit, or after it but before we hear of it: the transaction is
    done again, and nothing is stored twice."""
    monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))

    async def run() -> None:
        async with opened(postgresql_url) as database:
            calls = Calls(database)
            await calls.begin_call(call()).wait()
            broke: list[None] = []

            def cut(connection: sa.Connection) -> None:
                if broke:
                    return
                broke.append(None)
                driver: Any = connection.connection.dbapi_connection
                if broken == "after":
                    driver.commit()
                with database.engine.connect() as other:
                    other.execute(sa.select(sa.func.pg_terminate_backend(driver.info.backend_pid)))
                if broken == "after":
                    driver.execute("SELECT 1")  # raises, where the commit should have returned

            sa.event.listen(database.engine, "commit", cut)
            receipts: list[Receipt] = [calls.record_turn("CA1", turn(order)) for order in range(5)]
            receipts += [calls.record_event("CA1", CallEvent(float(n), "key")) for n in range(5)]
            receipts.append(calls.begin_call(CallInfo("CA1", "VX-second", "+1", "+2")))
            assert all(await outcomes(receipts))
            assert broke
            assert len(await calls.turns("CA1")) == 5
            assert [event.at for event in await calls.events("CA1")] == [0.0, 1.0, 2.0, 3.0, 4.0]
            stored = await calls.call("CA1")
            assert stored is not None
            assert stored.resume_count == 1

    asyncio.run(run())


def test_reading_survives_a_broken_connection(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))

    async def run() -> None:
        async with opened(postgresql_url) as database:
            calls = Calls(database)
            await calls.begin_call(call()).wait()
            assert len(await calls.calls()) == 1
            everybody_else = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await database.run(lambda c: c.exec_driver_sql(everybody_else).all()).wait()
            assert len(await calls.calls()) == 1

    asyncio.run(run())


def test_what_takes_long_is_not_in_the_way_of_a_turn(postgresql_url: str) -> None:
    async def run() -> None:
        async with opened(postgresql_url) as database:
            calls = Calls(database)
            release = threading.Event()

            def ingest(connection: sa.Connection) -> None:
                connection.exec_driver_sql("SELECT 1")
                assert release.wait(30)

            ingesting = asyncio.create_task(database.run_apart(ingest))
            await asyncio.sleep(0)
            await asyncio.wait_for(calls.begin_call(call()).wait(), 20)
            release.set()
            await ingesting

    asyncio.run(run())
