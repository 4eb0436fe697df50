"""The one writer of a process: many callers, one commit.

Theory of operation
    A commit costs a sync of the disk whether it holds one row or fifty. So writes gather in a list while a commit is
    under way, and the next commit takes all of them. With nothing under way a write waits for nobody, except that
    what is written in the same step of the event loop goes together.

    Order: what is put first is written first, with one liberty. Rows for the same statement are sent to the database
    in one go, so within a commit rows of different statements may change places. Work given to `run` is never
    overtaken and overtakes nothing.

    A write that the database refuses must not take its neighbours down: when a commit fails, its writes are done one
    by one, each in a transaction of its own, and those that fail again are the guilty ones. Busy databases and broken
    connections are waited out first (engine.persist). As the outcome of a commit may be unknown, a write must be safe
    to repeat. When the file or its disk is at fault nothing is tried again, and the connection is given up.

    Everything here runs on the event loop but `_commit`, which runs in the executor's single thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.base import Executable

from voicectl.errors import StoreError
from voicectl.storage import engine as engines

log = logging.getLogger(__name__)

T = TypeVar("T")


class Ticket(Generic[T]):
    """The Receipt (see ports) of one write, and what the write returned."""

    __slots__ = ("_result", "_settled", "_waiting", "failed")

    def __init__(self) -> None:
        self.failed: BaseException | None = None
        self._settled = False
        self._result: T | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def done(self) -> bool:
        return self._settled and self.failed is None

    async def wait(self) -> None:
        # A future for each who waits: cancelling one of them must not cancel the others.
        if not self._settled:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        if self.failed is not None:
            raise self.failed

    async def result(self) -> T:
        """Wait, and return what the work returned."""
        await self.wait()
        return self._result  # type: ignore[return-value]  # settled without failure: set by settle()

    def settle(self, result: T | None, failed: BaseException | None = None) -> None:
        """The write is durable, or it was refused. Once only, on the event loop."""
        self._settled, self._result, self.failed = True, result, failed
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()


GATHER_SECONDS = 0.003
"""How long the first write of a batch waits for others. Nobody is kept waiting by it: a caller's turn is put when its
reply is asked for, and the thread that commits it does not compete with that request for the interpreter."""


@dataclass(frozen=True, slots=True)
class _Write:
    ticket: Ticket[Any]
    work: Callable[[Connection], Any] | None
    statement: Executable | None = None
    row: dict[str, Any] | None = None


class Writer:
    """Group commit. `thread` is an executor of one thread; `explain` makes a StoreError of what the engine raised."""

    def __init__(self, engine: Engine, thread: Executor, explain: Callable[[BaseException], StoreError]) -> None:
        self._engine = engines.writing(engine)
        self._thread = thread
        self._explain = explain
        self._queue: list[_Write] = []
        self._committing = False
        self._closed = False
        self._last: Ticket[Any] | None = None

    def put(self, statement: Executable, row: dict[str, Any]) -> Ticket[None]:
        """Write one row. Rows of the same statement object share one execution."""
        return self._add(_Write(Ticket(), None, statement, row))

    def run(self, work: Callable[[Connection], T]) -> Ticket[T]:
        """Do `work` in the writing transaction. It may be done more than once; the last time counts."""
        return self._add(_Write(Ticket(), work))

    async def settled(self) -> None:
        """Return when everything put so far is durable or refused. Never raises."""
        last = self._last
        if last is not None:
            try:
                await last.wait()
            except StoreError:
                pass

    async def close(self) -> None:
        """Take no more writes, and return when those taken are settled."""
        self._closed = True
        await self.settled()

    def _add(self, write: _Write) -> Ticket[Any]:
        if self._closed:
            write.ticket.settle(None, StoreError("the database is closed"))
            return write.ticket
        self._last = write.ticket
        self._queue.append(write)
        if not self._committing:
            self._committing = True
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._start)
        return write.ticket

    def _start(self) -> None:
        batch, self._queue = self._queue, []
        commit = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, batch)
        commit.add_done_callback(lambda done: self._finish(batch, done))

    def _finish(self, batch: list[_Write], commit: asyncio.Future[list[Any]]) -> None:
        broken = commit.exception()
        outcomes = commit.result() if broken is None else [self._explain(broken)] * len(batch)
        self._committing = bool(self._queue)
        if self._committing:
            self._start()
        for write, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, StoreError):
                log.error("a write to the database was refused", extra={"cause": outcome.message})
                write.ticket.settle(None, outcome)
            else:
                write.ticket.settle(outcome)

    def _commit(self, batch: list[_Write]) -> list[Any]:
        """For each write what it returned, or the StoreError that refused it."""
        try:
            return engines.persist(partial(self._transact, batch))
        except Exception as error:
            if len(batch) == 1 or engines.passes(error) or engines.is_damaged(error):
                return [self._explain(error)] * len(batch)
        outcomes: list[Any] = []
        for write in batch:
            try:
                outcomes += engines.persist(partial(self._transact, [write]))
            except Exception as error:
                outcomes.append(self._explain(error))
        return outcomes

    def _transact(self, batch: list[_Write]) -> list[Any]:
        with self._engine.connect() as connection:
            try:
                with connection.begin():
                    return _apply(connection, batch)
            except Exception as error:
                if engines.is_damaged(error):
                    connection.invalidate()
                raise


def _apply(connection: Connection, batch: list[_Write]) -> list[Any]:
    outcomes: list[Any] = []
    rows: dict[Executable, list[dict[str, Any]]] = {}

    def send() -> None:
        for statement, gathered in rows.items():
            connection.execute(statement, gathered)
        rows.clear()

    for write in batch:
        if write.work is not None:
            send()
            outcomes.append(write.work(connection))
        elif write.statement is not None and write.row is not None:
            rows.setdefault(write.statement, []).append(write.row)
            outcomes.append(None)
    send()
    return outcomes
