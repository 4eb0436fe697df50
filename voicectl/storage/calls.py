"""Calls and their turns in the database: the CallStore of ports.py, and what an operator asks about calls.

A write returns at once and is repeated safely: turns are keyed by call and order, events by an id made here, a call's
sockets by the carrier's id of the socket. Status callbacks and sockets may come in any order (status.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from voicectl.conversation.turns import Passage, ToolCall, ToolUse, Turn, Usage
from voicectl.errors import NotFoundError, StoreError
from voicectl.ports import CallEvent, CallInfo, CallSummary, Receipt
from voicectl.storage import status as statuses
from voicectl.storage import tokens
from voicectl.storage.database import Database
from voicectl.storage.tables import (
    CallAnalytics,
    CallEventRow,
    CallSession,
    ConversationTurn,
    Table,
    storable,
    table_of,
)


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as it is stored. Moments are in UTC, durations in seconds."""

    sid: str
    session: str
    """The carrier's id of the newest socket; "" before the first."""
    caller: str
    called: str
    direction: str
    language: str
    agent: str
    status: str
    """The carrier's word for how far the call has come."""
    status_sequence: int | None
    started_at: datetime
    """The first that was heard of the call."""
    answered_at: datetime | None
    """Its first socket opened."""
    ended_at: datetime | None
    """Its last socket was done with; None while one is open."""
    duration: float | None
    """From answered_at to ended_at."""
    carrier_duration: int | None
    """What the carrier bills."""
    end_reason: str
    resume_count: int
    generation: int
    summary: CallSummary | None = None

    @property
    def live(self) -> bool:
        """A socket of the call is open, as far as is known."""
        over = statuses.RANK[self.status] >= statuses.FIRST_OVER
        return self.answered_at is not None and self.ended_at is None and not over


_calls = table_of(CallSession)
_turns = table_of(ConversationTurn)
_events = table_of(CallEventRow)
_analytics = table_of(CallAnalytics)

_KNOWN = [f.name for f in fields(StoredCall) if f.name != "summary"]
_SUMMARY = [_analytics.c[f.name] for f in fields(CallSummary)]
_PASSAGE = [f.name for f in fields(Passage)]
_NEWEST_FIRST = (_calls.c.started_at.desc(), _calls.c.sid.desc())


class Calls:
    """`clock` gives the wall clock's seconds since 1970."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._begin = _begin(database)
        self._status = _status(database)
        self._turn = _replacing(database, ConversationTurn, ("call_sid", "turn_order"))
        self._summary = _replacing(database, CallAnalytics, ("call_sid",))
        self._event = database.insert(CallEventRow).on_conflict_do_nothing(index_elements=["uid"])

    # --- writing -------------------------------------------------------------------------------------------

    def begin_call(self, call: CallInfo) -> Receipt:
        """A socket of the call opened: its first, or one more, which is counted as a resume."""
        row = _new_call(call.sid, self._now()) | {
            "session": call.session,
            "caller": call.caller,
            "called": call.called,
            "direction": call.direction,
            "language": call.language,
            "agent": call.agent,
            "status": statuses.ANSWERED,
            "status_rank": statuses.RANK[statuses.ANSWERED],
            "answered_at": self._now(),
            "generation": 1,
        }
        return self._database.run(lambda connection: _nothing(connection.execute(self._begin, row)))

    def record_turn(self, call_sid: str, turn: Turn) -> Receipt:
        return self._database.put(self._turn, _turn_row(call_sid, turn))

    def record_event(self, call_sid: str, event: CallEvent) -> Receipt:
        row = {"uid": os.urandom(12).hex(), "call_sid": call_sid, "at": event.at, "kind": event.kind}
        return self._database.put(self._event, row | {"data": dict(event.data)})

    def end_call(self, call_sid: str, reason: str, summary: CallSummary) -> Receipt:
        """The call's socket is done with. Refused for a call that never began."""
        ended = self._now()
        counted = {"call_sid": call_sid} | asdict(summary)

        def work(connection: Connection) -> None:
            this = _calls.c.sid == call_sid
            answered: datetime | None = connection.execute(sa.select(_calls.c.answered_at).where(this)).scalar()
            if answered is None:
                raise StoreError("a call cannot end that never began")
            lasted = max(0.0, (ended - answered).total_seconds())
            values: dict[str, Any] = {"ended_at": ended, "duration": lasted, "end_reason": reason}
            if reason in statuses.OVER_FOR:
                going_on = _calls.c.status_rank < statuses.FIRST_OVER
                values["status"] = sa.case((going_on, statuses.OVER), else_=_calls.c.status)
                values["status_rank"] = sa.case((going_on, statuses.RANK[statuses.OVER]), else_=_calls.c.status_rank)
            connection.execute(sa.update(_calls).where(this).values(values))
            connection.execute(self._summary, counted)

        return self._database.run(work)

    async def call_status(self, call_sid: str, status: str, sequence: int | None, duration: int | None) -> None:
        """A status callback. A status that is not known is passed over: carriers invent new ones."""
        rank = statuses.RANK.get(status)
        if not rank:
            return
        row = _new_call(call_sid, self._now()) | {
            "status": status,
            "status_rank": rank,
            "status_sequence": sequence,
            "carrier_duration": duration,
        }
        await self._database.run(lambda connection: _nothing(connection.execute(self._status, row))).wait()

    async def mint_token(self, call_sid: str, *, lifetime: float) -> str:
        now = self._clock()
        return await tokens.mint(self._database, call_sid, _moment(now), _moment(now + lifetime))

    async def redeem_token(self, call_sid: str, token: str) -> bool:
        return await tokens.redeem(self._database, call_sid, token, self._now())

    # --- reading -------------------------------------------------------------------------------------------

    async def turns(self, call_sid: str) -> list[Turn]:
        """The call's turns in order, each in its newest version."""
        found = sa.select(_turns).where(_turns.c.call_sid == call_sid).order_by(_turns.c.turn_order)
        return [_turn(row) for row in await self._rows(found)]

    async def known_caller(self, number: str) -> bool:
        """Whether a call from this number has been answered before. Does not wait for what is being written."""
        answered = sa.select(_calls.c.sid).where(_calls.c.caller == storable(number), _calls.c.answered_at.is_not(None))
        first = answered.limit(1)
        return await self._database.read(lambda c: c.execute(first).first() is not None, after_writes=False)

    async def events(self, sid: str) -> list[CallEvent]:
        """What happened to the call, in the order it was recorded."""
        found = sa.select(_events).where(_events.c.call_sid == sid).order_by(_events.c.id)
        return [CallEvent(row.at, row.kind, row.data) for row in await self._rows(found)]

    async def call(self, sid: str) -> StoredCall | None:
        rows = await self._rows(_select_calls().where(_calls.c.sid == sid))
        return _stored_call(rows[0]) if rows else None

    async def calls(self, *, limit: int = 50, before: str | None = None, live_only: bool = False) -> list[StoredCall]:
        """Calls, newest first. `before` is the sid of the last call seen: what follows are the older ones.

        Raises NotFoundError when there is no call `before`.
        """
        found = _select_calls().order_by(*_NEWEST_FIRST).limit(limit)
        if live_only:
            found = found.where(_calls.c.ended_at.is_(None), _calls.c.answered_at.is_not(None))
            found = found.where(_calls.c.status_rank < statuses.FIRST_OVER)
        if before is not None:
            last = await self.call(before)
            if last is None:
                raise NotFoundError(f"there is no call {before!r}")
            started_at, sid = _calls.c.started_at, _calls.c.sid
            there = sa.tuple_(sa.literal(last.started_at, started_at.type), sa.literal(last.sid, sid.type))
            found = found.where(sa.tuple_(started_at, sid) < there)
        return [_stored_call(row) for row in await self._rows(found)]

    async def resolve(self, prefix: str) -> str:
        """The full sid of the only call whose sid begins with `prefix`, or of the "last" call that was answered."""
        if prefix == "last":
            answered = sa.select(_calls.c.sid).where(_calls.c.answered_at.is_not(None))
            rows = await self._rows(answered.order_by(*_NEWEST_FIRST).limit(1))
        else:
            prefix = storable(prefix)
            begins = sa.func.substr(_calls.c.sid, 1, len(prefix)) == prefix
            shortest_first = (sa.func.length(_calls.c.sid), _calls.c.sid)
            rows = await self._rows(sa.select(_calls.c.sid).where(begins).order_by(*shortest_first).limit(2))
        return pick(prefix, [row.sid for row in rows])

    async def _rows(self, statement: sa.Select[Any]) -> Sequence[Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(statement).all())

    def _now(self) -> datetime:
        return _moment(self._clock())


def pick(prefix: str, found: Sequence[str]) -> str:
    """The one sid found for `prefix`. Raises NotFoundError when there is none, or more than one."""
    if prefix in found:
        return prefix
    if len(found) == 1 and prefix:
        return found[0]
    if prefix == "last":
        raise NotFoundError("there is no call yet", "voicectl serve, and call it")
    if not found:
        raise NotFoundError(f"there is no call whose id begins with {prefix!r}")
    raise NotFoundError(f"more than one call's id begins with {prefix!r}", f"type more of it, e.g. {found[0]}")


# --- rows and statements -----------------------------------------------------------------------------------


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _nothing(_: object) -> None:
    return None


def _new_call(sid: str, now: datetime) -> dict[str, Any]:
    """The row of a call of which nothing is known but its sid."""
    row: dict[str, Any] = dict.fromkeys(("session", "caller", "called", "direction", "language", "agent"), "")
    row |= {"sid": sid, "status": "", "status_rank": 0, "status_sequence": None, "started_at": now}
    row |= {"answered_at": None, "ended_at": None, "duration": None, "carrier_duration": None, "end_reason": ""}
    return row | {"resume_count": 0, "generation": 0}


def _begin(database: Database) -> Any:
    insert = database.insert(CallSession)
    old, new = _calls.c, insert.excluded
    another = sa.case((old.session != new.session, 1), else_=0)
    resumed = sa.case((sa.and_(old.generation > 0, old.session != new.session), 1), else_=0)
    return insert.on_conflict_do_update(
        index_elements=["sid"],
        set_={
            **{name: new[name] for name in ("session", "caller", "called", "direction", "language", "agent")},
            **_furthest(old, new),
            "answered_at": sa.func.coalesce(old.answered_at, new.answered_at),
            "ended_at": None,
            "duration": None,
            "end_reason": "",
            "resume_count": old.resume_count + resumed,
            "generation": old.generation + another,
        },
    )


def _status(database: Database) -> Any:
    insert = database.insert(CallSession)
    old, new = _calls.c, insert.excluded
    higher = {
        name: sa.case((old[name].is_(None), new[name]), (new[name] > old[name], new[name]), else_=old[name])
        for name in ("status_sequence", "carrier_duration")
    }
    return insert.on_conflict_do_update(index_elements=["sid"], set_=_furthest(old, new) | higher)


def _furthest(old: Any, new: Any) -> dict[str, Any]:
    further = new.status_rank > old.status_rank
    return {name: sa.case((further, new[name]), else_=old[name]) for name in ("status", "status_rank")}


def _replacing(database: Database, model: type[Table], key: tuple[str, ...]) -> Any:
    """INSERT that replaces the row of the same key."""
    insert = database.insert(model)
    rest = {column.name: insert.excluded[column.name] for column in table_of(model).c if column.name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=rest)


def _select_calls() -> sa.Select[Any]:
    summary = [column.label(f"summary_{column.name}") for column in _SUMMARY]
    return sa.select(*(_calls.c[name] for name in _KNOWN), *summary).join_from(_calls, _analytics, isouter=True)


def _stored_call(row: Row[Any]) -> StoredCall:
    known = dict(zip(_KNOWN, row, strict=False))
    counted = row[len(_KNOWN) :]
    # `turns` is the first of a summary's columns and never NULL in one.
    return StoredCall(**known, summary=None if counted[0] is None else CallSummary(*counted))


def _turn_row(call_sid: str, turn: Turn) -> dict[str, Any]:
    usage = turn.usage
    return {
        "call_sid": call_sid,
        "turn_order": turn.order,
        "role": turn.role,
        "kind": turn.kind,
        "at": turn.at,
        "generated": turn.generated,
        "heard": turn.heard,
        "said": turn.said,
        "interrupted": turn.interrupted,
        "done": turn.done,
        "generation": turn.generation,
        "first_token_at": turn.first_token_at,
        "first_audio_at": turn.first_audio_at,
        "finished_at": turn.finished_at,
        "failure": turn.failure,
        "model": usage.model if usage else None,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "passages": [{name: getattr(passage, name) for name in _PASSAGE} for passage in turn.passages],
        "lang": turn.lang,
        "resumes": turn.resumes,
        "tool": asdict(turn.tool) if turn.tool else None,
        "gained_ms": turn.gained_ms,
        "wasted_tokens": turn.wasted_tokens,
        "sensitive": turn.sensitive,
    }


def _turn(row: Row[Any]) -> Turn:
    usage = None
    if row.model is not None:
        usage = Usage(row.model, row.prompt_tokens, row.completion_tokens, row.cached_tokens)
    return Turn(
        order=row.turn_order,
        role=row.role,
        kind=row.kind,
        at=row.at,
        generated=row.generated,
        heard=row.heard,
        said=row.said,
        interrupted=row.interrupted,
        done=row.done,
        generation=row.generation,
        first_token_at=row.first_token_at,
        first_audio_at=row.first_audio_at,
        finished_at=row.finished_at,
        failure=row.failure,
        usage=usage,
        # A score that was no number was stored as null.
        passages=tuple(Passage(**passage | {"score": passage["score"] or 0.0}) for passage in row.passages),
        lang=row.lang,
        resumes=row.resumes,
        tool=ToolUse(**row.tool | {"call": ToolCall(**row.tool["call"])}) if row.tool else None,
        gained_ms=row.gained_ms,
        wasted_tokens=row.wasted_tokens,
        sensitive=row.sensitive,
    )
