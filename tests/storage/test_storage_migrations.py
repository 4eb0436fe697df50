from __future__ import annotations

import asyncio
import os
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from storage_databases import opened

from voicectl.errors import StoreError
from voicectl.storage.tables import Table, is_modelled

ROOT = Path(__file__).parents[2]


def shell(command: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "VOICECTL_DATABASE_URL"}
    # The shell is the point: these are lines that people are told to type.
    return subprocess.run(  # noqa: S602
        command, shell=True, cwd=cwd, env=clean | environ, capture_output=True, text=True, timeout=60
    )


async def state_of(url: str) -> str:
    async with opened(url) as database:
        return await database.state()


def differences(url: str, metadata: sa.MetaData) -> list[Any]:
    def compare(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": is_modelled, "compare_type": True, "compare_server_default": True},
        )
        return list(compare_metadata(context, metadata))

    async def run() -> list[Any]:
        async with opened(url) as database:
            return await database.read(compare)

    return asyncio.run(run())


def test_models_and_migrations_agree(url: str) -> None:
    assert differences(url, Table.metadata) == []


def test_the_comparison_sees_a_difference(url: str) -> None:
    changed = sa.MetaData()
    for table in Table.metadata.tables.values():
        table.to_metadata(changed)
    changed.tables["call_session"].append_column(sa.Column("mood", sa.Text))
    assert [each[0] for each in differences(url, changed)] == ["add_column"]


def test_empty_then_current(new_url: str) -> None:
    async def run() -> None:
        async with opened(new_url) as database:
            assert await database.state() == "empty"
            await database.migrate()
            assert await database.state() == "current"
            await database.migrate()
            assert await database.state() == "current"

    asyncio.run(run())


def test_tables_of_a_newer_version_are_left_alone(new_url: str) -> None:
    async def run() -> None:
        async with opened(new_url) as database:
            await database.migrate()
            await database.run(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")).wait()
            assert await database.state() == "ahead"
            for refused in (database.migrate, database.prepare):
                with pytest.raises(StoreError, match="newer version"):
                    await refused()

    asyncio.run(run())


def test_a_migration_that_fails_leaves_nothing_behind(new_url: str) -> None:
    async def run() -> None:
        async with opened(new_url) as database:

            def stop(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
                if "knowledge_chunk" in statement:
                    raise OSError(5, "pulled the plug")

            sa.event.listen(database.engine, "before_cursor_execute", stop)
            with pytest.raises(StoreError):
                await database.migrate()
            sa.event.remove(database.engine, "before_cursor_execute", stop)
            assert await database.state() == "empty"
            assert await database.read(lambda c: sa.inspect(c).get_table_names()) == []
            await database.migrate()
            assert await database.state() == "current"

    asyncio.run(run())


def test_only_sqlite_migrates_by_itself(new_url: str, tmp_path: Path) -> None:
    async def prepare() -> str:
        async with opened(new_url) as database:
            await database.prepare()
            return await database.state()

    if new_url.startswith("sqlite"):
        assert asyncio.run(prepare()) == "current"
        return
    with pytest.raises(StoreError, match="has no tables yet") as refused:
        asyncio.run(prepare())
    typed = shell(refused.value.hint, tmp_path)
    assert (typed.returncode, typed.stdout) == (0, "the database is up to date now\n"), typed.stderr
    assert asyncio.run(prepare()) == "current"


def test_migrating_what_is_up_to_date_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m voicectl.storage.migrate"
    again = shell(command, tmp_path, VOICECTL_DATABASE_URL=sqlite_url)
    assert (again.returncode, again.stdout, again.stderr) == (0, "the database was up to date\n", "")


def test_migrate_command_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database at all, but long enough to look at" * 100)
    command = f"{shlex.quote(sys.executable)} -m voicectl.storage.migrate"
    refused = shell(command, tmp_path, VOICECTL_DATABASE_URL="sqlite:///notes.db")
    assert refused.returncode == 3
    assert "is not a SQLite database" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_alembic_as_typed_in_a_checkout(new_url: str) -> None:
    alembic = f"{shlex.quote(sys.executable)} -m alembic"
    upgraded = shell(f"{alembic} upgrade head", ROOT, VOICECTL_DATABASE_URL=new_url)
    assert upgraded.returncode == 0, upgraded.stderr
    assert asyncio.run(state_of(new_url)) == "current"


def test_the_sql_of_a_migration_can_be_read_first(tmp_path: Path) -> None:
    alembic = f"{shlex.quote(sys.executable)} -m alembic"
    sql = shell(f"{alembic} upgrade head --sql", ROOT, VOICECTL_DATABASE_URL=f"sqlite:///{tmp_path / 'x.db'}")
    assert sql.returncode == 0, sql.stderr
    connection = sqlite3.connect(":memory:")
    connection.executescript(sql.stdout)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert set(Table.metadata.tables) <= names
    assert not (tmp_path / "x.db").exists()


def test_several_processes_migrate_at_once(new_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "voicectl.storage.migrate"]
    environ = os.environ | {"VOICECTL_DATABASE_URL": new_url}
    racers = [subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [racer.communicate(timeout=60)[1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], ends
    assert asyncio.run(state_of(new_url)) == "current"
