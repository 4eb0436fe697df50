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
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from storage_databases import opened

from voicectl.conversation.turns import Line, Passage
from voicectl.errors import StoreError
from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import Contents, Inquiry, NewChunk, NewDocument, Scope, ShelvedPassage, StoredDocument
from voicectl.storage import engine as engines
from voicectl.storage.calls import Calls
from voicectl.storage.database import MIGRATIONS
from voicectl.storage.knowledge import KnowledgeStore
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


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def of_revision_0001(connection: sa.Connection) -> None:
    """A database as the first version left it: with two documents, and a call."""
    upgrade(connection, "0001")
    for statement in (
        "INSERT INTO knowledge_document (source, digest, title, version)"
        " VALUES ('kb/hours.md', 'd1', 'Hours', 4), ('kb/tyres.md', 'd2', 'Tyres', 1)",
        "INSERT INTO knowledge_chunk (document_id, chunk_order, title, text) VALUES"
        " (1, 0, 'Hours > Weekdays', 'We open at nine and close at six.'),"
        " (1, 1, 'Hours > Sunday', 'On Sundays the workshop is closed.'),"
        " (2, 0, 'Tyres', 'A new tyre costs thirty pounds.')",
        "INSERT INTO call_session (sid, session, caller, called, direction, language, agent, status, status_rank,"
        " status_sequence, started_at, answered_at, end_reason, resume_count, generation) VALUES"
        " ('CA1', 'VX1', '+1', '+2', 'inbound', 'en-US', 'default', 'in-progress', 4, NULL,"
        " '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000', '', 0, 1)",
        "INSERT INTO conversation_turn (call_sid, turn_order, role, kind, at, generated, heard, said, interrupted,"
        " done, generation, failure, passages, lang) VALUES"
        " ('CA1', 0, 'caller', 'speech', 1.5, 'When?', 'When?', '', false, true, 0, '',"
        """ '[{"id": 7, "title": "Hours", "text": "We open", "source": "kb/hours.md", "score": 1.0}]', 'en-US')""",
        "INSERT INTO call_event (uid, call_sid, at, kind, data) VALUES ('u1', 'CA1', 0.5, 'started', '{}')",
    ):
        connection.exec_driver_sql(statement)


KEPT = ("call_session", "conversation_turn", "call_event", "call_analytics", "relay_token", "system_metric")


def rows_of_calls(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    # The names are those above.
    return {
        name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]  # noqa: S608
        for name in KEPT
    }


def test_what_the_first_version_stored_is_kept_and_found(new_url: str) -> None:
    async def run() -> None:
        async with opened(new_url) as database:
            if database.is_sqlite:
                engines.create_file(Path(database.url.database or ""))
            await database.run_apart(of_revision_0001)
            before = await database.read(rows_of_calls)
            assert await database.state() == "behind"
            if not database.is_sqlite:
                with pytest.raises(StoreError, match="older version"):
                    await database.prepare()
                await database.migrate()
            await database.prepare()
            assert await database.state() == "current"

            store = KnowledgeStore(database)
            assert await store.documents() == [
                StoredDocument("kb/hours.md", "d1", "Hours", 2, 4),
                StoredDocument("kb/tyres.md", "d2", "Tyres", 1, 1),
            ]
            contents = await store.contents({})
            assert contents == Contents(
                0,
                (Scope(1, 4, "kb/hours.md"), Scope(2, 1, "kb/tyres.md")),
                (
                    ShelvedPassage(
                        Passage(1, "Hours > Weekdays", "We open at nine and close at six.", "kb/hours.md"), 1, ""
                    ),
                    ShelvedPassage(
                        Passage(2, "Hours > Sunday", "On Sundays the workshop is closed.", "kb/hours.md"), 1, ""
                    ),
                    ShelvedPassage(Passage(3, "Tyres", "A new tyre costs thirty pounds.", "kb/tyres.md"), 2, ""),
                ),
            )
            assert [passage.id for passage in await store.search(["tyre"], limit=4)] == [3]
            index = KnowledgeIndex(store)
            found = await index.search(Inquiry((Line("caller", "How much is a new tyre?"),)))
            await index.close()
            assert found.outcome == "answer" and found.passages[0].id == 3

            after = await database.read(rows_of_calls)
            as_before = {
                name: [row[: len(old)] for row, old in zip(after[name], rows, strict=True)]
                for name, rows in before.items()
            }
            assert as_before == before and before["conversation_turn"]
            (turn,) = await Calls(database).turns("CA1")
            assert (turn.tool, turn.resumes, turn.gained_ms, turn.wasted_tokens, turn.sensitive) == (
                None, None, None, 0, False,
            )  # fmt: skip
            assert turn.passages == (Passage(7, "Hours", "We open", "kb/hours.md", 1.0),)

            await store.replace([NewDocument("kb/tyres.md", "d3", "Tyres", (NewChunk("T", "t", 2, "t"),))], [])
            contents = await store.contents({1: 4})
            assert contents.version == 1 and contents.scopes[1] == Scope(2, 2, "kb/tyres.md")
            (new,) = contents.passages
            assert new.stems == "t" and new.passage.page == 2 and new.passage.id > 3

    asyncio.run(run())
