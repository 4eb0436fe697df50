"""The database of a process: one engine, and the only threads that touch it.

    writer      one thread; turns, events and everything small: group commit (writer.py)
    readers     a few threads; each reads in a transaction of its own
    apart       one thread; what takes long and must not be in the way of a turn: ingests, migrations, checks

All blocking work goes through `loop.run_in_executor`, so a loop that jumps over waiting can see it is outstanding.
Reading waits for what this process has put before: whoever writes and then reads finds what was written.

Nothing is opened before it is used. Every method raises StoreError for whatever goes wrong with the database.
"""

from __future__ import annotations

import asyncio
import shlex
import sqlite3
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from voicectl.errors import StoreError
from voicectl.storage import engine as engines
from voicectl.storage.tables import Table, table_of
from voicectl.storage.writer import Ticket, Writer

T = TypeVar("T")

State = Literal["current", "behind", "empty", "ahead"]

MIGRATIONS = "voicectl:storage/migrations"


class Database:
    def __init__(self, url: URL, engine: Engine) -> None:
        self.url = url
        self.engine = engine
        self._write_thread = ThreadPoolExecutor(1, "voicectl-writer")
        self._read_threads = ThreadPoolExecutor(engines.READERS, "voicectl-reader")
        self._apart_thread = ThreadPoolExecutor(1, "voicectl-apart")
        self._writer = Writer(engine, self._write_thread, self._explain)
        self._closed = False

    @classmethod
    def open(cls, url: str) -> Database:
        """The database at `sqlite:///path` or `postgresql://user@host/name`. Connects when first used.

        Raises ConfigError for a malformed URL, a database that is not supported, or a driver that is not installed.
        """
        parsed = engines.parse(url)
        return cls(parsed, engines.create(parsed))

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def migrate_command(self) -> str:
        """What a person types to migrate this database. Shows no password: then it must be in the environment."""
        command = f"{shlex.quote(sys.executable)} -m voicectl.storage.migrate"
        if self.url.password:
            return command
        url = f"sqlite:///{self.url.database}" if self.is_sqlite else str(self.url.set(drivername="postgresql"))
        return f"VOICECTL_DATABASE_URL={shlex.quote(url)} {command}"

    # --- for the stores ------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Connection], T], *, after_writes: bool = True) -> T:
        """What `work` finds, in a transaction that does not write. It may be done more than once.

        It finds all that this process has put before, unless not `after_writes`: then it does not wait for the disk.
        """
        if after_writes:
            await self._writer.settled()
        return await self._off_loop(self._read_threads, partial(self._transact, self.engine, work))

    def put(self, statement: Executable, row: dict[str, Any]) -> Ticket[None]:
        """Write a row. See Writer.put."""
        return self._writer.put(statement, row)

    def run(self, work: Callable[[Connection], T]) -> Ticket[T]:
        """Write something small. See Writer.run."""
        return self._writer.run(work)

    async def run_apart(self, work: Callable[[Connection], T]) -> T:
        """Write something big, in a transaction of its own that no turn waits for. It may be done more than once."""
        return await self._off_loop(self._apart_thread, partial(self._transact, engines.writing(self.engine), work))

    def insert(self, model: type[Table]) -> postgresql.Insert:
        """INSERT with ON CONFLICT, in this database's dialect."""
        # The two classes are alike in everything used here.
        build: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        statement: postgresql.Insert = build(table_of(model))
        return statement

    # --- its condition -------------------------------------------------------------------------------------

    async def check(self, *, quick: bool = False) -> None:
        """Return when the database can be reached and read; raise StoreError with what to do otherwise.

        A SQLite file is read whole to find damage, unless `quick`. One that is not there is well: migrating makes
        it, if its directory exists.
        """
        await self._off_loop(self._apart_thread, partial(self._check, quick))

    async def state(self) -> State:
        """How the tables stand to this version: "empty" has none, "ahead" was made by another, newer version."""
        return await self._off_loop(self._apart_thread, self._state)

    async def migrate(self) -> None:
        """Bring the tables up to this version, all or nothing. A SQLite file that is not there is made."""
        await self._off_loop(self._apart_thread, self._migrate)

    async def prepare(self) -> None:
        """What `serve` does first: SQLite is migrated, any other database has to be up to date already."""
        state = await self.state()
        if state == "current":
            return
        if self.is_sqlite or state == "ahead":
            await self.migrate()
        else:
            state_is = "has no tables yet" if state == "empty" else "has the tables of an older version"
            raise StoreError(f"the database {self._shown} {state_is}", self.migrate_command)

    async def close(self) -> None:
        """Wait until everything put is durable or refused, then let go of the database. Nothing is lost."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await asyncio.get_running_loop().run_in_executor(self._write_thread, self._let_go)
        self._write_thread.shutdown()

    # --- in the threads ------------------------------------------------------------------------------------

    @staticmethod
    def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with engine.begin() as connection:
                return work(connection)

        return engines.persist(once)

    def _check(self, quick: bool) -> None:
        if self.is_sqlite and self._is_new():
            if not self._path.parent.is_dir():
                raise StoreError(
                    f"the directory of the database {self._path} does not exist",
                    f"mkdir -p {shlex.quote(str(self._path.parent))}",
                )
            return
        # schema_version is in the file's first page: it shows that there is a database.
        probe = "SELECT 1" if not self.is_sqlite else "PRAGMA schema_version" if quick else "PRAGMA quick_check(1)"
        found = self._transact(self.engine, lambda connection: connection.exec_driver_sql(probe).scalar())
        if isinstance(found, str) and found != "ok":
            raise engines.damaged(str(self._path))

    def _state(self) -> State:
        if self.is_sqlite and self._is_new():
            return "empty"
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError

        def revision(connection: Connection) -> str | None:
            return MigrationContext.configure(connection).get_current_revision()

        found = self._transact(self.engine, revision)
        scripts = ScriptDirectory.from_config(self._alembic())
        if found is None:
            return "empty"
        if found == scripts.get_current_head():
            return "current"
        try:
            scripts.get_revision(found)
        except CommandError:
            return "ahead"
        return "behind"

    def _migrate(self) -> None:
        from alembic import command

        if self.is_sqlite:
            engines.create_file(self._path)
        if self._state() == "ahead":
            raise StoreError(
                f"the database {self._shown} was made by a newer version, or by another program",
                "update voicectl, or name another database in VOICECTL_DATABASE_URL",
            )

        def upgrade(connection: Connection) -> None:
            config = self._alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

        self._transact(engines.writing(self.engine), upgrade)

    def _let_go(self) -> None:
        self._read_threads.shutdown()
        self._apart_thread.shutdown()
        # Closing SQLite's last connection writes the log back into the file.
        self.engine.dispose()

    def _alembic(self) -> Any:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", MIGRATIONS)
        return config

    @property
    def _path(self) -> Path:
        return Path(self.url.database or "")

    @property
    def _shown(self) -> str:
        return str(self._path) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def _is_new(self) -> bool:
        try:
            return self._path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def _explain(self, error: BaseException) -> StoreError:
        return engines.explain(error, self.url, self.migrate_command)

    async def _off_loop(self, threads: Executor, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError("the database is closed")

        def told() -> T:
            try:
                return work()
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                raise self._explain(error) from None

        return await asyncio.get_running_loop().run_in_executor(threads, told)
