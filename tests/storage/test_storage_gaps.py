"""Questions that were not answered, as the owner finds them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from storage_databases import opened

from voicectl.errors import StoreError
from voicectl.ports import Gap
from voicectl.storage.gaps import GapStore

NOON = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)
PARKING = Gap(NOON, "CA1", "Where can I park?", 0.21, "en-US", ("shop", "workshop"))
KAYAKS = Gap(NOON + timedelta(hours=1), "CA2", "Do you rent kayaks?")


def test_newest_first_with_all_that_is_known(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            assert await gaps.gaps() == []
            later = gaps.record_gap(KAYAKS)
            assert not later.done  # it returns at once
            assert await gaps.gaps() == [KAYAKS]  # and who reads finds what was written
            assert later.done
            await gaps.record_gap(PARKING).wait()
        async with opened(url) as database:
            found = await GapStore(database).gaps()
            assert found == [KAYAKS, PARKING]
            assert [each.at.utcoffset() for each in found] == [timedelta(0)] * 2

    asyncio.run(run())


def test_the_same_question_is_kept_each_time_it_is_asked(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            first, second = Gap(NOON, "CA1", "same"), Gap(NOON, "CA2", "same")
            for each in (first, first, second):
                gaps.record_gap(each)
            assert await gaps.gaps() == [second, first, first]  # of one moment, the last one first

    asyncio.run(run())


def test_since_a_moment_in_whatever_time_zone(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            gaps.record_gap(PARKING)
            gaps.record_gap(KAYAKS)
            assert await gaps.gaps(NOON) == [KAYAKS, PARKING]
            assert await gaps.gaps(NOON + timedelta(microseconds=1)) == [KAYAKS]
            elsewhere = timezone(timedelta(hours=-7))
            assert await gaps.gaps((NOON + timedelta(minutes=30)).astimezone(elsewhere)) == [KAYAKS]
            assert await gaps.gaps(KAYAKS.at + timedelta(seconds=1)) == []
            gaps.record_gap(Gap(KAYAKS.at.astimezone(elsewhere) + timedelta(seconds=5), "CA3", "Far away?"))
            assert [each.call_sid for each in await gaps.gaps()] == ["CA3", "CA2", "CA1"]

    asyncio.run(run())


def test_forgetting_them_says_how_many_there_were(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            assert await gaps.clear_gaps() == 0
            for receipt in [gaps.record_gap(each) for each in (PARKING, KAYAKS, PARKING)]:
                await receipt.wait()
            assert await gaps.clear_gaps() == 3
            assert await gaps.gaps() == [] and await gaps.clear_gaps() == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "question", ["ty\x00re", "\ud800 lone", "🚲", "", "'; DROP TABLE knowledge_gap; --", "x" * 9000]
)
def test_any_question_can_be_kept(url: str, question: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            await gaps.record_gap(Gap(NOON, "CA1", question, collections=(question,))).wait()
            (found,) = await gaps.gaps()
            kept = question.replace("\x00", "").replace("\ud800", "")
            assert found.question.replace("�", "").replace("?", "") == kept

    asyncio.run(run())


def test_a_write_whose_outcome_got_lost_is_done_again_and_stored_once(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
            commits: list[int] = []
            busy: Any = OSError()
            if database.is_sqlite:
                import sqlite3

                busy = sqlite3.OperationalError("database is locked")
                busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            else:
                import psycopg

                busy = psycopg.errors.SerializationFailure()

            def lose(connection: sa.Connection) -> None:
                commits.append(1)
                if len(commits) == 1:
                    driver: Any = connection.connection.dbapi_connection
                    driver.execute("COMMIT") if database.is_sqlite else driver.commit()
                    raise OperationalError("COMMIT", None, busy)

            sa.event.listen(database.engine, "commit", lose)
            await gaps.record_gap(PARKING).wait()
            sa.event.remove(database.engine, "commit", lose)
            assert len(commits) == 2
            assert await gaps.gaps() == [PARKING]

    asyncio.run(run())


def test_a_database_that_is_closed_refuses_and_the_receipt_says_so(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            gaps = GapStore(database)
        receipt = gaps.record_gap(PARKING)
        assert not receipt.done and isinstance(receipt.failed, StoreError)
        with pytest.raises(StoreError):
            await receipt.wait()

    asyncio.run(run())
