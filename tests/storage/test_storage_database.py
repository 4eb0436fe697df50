from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from storage_databases import migrate, opened

from voicectl.conversation.turns import Turn
from voicectl.errors import ConfigError, StoreError
from voicectl.ports import CallInfo
from voicectl.storage import engine
from voicectl.storage.calls import Calls
from voicectl.storage.database import Database

CALL = CallInfo("CA1", "VX1", "+15550001", "+15550002")


def check(url: str, *, quick: bool = False) -> None:
    async def run() -> None:
        async with opened(url) as database:
            await database.check(quick=quick)

    asyncio.run(run())


def filled(path: Path) -> str:
    """A database of some hundred pages."""
    url = f"sqlite:///{path}"
    migrate(url)

    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            calls.begin_call(CALL)
            for order in range(200):
                calls.record_turn("CA1", Turn(order, "caller", "speech", 0.0, "many words " * 200))

    asyncio.run(run())
    return url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "voicectl.db",
        "mysql://u@h/d",
        "postgresql+asyncpg://u@h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=ro",
        "sqlite:///x.db?mode=ro",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Database.open(url)
    assert "VOICECTL_DATABASE_URL=" in refused.value.hint


def test_a_malformed_url_keeps_its_password_to_itself() -> None:
    with pytest.raises(ConfigError) as refused:
        Database.open("postgresql//u:secret@h/d")
    assert "secret" not in str(refused.value) + refused.value.hint


def test_postgresql_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError) as refused:
        Database.open("postgresql://u@h/d")
    assert refused.value.hint == "pip install 'voicectl[postgres]'"


def test_opening_touches_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(f"sqlite:///{tmp_path / 'calls.db'}") as database:
            await database.check()
            assert await database.state() == "empty"

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_reading_before_migrating_says_what_to_type(new_url: str) -> None:
    async def run() -> None:
        async with opened(new_url) as database:
            with pytest.raises(StoreError) as refused:
                await Calls(database).calls()
            if new_url.startswith("postgresql"):
                assert "missing or out of date" in refused.value.message
                assert "voicectl.storage.migrate" in refused.value.hint
            receipt = Calls(database).begin_call(CALL)
            with pytest.raises(StoreError):
                await receipt.wait()

    asyncio.run(run())


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    before = os.umask(0)
    try:

        async def run() -> None:
            async with opened(f"sqlite:///{path}") as database:
                await database.migrate()
                await Calls(database).begin_call(CALL).wait()
                modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
                assert modes == {"calls.db": 0o600, "calls.db-wal": 0o600, "calls.db-shm": 0o600}

        asyncio.run(run())
    finally:
        os.umask(before)


def test_how_sqlite_is_set_up(sqlite_url: str) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")

    async def run() -> list[object]:
        async with opened(sqlite_url) as database:
            return await database.run(
                lambda connection: [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
            ).result()

    full = 2
    assert asyncio.run(run()) == ["wal", full, 1, 5000, 1]


def test_whoever_writes_locks_first(sqlite_url: str) -> None:
    """A transaction that reads before it writes: with a deferred BEGIN another writer could slip in between, and the
    write would fail with SQLITE_BUSY_SNAPSHOT at once, whatever the busy timeout."""

    async def run() -> None:
        async with opened(sqlite_url) as database:
            other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0, check_same_thread=False)

            def read_then_write(connection) -> int:
                found = connection.exec_driver_sql("SELECT count(*) FROM relay_token").scalar()
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("DELETE FROM relay_token")
                connection.exec_driver_sql("INSERT INTO relay_token VALUES ('hash', 'CA1', '2026-01-01', NULL)")
                return found

            assert await database.run(read_then_write).result() == 0
            assert await database.run_apart(read_then_write_once(other)) == 1
            other.close()

    def read_then_write_once(other: sqlite3.Connection):
        def work(connection) -> int:
            found = connection.exec_driver_sql("SELECT count(*) FROM relay_token").scalar()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("DELETE FROM relay_token")
            connection.exec_driver_sql("DELETE FROM relay_token")
            return found

        return work

    asyncio.run(run())


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    url = filled(path)
    check(url)
    bytes_ = bytearray(path.read_bytes())
    pages = len(bytes_) // 4096
    for page in range(pages // 2, pages, 3):  # far from the schema, which is read in any case
        bytes_[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(bytes_)
    with pytest.raises(StoreError, match="damaged; it is never recreated") as refused:
        check(url)
    assert refused.value.code == 3
    assert "restore a backup" in refused.value.hint
    assert path.read_bytes() == bytes(bytes_)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("content", [b"notes, not a database. " * 300, b"x", b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_not_a_database_is_refused_and_left_alone(tmp_path: Path, content: bytes, quick: bool) -> None:
    path = tmp_path / "calls.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="never recreated") as refused:
        check(f"sqlite:///{path}", quick=quick)
    assert "restore a backup" in refused.value.hint
    with pytest.raises(StoreError):
        migrate(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened") as refused:
        check(f"sqlite:///{tmp_path}")
    assert refused.value.hint.endswith(f"ls -ld '{tmp_path}' '{tmp_path.parent}'")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    for act in (check, migrate):
        with pytest.raises(StoreError) as refused:
            act(f"sqlite:///{tmp_path}/none/calls.db")
        assert f"{tmp_path}/none" in refused.value.message + refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(sqlite_url: str) -> None:
    Path(sqlite_url.removeprefix("sqlite:///")).chmod(0)
    with pytest.raises(StoreError, match="cannot be opened"):
        check(sqlite_url)


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(engine, "PAUSES", (0.0,))
    with pytest.raises(StoreError, match="cannot reach the database") as refused:
        check("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in refused.value.message + refused.value.hint


def test_check_passes(url: str) -> None:
    check(url)
    check(url, quick=True)


def test_close_flushes_and_then_refuses(url: str) -> None:
    async def run() -> None:
        database = Database.open(url)
        calls = Calls(database)
        receipts = [calls.begin_call(CALL)]
        receipts += [calls.record_turn("CA1", Turn(n, "caller", "speech", n, "words")) for n in range(50)]
        await database.close()
        assert all(receipt.done for receipt in receipts)
        late = calls.record_turn("CA1", Turn(50, "caller", "speech", 0, "late"))
        assert not late.done
        with pytest.raises(StoreError, match="closed"):
            await late.wait()
        with pytest.raises(StoreError, match="closed"):
            await calls.turns("CA1")
        await database.close()
        async with opened(url) as again:
            assert len(await Calls(again).turns("CA1")) == 50

    asyncio.run(run())
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///") + "-wal").exists()


def test_errors_do_not_repeat_what_a_caller_said(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it in the error, its traceback or the log, though drivers quote the row or the words they refuse."""
    words = "my pin is 1234"
    no_time = Turn(0, "caller", "speech", None, words)  # type: ignore[arg-type]
    told = []

    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            await calls.begin_call(CALL).wait()
            for refused in (
                calls.record_turn("CA1", no_time).wait(),
                calls.record_turn("nobody", replace(no_time, at=0.0)).wait(),
                database.read(lambda connection: connection.execute(sa.table(words).select())),
            ):
                with pytest.raises(StoreError) as error:
                    await refused
                told.append("".join(traceback.format_exception(error.value)) + error.value.hint)

    with caplog.at_level("DEBUG"):
        asyncio.run(run())
    assert words not in "".join(told)
    assert len([record for record in caplog.records if record.name.startswith("voicectl")]) == 2
    assert words not in "".join(repr(record.__dict__) for record in caplog.records)


def test_the_command_to_migrate_shows_no_password() -> None:
    pytest.importorskip("psycopg")
    assert "secret" not in Database.open("postgresql://u:secret@h/d").migrate_command
    assert "postgresql://u@h/d" in Database.open("postgresql://u@h/d").migrate_command
