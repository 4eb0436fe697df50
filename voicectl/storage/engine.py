"""From a database URL to an engine, and from a driver's error to words a person can act on.

One synchronous engine per process. SQLite's connections are opened in autocommit mode and begin their transactions
themselves: a writing one with BEGIN IMMEDIATE, because the busy timeout does not cover the upgrade of a reading
transaction to a writing one (SQLITE_BUSY_SNAPSHOT comes back at once). They never create a file; only a migration
does, readable by its owner alone.

Errors of a driver may quote the row they refuse, and rows hold what callers said. So no driver's text is passed on
from a statement, only its class and code; the text of a failed connection is, as it names nothing but the server.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from voicectl.errors import ConfigError, StoreError

T = TypeVar("T")

READERS = 4
"""Threads that read."""
CONNECTIONS = READERS + 2
"""And one that writes, and one for what takes long: ingests and migrations."""
LOCK_SECONDS = 5.0
"""How long SQLite waits for another process to let go."""
PAUSES = (0.05, 0.2, 0.8)
"""Seconds between attempts when the database is busy or its connection broke."""
EXAMPLE = "e.g. VOICECTL_DATABASE_URL=sqlite:///voicectl.db or postgresql://user@host/name"

# Classes and codes of PostgreSQL errors that pass: connection lost, shutting down or starting, too many
# connections, serialisation failure, deadlock, lock not available.
_PASSING = ("08", "57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03")


def parse(url: str) -> URL:
    """The URL with the driver we use. Raises ConfigError for what is malformed or not supported."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("the database URL is malformed", EXAMPLE) from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise ConfigError(
                "PostgreSQL needs the psycopg package, which is not installed", "pip install 'voicectl[postgres]'"
            ) from None
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigError(f"databases of the kind {parsed.drivername!r} are not supported", EXAMPLE)
    name = parsed.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or parsed.query:
        raise ConfigError("SQLite needs the path of a file, and nothing else, in its URL", EXAMPLE)
    return parsed.set(drivername="sqlite", database=str(Path(name).absolute()))


def create(url: URL) -> Engine:
    """An engine for a URL from `parse`. Connects when first used."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(Path(url.database or ""))
    # A peer that vanished without a word is noticed after 10 s instead of the kernel's quarter of an hour.
    defaults = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
    return sa.create_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
        json_serializer=_to_json,
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
    )


def _sqlite(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        # SQLite takes a file of less than 512 bytes for an empty database, and would write over it.
        if path.is_file() and 0 < path.stat().st_size < 512:
            raise not_a_database(str(path))
        # mode=rw: never create a file here.
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw", uri=True, timeout=LOCK_SECONDS, check_same_thread=False
        )
        connection.isolation_level = None
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    engine = sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
        json_serializer=_to_json,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def writing(engine: Engine) -> Engine:
    """The same engine, the same pool, for transactions that write."""
    return engine.execution_options(writing=True)


def create_file(path: Path) -> None:
    """An empty SQLite file that only its owner can read, unless there is one. The write-ahead log takes its mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass


def persist(work: Callable[[], T]) -> T:
    """`work()`, again after a pause when the database was busy or its connection broke; for threads, not the loop.

    `work` must be safe to repeat: a commit whose answer got lost may have happened.
    """
    for pause in PAUSES:
        try:
            return work()
        except Exception as error:
            if not passes(error):
                raise
        time.sleep(pause)
    return work()


def passes(error: BaseException) -> bool:
    """Whether the same work may well succeed a moment later."""
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        return _sqlite_code(cause) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = _sqlstate(cause)
    if state:
        return state.startswith(_PASSING)
    return type(cause).__module__.startswith("psycopg") and type(cause).__name__ == "OperationalError"


def is_damaged(error: BaseException) -> bool:
    """Whether the file or its disk is at fault. After a failed sync, trying again into success would be a lie."""
    damage = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    cause = _cause(error)
    return isinstance(cause, sqlite3.Error) and _sqlite_code(cause) in damage


def explain(error: BaseException, url: URL, command: str) -> StoreError:
    """The StoreError for whatever came out of the engine; `command` is what migrates the database."""
    if isinstance(error, StoreError):
        return error
    cause = _cause(error)
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    if isinstance(cause, sqlite3.Error):
        return _explain_sqlite(cause, str(where), command)
    if isinstance(cause, OSError):
        return StoreError(f"cannot open {where}: {cause.strerror}", f"check the path: ls -ld '{where}'")
    state = _sqlstate(cause)
    if state in ("42P01", "42703", "3F000"):
        return StoreError(f"the tables in {where} are missing or out of date", command)
    if not state and passes(error):
        said = " ".join(str(cause).split())
        hint = "is the server running, and do host, user, password and name in VOICECTL_DATABASE_URL fit?"
        return StoreError(f"cannot reach the database {where}: {said}", hint)
    code = f"{type(cause).__name__} {state}".strip()
    if state == "53100":
        return StoreError(f"the disk of {where} is full ({code})", "make room on the database server's disk")
    return StoreError(f"the database {where} refused ({code})")


def damaged(path: str) -> StoreError:
    """The error for a SQLite file that is not whole."""
    return StoreError(
        f"the database {path} is damaged; it is never recreated by itself",
        f"restore a backup, or save what can be read: sqlite3 '{path}' .recover | sqlite3 recovered.db",
    )


def not_a_database(path: str) -> StoreError:
    """The error for a file that does not begin as SQLite's do."""
    return StoreError(
        f"{path} is not a SQLite database, or its beginning is damaged; it is never recreated by itself",
        "restore a backup, or name another file in VOICECTL_DATABASE_URL",
    )


def _explain_sqlite(cause: sqlite3.Error, path: str, command: str) -> StoreError:
    code = _sqlite_code(cause)
    name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
    if code == sqlite3.SQLITE_CORRUPT:
        return damaged(path)
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_database(path)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
        return StoreError(
            f"the database {path} cannot be opened for reading and writing ({name})",
            f"check that file and directory are there and yours: ls -ld '{path}' '{Path(path).parent}'",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"the database {path} is locked by another process ({name})", f"see who holds it: fuser -v '{path}'"
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreError(f"the disk refuses to store {path} ({name})", f"make room on it: df -h '{Path(path).parent}'")
    if code == sqlite3.SQLITE_ERROR and str(cause).startswith(("no such table", "no such column")):
        return StoreError(f"the tables in {path} are missing or out of date", command)
    return StoreError(f"the database {path} refused ({name})")


def _cause(error: BaseException) -> BaseException:
    return getattr(error, "orig", None) or error


def _sqlite_code(cause: sqlite3.Error) -> int:
    """The primary result code; the extended one keeps its detail in the higher bytes."""
    return int(getattr(cause, "sqlite_errorcode", 0)) & 0xFF


def _sqlstate(cause: Any) -> str:
    return getattr(cause, "sqlstate", None) or ""
