"""Databases for tests: migrated and empty, on SQLite always and on PostgreSQL where there is a server.

PostgreSQL: VOICECTL_TEST_POSTGRES names a server whose user may create databases; the tests make one of their own and
drop it. Without a server its tests are skipped, or fail if VOICECTL_REQUIRE_POSTGRES=1.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from voicectl.storage.database import Database
from voicectl.storage.tables import Table

SERVER = os.environ.get("VOICECTL_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
KINDS = ("sqlite", "postgresql")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        await database.close()


def migrate(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            await database.migrate()

    asyncio.run(run())


class Postgres:
    """A database of our own on the server, dropped by `close`; each test that needs one gets a schema in it."""

    def __init__(self) -> None:
        import psycopg

        name = f"voicectl_test_{secrets.token_hex(6)}"
        self._drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
        with psycopg.connect(SERVER, autocommit=True, connect_timeout=3) as server:
            server.execute(f'CREATE DATABASE "{name}"')
        self.url = f"{SERVER.rpartition('/')[0]}/{name}"
        self._migrated = ""

    def create(self) -> str:
        """The URL of a schema without tables."""
        import psycopg

        name = f"s{secrets.token_hex(6)}"
        with psycopg.connect(self.url) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}?options=-csearch_path%3D{name}"

    def empty(self) -> str:
        """The URL of the migrated schema, with nothing in it."""
        import psycopg

        if not self._migrated:
            self._migrated = self.create()
            migrate(self._migrated)
        with psycopg.connect(self._migrated) as connection:
            connection.execute(f"TRUNCATE {', '.join(Table.metadata.tables)} RESTART IDENTITY")
        return self._migrated

    def close(self) -> None:
        import psycopg

        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(self._drop)


@pytest.fixture(scope="session")
def postgres_or_reason() -> Iterator[Postgres | str]:
    try:
        postgres = Postgres()
    except Exception as error:
        yield f"no PostgreSQL at {SERVER}: {type(error).__name__}"
        return
    yield postgres
    postgres.close()


@pytest.fixture
def postgres(postgres_or_reason: Postgres | str) -> Postgres:
    if isinstance(postgres_or_reason, str):
        if os.environ.get("VOICECTL_REQUIRE_POSTGRES") == "1":
            pytest.fail(postgres_or_reason)
        pytest.skip(postgres_or_reason)
    return postgres_or_reason


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database with nothing in it."""
    shutil.copy(sqlite_template, tmp_path / "calls.db")
    return f"sqlite:///{tmp_path / 'calls.db'}"


@pytest.fixture
def postgresql_url(postgres: Postgres) -> str:
    """A migrated PostgreSQL database with nothing in it."""
    return postgres.empty()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database with nothing in it, of each kind in turn."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@dataclass
class Opened:
    """An open database and the event loop it is used on: for tests of many examples."""

    database: Database
    run: Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def kept_open(url: str) -> Iterator[Opened]:
    with asyncio.Runner() as runner:
        database = Database.open(url)
        yield Opened(database, runner.run)
        runner.run(database.close())


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    created: str = request.getfixturevalue("postgres").create()
    return created
